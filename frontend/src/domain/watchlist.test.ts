import { describe, expect, test } from 'vitest';
import type { Quote, Stock } from '../api/types';
import type { Sort } from './watchlist';
import { divided, newer, rank, toggled } from './watchlist';

const quote = (price: string, change_pct: string, day_volume: number, second: number): Quote => ({
  symbol: '',
  price,
  previous_close: null,
  change_pct,
  day_volume,
  currency: 'USD',
  session_phase: 'regular',
  ts_event: `2026-11-20T15:00:0${second}Z`,
  ts_recv: `2026-11-20T15:00:0${second}Z`,
  source: 'simulator',
});

const stock = (symbol: string, name: string, quoted: Quote | null): Stock => ({
  symbol,
  name,
  sector: 'Technology',
  currency: 'USD',
  calendar: 'XNYS',
  quote: quoted,
  sparkline: [],
});

const STOCKS = [
  stock('NEW', 'Just Listed', null),
  stock('B', 'Beta', quote('9.5', '-1.2', 300, 3)),
  stock('A', 'Alpha', quote('10', '0.5', 200, 1)),
  stock('C', 'Gamma', quote('100', '-0.3', 100, 2)),
];
const symbols = (sort: Sort, filter = '') => rank(STOCKS, sort, filter).map((each) => each.symbol).join(' ');

describe('the order of the watchlist', () => {
  test.each([
    ['symbol', false, 'A B C NEW'],
    ['symbol', true, 'NEW C B A'],
    ['price', false, 'B A C NEW'],
    ['price', true, 'C A B NEW'],
    ['change', false, 'B C A NEW'],
    ['volume', true, 'B A C NEW'],
    ['age', false, 'B C A NEW'],
  ] as const)('by %s, descending %s; without a quote comes last', (column, isDescending, expected) => {
    expect(symbols({ column, isDescending })).toBe(expected);
  });

  test.each([
    ['gam', 'C'],
    [' ALPHA ', 'A'],
    ['technology', 'A B C NEW'],
    ['zzz', ''],
  ])('the filter "%s"', (filter, expected) => {
    expect(symbols({ column: 'symbol', isDescending: false }, filter)).toBe(expected);
  });

  test('a click falls for numbers, rises for names, and turns on the second', () => {
    const bySymbol = { column: 'symbol', isDescending: false } as const;
    const first = toggled(bySymbol, 'change');
    expect(first).toEqual({ column: 'change', isDescending: true });
    expect(toggled(first, 'change').isDescending).toBe(false);
    expect(toggled(first, 'symbol')).toEqual(bySymbol);
  });
});

test.each([
  ['the later event', quote('2', '0', 0, 1), quote('1', '0', 0, 2)],
  ['at one instant the higher day volume', quote('2', '0', 5, 1), quote('1', '0', 6, 1)],
  ['at one instant and volume the higher price', quote('9', '0', 5, 1), quote('10', '0', 5, 1)],
])('of two quotes %s wins, whichever side brings it', (_, early, late) => {
  expect(newer(early, late)).toBe(late);
  expect(newer(late, early)).toBe(late);
});

test('a quote is newer than none', () => {
  const early = quote('1', '0', 0, 1);
  expect(newer(undefined, early)).toBe(early);
  expect(newer(null, undefined)).toBeNull();
});

test('what was taken off the list is kept apart', () => {
  const { kept, off } = divided(STOCKS, new Set(['NEW', 'GONE']));
  expect(off.map(({ symbol }) => symbol)).toEqual(['NEW']);
  expect(kept.length).toBe(STOCKS.length - 1);
});
