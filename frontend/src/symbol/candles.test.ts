import { describe, expect, test } from 'vitest';
import type { Bar } from '../api/types';
import type { Palette } from './candles';
import { candle, isTailChange, timeOf } from './candles';

const BAR: Bar = {
  ts_start: '2026-11-20T15:00:00Z',
  ts_end: '2026-11-20T15:01:00Z',
  session_date: '2026-11-20',
  open: '100',
  high: '101',
  low: '99.5',
  close: '100.5',
  volume: null,
  vwap: null,
  tick_count: 9,
  is_certified: true,
  verdict: 'passed',
  revision: 1,
};
// Each colour is named by itself.
const PALETTE = new Proxy({}, { get: (_, name) => String(name) }) as Palette;

describe('a bar on the canvas', () => {
  test.each([
    ['passed, up', {}, 'up', 'up'],
    ['passed, down', { close: '99.9' }, 'down', 'down'],
    ['provisional', { is_certified: false, verdict: null }, 'upHollow', 'up'],
    ['suspect', { verdict: 'suspect' }, 'suspect', 'suspect'],
    ['restated', { verdict: 'restated' }, 'restated', 'restated'],
    ['of the vendor', { verdict: 'vendor' }, 'vendor', 'vendor'],
    ['coarse, past its end', { verdict: null }, 'up', 'up'],
    ["a vendor's day that nobody certified", { is_certified: false, verdict: 'vendor' }, 'vendor', 'vendor'],
  ])('%s', (_, change, color, borderColor) => {
    expect(candle({ ...BAR, ...change }, '1m', PALETTE)).toMatchObject({ color, borderColor });
  });

  test('a minute is an instant, a day is a date', () => {
    expect(timeOf(BAR, '1m')).toBe(1_795_186_800);
    expect(timeOf(BAR, '1d')).toBe('2026-11-20');
  });
});

describe('what must be drawn anew', () => {
  const [a, b, c] = [{ ...BAR }, { ...BAR }, { ...BAR }];
  const other = { ...BAR };
  test.each([
    ['the last bar grew', [a, b], [a, other], true],
    ['a bar was added', [a, b], [a, other, c], true],
    ['an earlier bar was certified', [a, b, c], [other, b, c], false],
    ['two bars were added', [a], [a, b, c], false],
    ['the oldest bar left', [a, b, c], [b, c], false],
  ])('%s: only the tail %o', (_, before, now, expected) => {
    expect(isTailChange(before, now)).toBe(expected);
  });
});
