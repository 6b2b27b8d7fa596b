import { expect, test } from 'vitest';
import type { HopLatency, SessionLevel } from '../api/types';
import { budgetTone, budgetWords, hops, milliseconds, share } from './levels';

test.each([
  [null, '–'],
  [1, '100.000 %'],
  [0.999, '99.900 %'],
  [0.9999999, '99.999 %'],
  [0, '0.000 %'],
])('a share of %s is %s', (ratio, expected) => {
  expect(share(ratio)).toBe(expected);
});

test.each([
  [null, 'idle'],
  [1, 'good'],
  [0.5, 'good'],
  [0.49, 'warning'],
  [0, 'bad'],
  [-0.3, 'bad'],
])('a budget with %s left is %s', (left, expected) => {
  expect(budgetTone(left)).toBe(expected);
});

test.each([
  [0, 0.27200000000000024, 1, '0 of 0.27 min spent in 1 session'],
  [1, 0, 1, '1 of 0 min spent in 1 session'],
  [2, 8.97, 2, '2 of 9 min spent in 2 sessions'],
  [1_041, 1_269.1, 30, '1,041 of 1,269 min spent in 30 sessions'],
])('%s spent of %s minutes in %s sessions: %s', (spent_30_minute_count, budget_30_minutes, session_30_count, expected) => {
  const level: SessionLevel = {
    session_date: '2026-11-20', calendar: 'ALL', objective_ratio: 0.999, counted_minute_count: 272, spent_minute_count: 0, good_ratio: 1,
    burn_rate: 0, budget_left_ratio: 1, session_30_count, budget_30_minutes, spent_30_minute_count,
  };
  expect(budgetWords(level)).toBe(expected);
});

test.each([
  [4.25, '4.3 ms'],
  [87.4, '87 ms'],
  [1_240, '1.2 s'],
  [90_000, '1.5 min'],
])('%s ms is %s', (value, expected) => {
  expect(milliseconds(value)).toBe(expected);
});

test('hops come in the order of the way, each with its newest minute', () => {
  const row = (hop: HopLatency['hop'], minute: number, p99_ms: number): HopLatency => ({
    hop, ts_minute: `2026-11-20T15:0${minute}:00Z`, observation_count: 1, p50_ms: 1, p95_ms: 2, p99_ms, max_ms: 9,
  });
  const made = hops([row('flink_to_staging', 0, 5), row('event_to_received', 0, 3), row('flink_to_staging', 1, 7)]);
  expect(made.map(({ hop, newest, p99 }) => [hop, newest.p99_ms, p99])).toEqual([
    ['event_to_received', 3, [3]],
    ['flink_to_staging', 7, [5, 7]],
  ]);
});
