import { describe, expect, test } from 'vitest';
import * as format from './format';

describe('numbers for people', () => {
  test.each([
    ['AAPL', '189.25', 2],
    ['DOGE-USD', '0.3921', 5],
    ['EURUSD=X', '1.0853', 5],
  ])('%s at %s shows %i places', (symbol, price, expected) => {
    expect(format.priceDigits(symbol, price)).toBe(expected);
  });

  test.each([
    ['1.15', '+1.15'],
    ['-1234.5', '−1,234.50'],
    ['0', '0.00'],
    ['-0.004', '0.00'],
    [null, '–'],
  ])('the change %s', (value, expected) => {
    expect(format.signed(value, 2)).toBe(expected);
  });

  test('a change needs a previous close', () => {
    expect(format.change('189.25', '188.1')).toBe('1.15');
    expect(format.change('189.25', null)).toBeNull();
    expect(format.percent(null)).toBe('–');
  });

  test.each([
    [null, '–'],
    [0, '0'],
    [950, '950'],
    [12_345_678, '12.3M'],
    [1_200_000_000, '1.2B'],
  ])('the volume %s', (value, expected) => {
    expect(format.volume(value)).toBe(expected);
  });

  test.each([
    [0.44, '0.4 s'],
    [12.7, '12 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [7200, '2 h'],
    [200_000, '2 d'],
  ])('%d seconds long', (seconds, expected) => {
    expect(format.duration(seconds)).toBe(expected);
  });

  test.each([
    [0.9, 'now'],
    [4.9, '4 s'],
    [61, '1 min'],
  ])('%d seconds old', (seconds, expected) => {
    expect(format.age(seconds)).toBe(expected);
  });
});
