// The passport, the list of one's own, the market and quality views, in a real browser. Run by `npm run e2e`; see browser.mjs.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { DESKTOP, drawn, excess, findings, keep, launch, openTab, PHONE } from './browser.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000' } = process.env;

let browser;
let page;
let complaints;

before(async () => {
  browser = await launch();
  ({ page, complaints } = await openTab(browser));
});

after(() => browser?.close());

afterEach(() => {
  assert.deepEqual(complaints.splice(0), []);
});

const go = (query) => page.goto(`${PAGE_URL}/${query}`);
const parameter = (name) => new URL(page.url()).searchParams.get(name);
const passport = () => page.getByRole('complementary', { name: 'Bar passport' });

/** The newest certified minute of the chart, by the API. */
async function certifiedBar() {
  const answer = await page.request.get(`${PAGE_URL}/stocks`);
  const [{ symbol }] = (await answer.json()).items;
  const bars = (await (await page.request.get(`${PAGE_URL}/stocks/${symbol}/bars?limit=30`)).json()).items;
  return { symbol, bar: bars.filter((each) => each.is_certified).at(-1).ts_start };
}

/** Walks back from the newest bar with the keyboard and opens the one that it comes to. */
async function openByKeyboard(steps) {
  const chart = page.getByRole('slider');
  await chart.focus();
  for (let step = 0; step < steps; step += 1) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
}

