// What a whole stack alone can show: from a price that moves, over a bar and its passport, to the Dagster run that accepted it.
// PAGE_URL (http://127.0.0.1:3000); browser.mjs has the rest. Against made-up servers: page.test.mjs, views.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { drawn, keep, launch, openTab } from './browser.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000' } = process.env;
/** Trades day and night, so that its last minute is always an open one. */
const SYMBOL = 'BTC-USD';
const STEP_PX = 3;

let browser;
let page;
let complaints;

before(async () => {
  browser = await launch();
  ({ page, complaints } = await openTab(browser));
});

after(() => browser?.close());

const told = async (path) => (await page.request.get(`${PAGE_URL}${path}`)).json();
const frames = () => page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));

/** Moves the mouse from the newest bar to older ones until the legend shows one that is certified. */
async function pointAtCertified() {
  const { x, y, width, height } = await page.getByRole('slider').boundingBox();
  const verdict = page.locator('.legend .state');
  for (let at = x + width - STEP_PX; at > x; at -= STEP_PX) {
    await page.mouse.move(at, y + height / 2);
    await frames();
    if ((await verdict.textContent()) !== 'provisional') return { at, middle: y + height / 2 };
  }
  return assert.fail('no certified bar under the mouse; expected one left of the provisional ones');
}

test('a price that moves leads to its bar, its passport, and the run that accepted it', async () => {
  await page.goto(PAGE_URL);
  const price = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: SYMBOL }) }).locator('td.price');
  const first = await price.textContent();
  await page.waitForFunction(([cell, known]) => cell.textContent !== known, [await price.elementHandle(), first]);

  await price.click();
  await page.locator('.headline h2', { hasText: SYMBOL }).waitFor();
  await drawn(page);
  const { items } = await told(`/stocks/${SYMBOL}/bars?limit=30`);
  const newest = items.filter((bar) => bar.is_certified).at(-1);
  assert.ok(newest, `no certified bar among the last 30 of ${SYMBOL}`);
  const { at, middle } = await pointAtCertified();
  await page.mouse.click(at, middle);

  const origin = page.getByRole('complementary', { name: 'Bar passport' }).getByRole('region', { name: 'Origin' });
  await origin.waitFor();
  const opened = new URL(page.url()).searchParams.get('bar');
  assert.ok(opened >= newest.ts_start, `opened ${opened}; expected the last certified bar, ${newest.ts_start} or one certified since`);
  const { gate_run: run } = await told(`/stocks/${SYMBOL}/bars/${opened}/passport`);
  await keep(page, 'stack-passport');

  const [dagster] = await Promise.all([page.context().waitForEvent('page'), origin.getByRole('link', { name: /^Run / }).click()]);
  await dagster.waitForURL(run.url);
  await dagster.getByText(run.dagster_run_id.slice(0, 8)).first().waitFor();
  await keep(dagster, 'stack-run');
  const query = `{ runOrError(runId: "${run.dagster_run_id}") { __typename } }`;
  const known = await page.request.post(new URL('/graphql', run.url).href, { data: { query } });
  assert.deepEqual((await known.json()).data, { runOrError: { __typename: 'Run' } });
  assert.equal(await dagster.evaluate(() => globalThis.opener), null);
  assert.deepEqual(complaints, []);
});
