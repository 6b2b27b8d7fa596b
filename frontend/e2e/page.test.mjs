// The built page in a real browser, against the API that PAGE_URL's server speaks to. Run by `npm run e2e`.
// PAGE_URL (http://127.0.0.1:3000); browser.mjs has the rest. The views beside the watchlist: views.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, drawn, excess, findings, keep, launch, movement, NARROW, openTab, PHONE, swipeUp } from './browser.mjs';
import { openLine } from './line.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000' } = process.env;
const FEED_WORDS = /simulated|tape|live \(Yahoo\)/;

let browser;
let line;
let page;
let complaints;

before(async () => {
  browser = await launch();
  ({ page, complaints } = await openTab(browser));
  line = await openLine(PAGE_URL);
  await page.goto(line.url);
  await page.locator('tbody tr').first().waitFor();
});

after(async () => {
  await browser?.close();
  line?.close();
});

test('the status bar says which feed it is', async () => {
  await page.getByTestId('feed').filter({ hasText: FEED_WORDS }).waitFor();
});

test('prices move, and nothing else does', async () => {
  const boxes = () => page.locator('tbody tr, thead th').evaluateAll((all) => all.map((each) => each.getBoundingClientRect().toJSON()));
  const places = await boxes();
  await movement(page);
  assert.deepEqual(await boxes(), places);
});

test('the chart draws bars', async () => {
  await drawn(page);
  await keep(page, 'light');
});

test('the keyboard chooses a symbol and the address remembers it', async () => {
  await page.locator('tbody tr[tabindex="0"]').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const symbol = new URL(page.url()).searchParams.get('symbol');
  assert.ok(symbol, `no symbol in ${page.url()}`);
  await page.locator('.headline h2', { hasText: symbol }).waitFor();
  await page.goBack();
});

test('interval and zone are part of the address', async () => {
  await page.getByRole('button', { name: '5m', exact: true }).click();
  await page.getByRole('button', { name: 'UTC', exact: true }).click();
  assert.match(page.url(), /interval=5m.*zone=utc/);
  await page.locator('.legend dd', { hasText: 'UTC' }).waitFor();
  const address = page.url();
  await page.reload();
  await page.locator('.legend dd', { hasText: 'UTC' }).waitFor();
  assert.equal(page.url(), address);
  for (const name of ['5m', 'UTC']) assert.equal(await page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed'), 'true');
  await drawn(page);
});

test('the filter narrows the table and says so', async () => {
  const filter = page.getByRole('searchbox');
  await filter.fill('no such stock');
  await page.getByText('Nothing matches').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.locator('tbody tr').first().waitFor();
});

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing (${scheme})`, async () => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    assert.deepEqual(await findings(page), []);
    await keep(page, `axe-${scheme}`);
  });
}

test('a phone shows all without scrolling sideways', async () => {
  await page.setViewportSize(PHONE);
  await drawn(page);
  assert.ok((await excess(page)) <= 0, `${await excess(page)} px wider than the screen`);
  await keep(page, 'phone-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await keep(page, 'phone-light');
});

test('a narrow window cuts no symbol', async () => {
  await page.setViewportSize(NARROW);
  const cut = await page.locator('tbody th.symbol').evaluateAll((cells) => {
    const text = document.createRange();
    const isCut = (cell) => {
      text.selectNodeContents(cell.firstChild);
      return text.getClientRects().length > 1 || text.getBoundingClientRect().right > cell.getBoundingClientRect().right;
    };
    return cells.filter(isCut).map((cell) => cell.firstChild.textContent);
  });
  assert.deepEqual(cut, []);
});

test('wheel and swipe over the chart move a page that can be scrolled, and Ctrl leaves the wheel to the chart', async () => {
  await page.setViewportSize(NARROW);
  const scrolled = () => page.evaluate(() => scrollY);
  const { x, y, width } = await page.getByRole('slider').boundingBox();
  const [middle, top] = [x + width / 2, y + 100];
  await page.mouse.move(middle, top);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, 60);
  await page.keyboard.up('Control');
  assert.equal(await scrolled(), 0);
  await page.mouse.wheel(0, 60);
  await page.waitForFunction(() => scrollY >= 60);
  await swipeUp(page, middle, top);
  await page.waitForFunction(() => scrollY >= 120);
});

test('the console stayed without errors', () => {
  assert.deepEqual(complaints, []);
});

test('a lost line is said, and heals by itself', async () => {
  await page.setViewportSize(DESKTOP);
  const feed = page.getByTestId('feed');
  line.cut();
  await feed.filter({ hasText: 'reconnecting…' }).waitFor();
  await keep(page, 'reconnecting');
  assert.deepEqual(await findings(page), []);
  line.mend();
  await feed.filter({ hasText: FEED_WORDS, hasNotText: 'reconnecting' }).waitFor();
  await movement(page);
});
