import { expect, test } from 'vitest';
import type { HopLatency } from '../api/types';
import { budgetTone, hops, milliseconds, minutes, share } from './levels';

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
  [0, '0'],
  [0.27200000000000024, '0.27'],
  [8.97, '9'],
  [1_269.1, '1,269'],
])('a budget of %s minutes is %s', (value, expected) => {
  expect(minutes(value)).toBe(expected);
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
