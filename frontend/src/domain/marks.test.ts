import { expect, test } from 'vitest';
import type { Bar, Gap } from '../api/types';
import { bands, gapAt, gapTone, sessionStarts } from './marks';

const bar = (start: string, session_date = '2026-11-20'): Bar => ({
  ts_start: `2026-11-20T${start}:00Z`, ts_end: `2026-11-20T${start}:59Z`, session_date,
  open: '1', high: '1', low: '1', close: '1', volume: null, vwap: null, tick_count: 1, is_certified: true, verdict: 'passed', revision: 1,
});
const gap = (start: string, end: string): Gap => ({
  ts_start: `2026-11-20T${start}:00Z`, ts_end: `2026-11-20T${end}:00Z`, session_date: '2026-11-20', minute_count: 1,
  gap_class: 'feed_gap', evidence: '', state: 'open', closed_by_run: null, closed_reason: null, attempt_count: 0,
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
