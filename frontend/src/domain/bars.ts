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

export type Standing = 'provisional' | 'certified' | 'suspect' | 'restated';

/** How far a bar can be trusted; a vendor's correction is a restatement too. */
export function standing(bar: Bar): Standing {
  if (!bar.is_certified) return 'provisional';
  if (bar.verdict === 'suspect') return 'suspect';
  return bar.verdict === 'restated' || bar.verdict === 'vendor' ? 'restated' : 'certified';
}
