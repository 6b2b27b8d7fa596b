import { expect, test } from 'vitest';
import { DEFAULT_VIEW, readView, writeView } from './view';

test('the usual view needs no query string', () => {
  expect(readView('')).toEqual(DEFAULT_VIEW);
  expect(writeView(DEFAULT_VIEW)).toBe('');
});

test('what is chosen is told, the rest is not', () => {
  const view = { ...DEFAULT_VIEW, symbol: 'BRK-B', zone: 'utc', sort: { column: 'change', isDescending: true }, filter: 'oil & gas' } as const;
  expect(writeView(view)).toBe('?symbol=BRK-B&zone=utc&sort=-change&q=oil+%26+gas');
  expect(readView(writeView(view))).toEqual(view);
});

test('unknown words in a link fall back to the usual', () => {
  expect(readView('?interval=2m&zone=mars&sort=-colour')).toEqual(DEFAULT_VIEW);
});
