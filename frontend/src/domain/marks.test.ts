import { describe, expect, test } from 'vitest';
import type { Bar, CorporateAction, Gap } from '../api/types';
import { actionMarks, bands, gapAt, gapOf, gapTone, sessionStarts } from './marks';

const bar = (start: string, session_date = '2026-11-20'): Bar => ({
  ts_start: `2026-11-20T${start}:00Z`, ts_end: `2026-11-20T${start}:59Z`, session_date,
  open: '1', high: '1', low: '1', close: '1', volume: null, vwap: null, tick_count: 1, is_certified: true, verdict: 'passed', revision: 1,
});
const gap = (start: string, end: string): Gap => ({
  ts_start: `2026-11-20T${start}:00Z`, ts_end: `2026-11-20T${end}:00Z`, session_date: '2026-11-20', minute_count: 1,
  gap_class: 'feed_gap', evidence: '', state: 'open', closed_by_run: null, closed_by_run_url: null, closed_reason: null, attempt_count: 0,
  ts_found: '2026-11-20T20:00:00Z', ts_closed: null,
});
const BARS = [bar('14:30'), bar('14:31'), bar('14:35'), bar('14:36')];

test.each([
  ['without bars: between two', gap('14:32', '14:35'), { from: 2, to: 2 }],
  ['repaired: over its bars', gap('14:31', '14:36'), { from: 1, to: 3 }],
  ['after the last bar', gap('14:40', '14:42'), { from: 4, to: 4 }],
])('a gap %s', (_, ledgered, place) => {
  expect(bands(BARS, [ledgered])).toEqual([{ ...place, gap: ledgered }]);
});

test('a gap before the first bar is not shown', () => {
  expect(bands(BARS, [gap('13:00', '13:10')])).toEqual([]);
});

test('a bar knows the gap that it is in, or that lies before it', () => {
  const [missing, repaired] = [gap('14:32', '14:35'), gap('14:31', '14:32')];
  const marked = bands(BARS, [missing, repaired]);
  expect([0, 1, 2, 3].map((index) => gapAt(marked, index))).toEqual([null, repaired, missing, null]);
});

test('a session begins where the day changes, not with the first bar', () => {
  expect(sessionStarts([bar('14:30', '2026-11-19'), bar('14:31', '2026-11-19'), bar('14:32'), bar('14:33')])).toEqual([2]);
});

test('a gap that cannot be repaired stays open to the eye', () => {
  expect(['open', 'unrepairable', 'repaired', 'explained'].map(gapTone)).toEqual(['open', 'open', 'healed', 'explained']);
});

describe('corporate actions', () => {
  const action = (ex_date: string, kind: string, ratio: string | null, amount: string | null): CorporateAction => ({
    ex_date, kind, ratio, amount, currency: 'USD', source: 'yahoo', ts_recv: '2026-11-20T00:00:00Z',
  });
  const days = [bar('14:30', '2026-11-18'), bar('14:30', '2026-11-19'), bar('14:31', '2026-11-19'), bar('14:30', '2026-11-23')];

  test.each([
    ['on a session: its first bar', action('2026-11-19', 'split', '4', null), [{ index: 1, letter: 'S', words: 'Split 4 for 1' }]],
    ['on a holiday: the next bar', action('2026-11-20', 'dividend', null, '0.25'), [{ index: 3, letter: 'D', words: 'Dividend 0.25 USD' }]],
    ['before the bars', action('2026-11-17', 'dividend', null, '0.25'), []],
    ['still to come', action('2026-11-30', 'capital_gain', null, '1'), []],
  ])('%s', (_, told, expected) => {
    expect(actionMarks(days, [told])).toEqual(expected);
  });
});

test.each([
  ['14:31', null],
  ['14:32', '14:32'],
  ['14:34', '14:32'],
  ['14:35', null],
])('the minute %s lies in the gap from %s', (time, expected) => {
  const found = gapOf([gap('14:32', '14:35')], `2026-11-20T${time}:00Z`);
  expect(found?.ts_start.slice(11, 16) ?? null).toBe(expected);
});
