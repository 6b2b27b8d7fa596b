// What a reader sees while the API behind PAGE_URL dies and returns. Says each step on a line of its own: live, lost, healed.
// Whoever runs it ends the API after `live`, and starts another one at the same address after `lost`.
import assert from 'node:assert/strict';
import { keep, launch, movement, openTab } from './browser.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000' } = process.env;

const browser = await launch();
try {
  const { page } = await openTab(browser);
  const feed = page.getByTestId('feed');
  await page.goto(`${PAGE_URL}/?zone=utc`);
  await page.locator('tbody td.price').first().waitFor();
  await movement(page);
  await page.evaluate(() => {
    globalThis.sales = [];
    const note = () => globalThis.sales.push(document.querySelector('.last-sale')?.textContent ?? '');
    new MutationObserver(note).observe(document.querySelector('.symbol'), { subtree: true, childList: true, characterData: true });
  });
  console.log('live');
  await feed.filter({ hasText: 'reconnecting…' }).waitFor();
  await keep(page, 'api-away');
  const before = await page.locator('.last-sale').textContent();
  console.log('lost');
  await feed.filter({ hasNotText: /reconnecting|connecting/ }).waitFor();
  await movement(page);
  await page.waitForFunction((known) => document.querySelector('.last-sale').textContent > known, before);
  const sales = await page.evaluate(() => globalThis.sales.filter(Boolean));
  assert.deepEqual(sales, sales.toSorted(), 'a sale was shown after a later one');
  console.log('healed');
} finally {
  await browser.close();
}
