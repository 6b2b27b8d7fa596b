import { describe, expect, test } from 'vitest';
import type { Bar, BarPage, Interval, Quote } from '../api/types';
import { indexFrom, indexOf, standing, withQuote } from './bars';

const BAR: Bar = {
  ts_start: '2026-11-20T15:00:00Z',
  ts_end: '2026-11-20T15:01:00Z',
  session_date: '2026-11-20',
  open: '100',
  high: '101',
  low: '99.5',
  close: '100.5',
  volume: 1200,
  vwap: '100.2',
  tick_count: 9,
  is_certified: false,
  verdict: null,
  revision: null,
};
const CERTIFIED = { is_certified: true, verdict: 'passed', revision: 1 };

const quoteAt = (ts_event: string, price: string, session_phase = 'regular'): Quote => ({
  symbol: 'AAPL',
  price,
  previous_close: '99',
  change_pct: null,
  day_volume: 5000,
  currency: 'USD',
  session_phase,
  ts_event,
  ts_recv: ts_event,
  source: 'simulator',
});

const pageOf = (bar: Bar, interval: Interval = '1m'): BarPage => ({ symbol: 'AAPL', interval, adjusted: 'raw', items: [bar] });
const summary = (bar: Bar | undefined) => bar && [bar.open, bar.high, bar.low, bar.close].join(' ');

describe('the last bar and the stream', () => {
  test.each([
    ['inside the range', '100.75', '100 101 99.5 100.75'],
    ['above it', '101.5', '100 101.5 99.5 101.5'],
    ['below it', '99', '100 101 99 99'],
    ['above it with more digits than text order knows', '1000', '100 1000 99.5 1000'],
  ])('a price %s moves the provisional bar', (_, price, expected) => {
    const page = withQuote(pageOf(BAR), quoteAt('2026-11-20T15:00:30Z', price));
    expect(page.items.map(summary)).toEqual([expected]);
  });

  test('a bar ends before its ts_end: that instant opens the next one, provisional', () => {
    const page = withQuote(pageOf({ ...BAR, ...CERTIFIED }), quoteAt('2026-11-20T15:01:00Z', '102'));
    expect(page.items.map(summary)).toEqual(['100 101 99.5 100.5', '102 102 102 102']);
    expect(page.items[1]).toMatchObject({ ts_start: '2026-11-20T15:01:00.000Z', ts_end: '2026-11-20T15:02:00.000Z', is_certified: false });
  });

  test('after a pause the new bar starts at its own minute', () => {
    const page = withQuote(pageOf(BAR), quoteAt('2026-11-20T15:07:42Z', '102'));
    expect(page.items[1]?.ts_start).toBe('2026-11-20T15:07:00.000Z');
  });

  test('a certified minute is settled', () => {
    const page = pageOf({ ...BAR, ...CERTIFIED });
    expect(withQuote(page, quoteAt('2026-11-20T15:00:59Z', '150'))).toBe(page);
  });

  test('a longer bar of certified minutes grows on and becomes provisional', () => {
    const hour = { ...BAR, ...CERTIFIED, ts_end: '2026-11-20T16:00:00Z' };
    const page = withQuote(pageOf(hour, '1h'), quoteAt('2026-11-20T15:20:00Z', '103'));
    expect(page.items[0]).toMatchObject({ high: '103', close: '103', is_certified: false, verdict: null, revision: null });
  });

  test.each([
    ['an older quote', '2026-11-20T14:59:59Z', 'regular', '1m'],
    ['a quote after the close', '2026-11-20T21:05:00Z', 'post', '1m'],
    ['a longer bar, which only the API can open', '2026-11-20T15:05:00Z', 'regular', '5m'],
    ['a later day', '2026-11-21T15:00:00Z', 'regular', '1d'],
  ] as const)('%s changes nothing', (_, instant, phase, interval) => {
    const page = pageOf(BAR, interval);
    expect(withQuote(page, quoteAt(instant, '150', phase))).toBe(page);
  });
});

describe('the standing of a bar', () => {
  test.each([
    [false, null, 'provisional'],
    [true, 'passed', 'passed'],
    [true, 'suspect', 'suspect'],
    [true, 'restated', 'restated'],
    [true, 'vendor', 'vendor'],
  ])('certified %s with verdict %s', (is_certified, verdict, expected) => {
    expect(standing({ ...BAR, is_certified, verdict })).toBe(expected);
  });
});

describe('the place of an instant', () => {
  const bars = ['15:00', '15:01', '15:05'].map((time) => ({
    ...BAR,
    ts_start: `2026-11-20T${time}:00Z`,
    ts_end: `2026-11-20T${time}:59Z`,
  }));
  test.each([
    ['before all', '14:00:00', 0, null],
    ['at a start', '15:01:00', 1, 1],
    ['inside a bar', '15:01:30', 2, 1],
    ['where no bar is', '15:03:00', 2, null],
    ['after all', '16:00:00', 3, null],
  ])('%s', (_, time, from, holder) => {
    const instant = Date.parse(`2026-11-20T${time}Z`);
    expect(indexFrom(bars, instant)).toBe(from);
    expect(indexOf(bars, instant)).toBe(holder);
  });
});
