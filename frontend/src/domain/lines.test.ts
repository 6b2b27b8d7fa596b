import { expect, test } from 'vitest';
import type { Bar } from '../api/types';
import { sessionVwap, sma } from './lines';

const bar = (session_date: string, close: string, vwap: string | null, volume: number | null): Bar => ({
  ts_start: '', ts_end: '', session_date, open: close, high: close, low: close, close,
  volume, vwap, tick_count: 1, is_certified: true, verdict: 'passed', revision: 1,
});

test('a moving average begins with its first full window', () => {
  const bars = ['1', '2', '6', '7'].map((close) => bar('2026-11-20', close, null, null));
  expect(sma(bars, 3)).toEqual([null, null, 3, 5]);
});

const DAYS = [
  bar('2026-11-19', '9', '9', 100),
  bar('2026-11-20', '10', '10', 100),
  bar('2026-11-20', '10', null, 0),
  bar('2026-11-20', '13', '13', 200),
];

test('a session’s VWAP weighs by volume and begins anew with the session', () => {
  expect(sessionVwap(DAYS, false)).toEqual([9, 10, 10, 12]);
});

test('a session whose beginning is missing has no VWAP', () => {
  expect(sessionVwap(DAYS, true)).toEqual([null, 10, 10, 12]);
});

test('no volume, no VWAP', () => {
  expect(sessionVwap([bar('2026-11-20', '10', null, null)], false)).toEqual([null]);
});
