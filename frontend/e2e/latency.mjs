// What a tab of PAGE_URL sees of prices that move, and what that costs it: one line of JSON. Run by benchmarks/browser.py, which
// makes the load and knows when each price was sent. WARM_UP_S and SECONDS: how long the tab is left alone, and then looked at.
// All instants are epoch milliseconds, by the clock of this machine.
import { launch, movement, openTab } from './browser.mjs';

const { PAGE_URL = 'http://127.0.0.1:3000', WARM_UP_S = '5', SECONDS = '30' } = process.env;
const SECOND_MS = 1000;

/** In the page, before its own code: notes when each price comes over the line. */
function noteReceived() {
  const Source = globalThis.EventSource;
  globalThis.instant = () => performance.timeOrigin + performance.now();
  globalThis.seen = { received: [], changed: [], painted: [], longTasks: [], layoutShift: 0 };
  globalThis.EventSource = class extends Source {
    constructor(...given) {
      super(...given);
      this.addEventListener('quote', ({ data }) => globalThis.seen.received.push([/"price":"([^"]+)"/.exec(data)[1], globalThis.instant()]));
    }
  };
}

/** In the page: notes when each price of the table changes, and when the frame that shows it has been drawn; gives the instant. */
function look() {
  const { seen, instant } = globalThis;
  seen.received.length = 0;
  // A new target is reported after the next frame is laid out and painted, whether the frame has begun or not.
  const screen = new IntersectionObserver((entries) => {
    const now = instant();
    for (const { target } of entries) {
      if (target.isConnected) seen.painted.push([target.textContent, now]);
      screen.unobserve(target);
    }
  });
  const elementOf = (node) => (node instanceof Element ? node : node.parentElement);
  const prices = new MutationObserver((changes) => {
    const now = instant();
    const cells = new Set(changes.map(({ target }) => elementOf(target)?.closest('td.price')));
    for (const price of [...cells].map((cell) => cell?.firstElementChild).filter(Boolean)) {
      seen.changed.push([price.textContent, now]);
      screen.observe(price);
    }
  });
  prices.observe(document.querySelector('.watchlist'), { subtree: true, childList: true, characterData: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { seen.layoutShift += value; })).observe({ type: 'layout-shift' });
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => seen.longTasks.push(duration))).observe({ type: 'longtask' });
  return instant();
}

/** In the page: hands over what was seen, and forgets it. */
function handOver() {
  const { seen } = globalThis;
  globalThis.seen = { received: [] };
  return { ...seen, until: globalThis.instant() };
}

async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
}

const browser = await launch();
try {
  const { page, complaints } = await openTab(browser, { reducedMotion: 'no-preference' });
  await page.addInitScript(noteReceived);
  await page.goto(PAGE_URL);
  await page.locator('tbody td.price').first().waitFor();
  await movement(page);
  await page.waitForTimeout(Number(WARM_UP_S) * SECOND_MS);
  const heap = await heapOf(page);
  const before = await heap();
  const since = await page.evaluate(look);
  await page.waitForTimeout(Number(SECONDS) * SECOND_MS);
  const seen = await page.evaluate(handOver);
  console.log(JSON.stringify({ ...seen, since, heapGrown: (await heap()) - before, complaints }));
} finally {
  await browser.close();
}
