import { expect, test } from 'vitest';
import { changes } from './revisions';

const BEFORE = { open: '100', high: '101', low: '99', close: '100.5', vwap: null, volume: 1200, tick_count: 9 };

test('only what differs is a change, and digits alone are no difference', () => {
  const after = { ...BEFORE, open: '100.00', close: '100.75', volume: 12_345, vwap: '100.2' };
  expect(changes(BEFORE, after, 2)).toEqual([
    { name: 'Close', before: '100.50', after: '100.75' },
    { name: 'VWAP', before: '–', after: '100.20' },
    { name: 'Volume', before: '1,200', after: '12,345' },
  ]);
});

test('the same version twice is no change', () => {
  expect(changes(BEFORE, { ...BEFORE }, 2)).toEqual([]);
});
