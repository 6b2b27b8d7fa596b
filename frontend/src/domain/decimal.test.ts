import { describe, expect, test } from 'vitest';
import { compare, group, highest, lowest, round, subtract } from './decimal';

describe('decimal strings', () => {
  test.each([
    ['189.25', '189.250', 0],
    ['9', '10', -1],
    ['-1', '-2', 1],
    ['0.1', '0.09', 1],
    // Equal as doubles: 2^53 and its successor.
    ['9007199254740993', '9007199254740992', 1],
  ])('compare %s with %s', (left, right, expected) => {
    expect(compare(left, right)).toBe(expected);
  });

  test.each([
    ['0.3', '0.1', '0.2'],
    ['189.25', '188.1', '1.15'],
    ['1', '1.005', '-0.005'],
    ['5', '5', '0'],
  ])('%s less %s', (left, right, expected) => {
    expect(subtract(left, right)).toBe(expected);
  });

  test.each([
    // 1.005 is below its half as a double, and would round down.
    ['1.005', 2, '1.01'],
    ['-1.005', 2, '-1.01'],
    ['5', 2, '5.00'],
    ['189.249999', 2, '189.25'],
    ['99.995', 2, '100.00'],
    ['0.4', 0, '0'],
    ['-0.001', 2, '0.00'],
  ])('%s rounded to %i places', (text, digits, expected) => {
    expect(round(text, digits)).toBe(expected);
  });

  test.each([
    ['97654.10', '97,654.10'],
    ['-1234567', '-1,234,567'],
    ['999', '999'],
    ['0.123456', '0.123456'],
  ])('%s in groups', (text, expected) => {
    expect(group(text)).toBe(expected);
  });

  test('the extremes keep the text of the price that they choose', () => {
    expect(highest('10', '9.50')).toBe('10');
    expect(lowest('10', '9.50')).toBe('9.50');
  });

  test('what is no decimal is refused by name', () => {
    expect(() => compare('1e3', '1')).toThrow('Price "1e3" is not a decimal');
  });
});
