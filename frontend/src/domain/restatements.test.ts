import { expect, test } from 'vitest';
import { outcomeOf, toneOf } from './restatements';

test.each([
  ['finished', true, 'finished', 'healed'],
  ['finished', false, 'compared only', 'explained'],
  ['running', false, 'running', 'explained'],
  ['failed', false, 'failed', 'open'],
])('a restatement that is %s, promoted: %s, is told as %s', (state, is_promoted, outcome, tone) => {
  expect([outcomeOf({ state, is_promoted }), toneOf({ state, is_promoted })]).toEqual([outcome, tone]);
});
