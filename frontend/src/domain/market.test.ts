import { expect, test } from 'vitest';
import type { Quote, SymbolChange } from '../api/types';
import { sectors, strength } from './market';

const change = (symbol: string, sector: string, change_pct: string | null): SymbolChange => ({
  symbol, name: symbol, sector, currency: 'USD', price: '100', change_pct, day_volume: 1, ts_event: null,
});
const CHANGES = [change('JPM', 'Finance', null), change('XOM', 'Energy', '1'), change('CVX', 'Energy', '3'), change('BAC', 'Banks', '-1')];

test('sectors come by size, then by name, with the mean of what is known', () => {
  expect(sectors(CHANGES, {}).map(({ name, mean }) => [name, mean])).toEqual([['Energy', 2], ['Banks', -1], ['Finance', null]]);
});

test('a live quote replaces what the overview said', () => {
  const live = { change_pct: '5', price: '105' } as Quote;
  const [energy] = sectors(CHANGES, { XOM: live });
  expect(energy).toMatchObject({ mean: 4, tiles: [{ symbol: 'XOM', price: '105', change: '5' }, { symbol: 'CVX', change: '3' }] });
});

test.each([
  [null, 0],
  [0, 0],
  [0.5, 0.5],
  [-0.5, 0.5],
  [2, 1],
  [-40, 1],
])('a change of %s percent is coloured with strength %s', (pct, expected) => {
  expect(strength(pct)).toBe(expected);
});