test('the keyboard opens the passport of a bar, and Escape closes it', async () => {
  await go('');
  await drawn(page);
  await openByKeyboard(4);
  await passport().getByRole('heading', { name: 'Origin' }).waitFor();
  assert.match(parameter('bar'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/);
  assert.equal(await page.evaluate(() => document.activeElement?.closest('aside')?.className.includes('passport')), true);
  await page.keyboard.press('Escape');
  await passport().waitFor({ state: 'detached' });
  assert.equal(parameter('bar'), null);
});

test('a click on a bar opens its passport, and the way back closes it', async () => {
  await go('');
  await drawn(page);
  const { x, y, width, height } = await page.getByRole('slider').boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
  await passport().waitFor();
  await page.goBack();
  await passport().waitFor({ state: 'detached' });
});

test('a link of a dashboard opens the passport: ticks, job, gate with its run, rules, revisions', async () => {
  const { symbol, bar } = await certifiedBar();
  await go(`?symbol=${symbol}&interval=1m&bar=${bar}`);
  for (const name of ['Origin', 'Rules', 'Revisions', 'Verify']) await passport().getByRole('heading', { name, exact: true }).waitFor();
  await passport().getByText(/offsets/).waitFor();
  await passport().getByText(/Flink/).first().waitFor();
  const run = passport().getByRole('link', { name: /Run / }).first();
  assert.match(await run.getAttribute('href'), /\/runs\//);
});

test('a longer bar shows its minutes, and each leads to its passport', async () => {
  const { symbol, bar } = await certifiedBar();
  await go(`?symbol=${symbol}&interval=1h&bar=${bar}`);
  await passport().getByRole('heading', { name: /Made of/ }).waitFor();
  await passport().getByRole('button', { name: /Passport of/ }).first().click();
  await passport().getByText('1m bar').waitFor();
  assert.equal(parameter('interval'), null);
});

test('on older bars the way back to now covers nothing of the chart', async () => {
  const { symbol, bar } = await certifiedBar();
  const newest = /\/bars\?(?!.*end=)/;
  await page.route(newest, async (route) => {
    const response = await route.fetch();
    const { items, ...rest } = await response.json();
    await route.fulfill({ response, json: { ...rest, items: items.slice(-1) } });
  });
  await go(`?symbol=${symbol}&bar=${bar}`);
  const back = page.getByRole('button', { name: 'Back to now' });
  const [button, chart] = [await back.boundingBox(), await page.getByRole('slider').boundingBox()];
  assert.ok(button.y >= chart.y + chart.height, `button at ${button.y}, chart down to ${chart.y + chart.height}`);
  await back.click();
  assert.equal(parameter('bar'), null);
  await page.unroute(newest);
});

test('lines are switched on and off, and the address remembers them', async () => {
  await go('');
  await page.getByRole('button', { name: 'SMA 50' }).click();
  await page.getByRole('button', { name: 'VWAP' }).click();
  assert.equal(parameter('lines'), 'sma20,sma50');
});

test('a symbol is taken off the list, stays off, is found, and comes back', async () => {
  await go('');
  const rows = page.locator('tbody:not(.off) tr');
  await rows.first().waitFor();
  const [count, symbol] = [await rows.count(), await rows.first().locator('th').evaluate((cell) => cell.firstChild.textContent)];
  await rows.first().focus();
  await page.keyboard.press('Delete');
  await page.reload();
  await rows.first().waitFor();
  assert.equal(await rows.count(), count - 1);
  await page.keyboard.press('/');
  await page.keyboard.type(symbol);
  await page.getByRole('button', { name: `Put back ${symbol}` }).click();
  await page.getByRole('searchbox').fill('');
  await page.waitForFunction((expected) => document.querySelectorAll('tbody tr').length === expected, count);
});

test('the market view shows movers, breadth and a heat map, from which a symbol opens', async () => {
  await go('');
  await page.getByRole('link', { name: 'Market' }).click();
  await page.getByRole('heading', { name: 'Gainers' }).waitFor();
  await page.getByRole('rowheader', { name: 'All sectors' }).waitFor();
  await page.locator('button.tile').first().click();
  await page.locator('.headline h2').waitFor();
  assert.ok(parameter('symbol'));
});

test('the quality view shows service level, latency, quarantine, gaps and restatements', async () => {
  await go('?page=quality');
  for (const name of ['Error budget left', 'Latency by hop', 'Quarantine', 'Gap ledger', 'Restatements']) {
    await page.getByRole('heading', { name }).waitFor();
  }
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  assert.equal(parameter('shown'), 'open');
});

test('runs lead to their pages in Dagster, in a tab of their own, and the status bar to Dagster', async () => {
  await go('?page=quality');
  const { dagster_url: dagster } = await (await page.request.get(`${PAGE_URL}/market/status`)).json();
  const links = [page.getByRole('link', { name: 'Dagster', exact: true })];
  for (const name of ['Quarantine', 'Gap ledger', 'Restatements']) links.push(page.getByRole('region', { name }).getByRole('link', { name: /^Run / }).first());
  const told = [];
  for (const link of links) told.push(await link.evaluate(({ href, target, rel }) => ({ href, target, isAlone: rel.includes('noopener') })));
  assert.equal(told[0].href, `${dagster}/`);
  assert.deepEqual(told.map(({ target, isAlone }) => ({ target, isAlone })), told.map(() => ({ target: '_blank', isAlone: true })));
  for (const { href } of told.slice(1)) assert.ok(href.startsWith(`${dagster}/runs/`), href);
});

test('a long list shows more by the keyboard, which keeps its place', async () => {
  await go('?page=quality');
  const ledger = page.getByRole('region', { name: 'Gap ledger' });
  const { next_cursor } = await (await page.request.get(`${PAGE_URL}/quality/gaps?limit=50`)).json();
  const further = await (await page.request.get(`${PAGE_URL}/quality/gaps?limit=50&cursor=${next_cursor}`)).json();
  await ledger.locator('tbody tr').nth(49).waitFor();
  assert.equal(await ledger.locator('tbody tr').count(), 50);
  await ledger.getByRole('button', { name: 'Show more gaps' }).press('Enter');
  const all = ledger.getByRole('button', { name: `All ${50 + further.items.length} gaps shown` });
  await all.waitFor();
  assert.equal(await ledger.locator('tbody tr').count(), 50 + further.items.length);
  assert.ok(await all.evaluate((button) => button === document.activeElement));
});

test('a minute of the gap ledger says why it has no bar', async (context) => {
  const { items } = await (await page.request.get(`${PAGE_URL}/quality/gaps?state=open`)).json();
  if (items.length === 0) return context.skip('no gap is open');
  await go(`?symbol=${items[0].symbol}&bar=${items[0].ts_start}`);
  await passport().getByRole('heading', { name: /gap ledger/ }).waitFor();
  return passport().getByText(items[0].gap_class.replaceAll('_', ' ')).first().waitFor();
});

const VIEWS = {
  symbol: () => '',
  passport: async () => {
    const { symbol, bar } = await certifiedBar();
    return `?symbol=${symbol}&bar=${bar}`;
  },
  market: () => '?page=market',
  quality: () => '?page=quality',
};

for (const [name, address] of Object.entries(VIEWS)) {
  test(`${name}: axe finds nothing, and a phone shows it without scrolling sideways`, async () => {
    await go(await address());
    await page.waitForLoadState('load');
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(DESKTOP);
      assert.deepEqual(await findings(page), []);
      await keep(page, `${name}-${colorScheme}`);
      await page.setViewportSize(PHONE);
      assert.ok((await excess(page)) <= 0, `${await excess(page)} px wider than the screen`);
      await keep(page, `${name}-phone-${colorScheme}`);
    }
    await page.setViewportSize(DESKTOP);
    await page.emulateMedia({ colorScheme: 'light' });
  });
}

test('an API that fails is said in words, with a way out', async () => {
  await page.route('**/market/overview', (route) => route.fulfill({ status: 503, json: { title: 'Too busy', status: 503, detail: 'Try later.', type: 'about:blank' } }));
  await go('?page=market');
  await page.getByText('Try later.').first().waitFor();
  assert.ok(await page.getByRole('button', { name: 'Try again' }).first().isVisible());
  complaints.splice(0);
  await page.unroute('**/market/overview');
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.getByRole('heading', { name: 'Gainers' }).waitFor();
});
