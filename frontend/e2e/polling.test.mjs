// The built page in a real browser, where the API of PAGE_URL's server answers 404 to /stream, as on AWS.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keep, launch, openTab } from './browser.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000' } = process.env;

let browser;
let page;
let asked = 0;

before(async () => {
  browser = await launch();
  ({ page } = await openTab(browser));
  page.on('request', (request) => { asked += new URL(request.url()).pathname === '/stream'; });
  await page.goto(PAGE_URL);
  await page.locator('tbody tr').first().waitFor();
});

after(() => browser?.close());

test('the status bar says calmly that it polls', async () => {
  await page.getByTestId('feed').filter({ hasText: 'polling every 10 s', hasNotText: 'reconnecting' }).waitFor();
  await keep(page, 'polling');
});

test('prices move all the same, and the stream is asked for no more', async () => {
  const prices = () => page.locator('tbody td.price').allTextContents();
  for (let answer = 0; answer < 2; answer += 1) {
    const known = await prices();
    await page.waitForFunction(
      (before) => [...document.querySelectorAll('tbody td.price')].some((cell, index) => cell.textContent !== before[index]),
      known,
    );
  }
  assert.equal(asked, 2, 'the stream, and once why it was refused');
});
