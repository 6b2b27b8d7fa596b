import { expect, test } from 'vitest';
import { delayBefore } from './stream';

test.each([
  [0, 1, 500],
  [0, 0, 250],
  [3, 1, 4000],
  [50, 1, 10_000],
])('before attempt %i with chance %d the line rests %d ms', (attempt, chance, expected) => {
  expect(delayBefore(attempt, chance)).toBe(expected);
});
