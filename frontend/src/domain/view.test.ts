import { describe, expect, test } from 'vitest';
import { DEFAULT_VIEW, isStep, moved, readView, writeView } from './view';

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

test('a link of a dashboard leads to its bar', () => {
  const search = '?symbol=SPY&interval=5m&bar=2026-11-20T14:30:00Z';
  expect(readView(search)).toEqual({ ...DEFAULT_VIEW, symbol: 'SPY', interval: '5m', bar: '2026-11-20T14:30:00Z' });
  expect(writeView(readView(search))).toBe(search);
  expect(readView('?bar=2026-11-20T09:30:00-05:00').bar).toBe('2026-11-20T14:30:00Z');
  expect(readView('?bar=yesterday').bar).toBeNull();
});

test.each([
  ['', ['vwap', 'sma20']],
  ['?lines=', []],
  ['?lines=sma50,vwap,ema9', ['vwap', 'sma50']],
])('lines of "%s" are %j', (search, expected) => {
  expect(readView(search).lines).toEqual(expected);
});

describe('a step', () => {
  const at = { ...DEFAULT_VIEW, symbol: 'SPY', bar: '2026-11-20T14:30:00Z' };
  test.each([
    ['another symbol leaves the bar', { symbol: 'AAPL' }, null, true],
    ['another interval leaves the bar', { interval: '5m' }, null, true],
    ['another zone keeps it', { zone: 'utc' }, at.bar, false],
    ['the next bar is no step back', { bar: '2026-11-20T14:31:00Z' }, '2026-11-20T14:31:00Z', false],
    ['another page keeps it', { page: 'quality' }, at.bar, true],
  ] as const)('%s', (_, patch, bar, expected) => {
    const after = moved(at, patch);
    expect(after.bar).toBe(bar);
    expect(isStep(at, after)).toBe(expected);
  });
});
