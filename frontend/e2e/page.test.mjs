// The built page in a real browser, against the API that PAGE_URL's server speaks to. Run by `npm run e2e`.
// PAGE_URL (http://127.0.0.1:3000), CHROMIUM (/usr/bin/chromium), SCREENSHOTS (a folder; none are kept without it).
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { openLine } from './line.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000', CHROMIUM = '/usr/bin/chromium', SCREENSHOTS } = process.env;
const DEADLINE_MS = 60_000;
const FEED_WORDS = /simulated|tape|live \(Yahoo\)/;
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

let browser;
let line;
let page;
const complaints = [];

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...QUIET] });
  page = await browser.newPage({ viewport: DESKTOP, colorScheme: 'light' });
  page.setDefaultTimeout(DEADLINE_MS);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  line = await openLine(PAGE_URL);
  await page.goto(line.url);
  await page.locator('tbody tr').first().waitFor();
});

after(async () => {
  await browser?.close();
  line?.close();
});

async function keep(name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

/** Waits until some price of the table differs from now. */
async function movement() {
  const before = await page.locator('tbody td.price').allTextContents();
  await page.waitForFunction(
    (known) => [...document.querySelectorAll('tbody td.price')].some((cell, index) => cell.textContent !== known[index]),
    before,
  );
}

/** True in the browser once the chart's canvas holds a colour beside its background and grid. */
function isDrawn() {
  const canvas = document.querySelector('.canvas canvas');
  const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  const colours = new Set();
  for (let at = 0; at < pixels.length; at += 4) colours.add((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]);
  return colours.size > 3;
}

async function seriousFindings() {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

test('the status bar says which feed it is', async () => {
  await page.getByTestId('feed').filter({ hasText: FEED_WORDS }).waitFor();
});

test('prices move, and nothing else does', async () => {
  const boxes = () => page.locator('tbody tr, thead th').evaluateAll((all) => all.map((each) => each.getBoundingClientRect().toJSON()));
  const places = await boxes();
  await movement();
  assert.deepEqual(await boxes(), places);
});

test('the chart draws bars', async () => {
  await page.waitForFunction(isDrawn);
  await keep('light');
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
  await page.waitForFunction(isDrawn);
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
    assert.deepEqual(await seriousFindings(), []);
    await keep(`axe-${scheme}`);
  });
}

test('a phone shows all without scrolling sideways', async () => {
  await page.setViewportSize(PHONE);
  await page.waitForFunction(isDrawn);
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(excess <= 0, `${excess} px wider than the screen`);
  await keep('phone-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await keep('phone-light');
});

test('the console stayed without errors', () => {
  assert.deepEqual(complaints, []);
});

test('a lost line is said, and heals by itself', async () => {
  await page.setViewportSize(DESKTOP);
  const feed = page.getByTestId('feed');
  line.cut();
  await feed.filter({ hasText: 'reconnecting…' }).waitFor();
  await keep('reconnecting');
  line.mend();
  await feed.filter({ hasText: FEED_WORDS, hasNotText: 'reconnecting' }).waitFor();
  await movement();
});
