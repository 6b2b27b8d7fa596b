// Chromium as the checks of the page use it. CHROMIUM (/usr/bin/chromium), SCREENSHOTS (a folder; none are kept without it).
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { CHROMIUM = '/usr/bin/chromium', SCREENSHOTS } = process.env;
const DEADLINE_MS = 60_000;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** Where the watchlist has the least room for a symbol. */
export const NARROW = { width: 420, height: 844 };

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...QUIET] });

/** A tab, and the errors that its console has seen. */
export async function openTab(browser, { reducedMotion = 'reduce' } = {}) {
  const page = await browser.newPage({ viewport: DESKTOP, colorScheme: 'light', reducedMotion });
  const complaints = [];
  page.setDefaultTimeout(DEADLINE_MS);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { page, complaints };
}

export async function keep(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

/** What axe finds wrong, in words; empty where nothing is. */
export async function findings(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

/** How far the page is wider than the screen, pixels. */
export const excess = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** A finger that goes up by a hundred pixels. */
export async function swipeUp(page, x, from) {
  const session = await page.context().newCDPSession(page);
  const touch = (type, ...touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', { x, y: from });
  for (let y = from; y >= from - 100; y -= 10) await touch('touchMove', { x, y });
  await touch('touchEnd');
}

/** Waits until some price of the table differs from now. */
export async function movement(page) {
  const before = await page.locator('tbody td.price').allTextContents();
  await page.waitForFunction(
    (known) => [...document.querySelectorAll('tbody td.price')].some((cell, index) => cell.textContent !== known[index]),
    before,
  );
}

/** Waits until the chart's canvas holds a colour beside its background and grid. */
export async function drawn(page) {
  await page.waitForFunction(() => {
    const canvas = document.querySelector('.canvas canvas');
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const colours = new Set();
    for (let at = 0; at < pixels.length; at += 4) colours.add((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]);
    return colours.size > 3;
  });
}
