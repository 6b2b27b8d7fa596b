// How the newest bar grows with the stream, between two answers of the API.
import type { Bar, BarPage, Interval, Quote } from '../api/types';
import { highest, lowest } from './decimal';

const MINUTE_MS = 60_000;

function grown(bar: Bar, price: string): Bar {
  const verdict = { is_certified: false, verdict: null, revision: null };
  return { ...bar, ...verdict, high: highest(bar.high, price), low: lowest(bar.low, price), close: price };
}

function openedMinute(before: Bar, quote: Quote): Bar {
  const start = Math.floor(Date.parse(quote.ts_event) / MINUTE_MS) * MINUTE_MS;
  return {
    ts_start: new Date(start).toISOString(),
    ts_end: new Date(start + MINUTE_MS).toISOString(),
    session_date: before.session_date,
    open: quote.price,
    high: quote.price,
    low: quote.price,
    close: quote.price,
    volume: null,
    vwap: null,
    tick_count: 1,
    is_certified: false,
    verdict: null,
    revision: null,
  };
}

/** A certified minute is settled; a longer bar is certified minutes so far, and still grows. */
function isSettled(bar: Bar, interval: Interval): boolean {
  return bar.is_certified && interval === '1m';
}

/**
 * The page with the quote in its last bar, or in a new provisional minute; the same page where it changes nothing.
 * Longer bars are opened by the API alone: their first price may be older than the first that this page has seen.
 */
export function withQuote(page: BarPage, quote: Quote): BarPage {
  const last = page.items.at(-1);
  if (!last) return page;
  const instant = Date.parse(quote.ts_event);
  if (instant < Date.parse(last.ts_start)) return page;
  if (instant < Date.parse(last.ts_end)) {
    return isSettled(last, page.interval) ? page : { ...page, items: [...page.items.slice(0, -1), grown(last, quote.price)] };
  }
  if (page.interval !== '1m' || quote.session_phase !== 'regular') return page;
  return { ...page, items: [...page.items, openedMinute(last, quote)] };
}

export type Standing = 'passed' | 'provisional' | 'suspect' | 'restated' | 'vendor';
export const STANDINGS: readonly Standing[] = ['passed', 'provisional', 'suspect', 'restated', 'vendor'];

/** A verdict in one word of this page; an unknown one is no reason for doubt. */
export function standingOf(verdict: string | null): Standing {
  if (verdict === null) return 'provisional';
  return STANDINGS.find((known) => known === verdict) ?? 'passed';
}

/** How far a bar can be trusted: a coarse one has the worst verdict of its minutes, or none if it is from before these were kept. */
export function standing(bar: Bar): Standing {
  if (bar.verdict !== null) return standingOf(bar.verdict);
  return bar.is_certified ? 'passed' : 'provisional';
}

/** Index of the first bar that starts at or after the instant; the count of bars where none does. */
export function indexFrom(bars: readonly Bar[], instant: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const bar = bars[middle];
    if (bar && Date.parse(bar.ts_start) < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the bar that holds the instant; null where there is none. */
export function indexOf(bars: readonly Bar[], instant: number): number | null {
  const index = indexFrom(bars, instant + 1) - 1;
  const bar = bars[index];
  return bar && Date.parse(bar.ts_end) > instant ? index : null;
}
