// Numbers as people read them. A missing value is a dash, never a zero.
import { compare, group, round, subtract } from './decimal';

export const NONE = '–';
const MINUS = '−';

type Direction = 'up' | 'down' | 'flat';

/** Places to show: cents for shares, more for currency pairs and for prices below one. */
export function priceDigits(symbol: string, price: string): number {
  if (symbol.endsWith('=X')) return 5;
  return compare(price.replace('-', ''), '1') < 0 ? 5 : 2;
}

export function price(value: string | null, digits: number): string {
  return value === null ? NONE : group(round(value, digits)).replace('-', MINUS);
}

export function signed(value: string | null, digits: number): string {
  if (value === null) return NONE;
  const rounded = round(value, digits);
  return (compare(rounded, '0') > 0 ? '+' : '') + price(rounded, digits);
}

export function percent(value: string | null): string {
  return value === null ? NONE : `${signed(value, 2)} %`;
}

export function change(last: string, previousClose: string | null): string | null {
  return previousClose === null ? null : subtract(last, previousClose);
}

export function direction(value: string | null): Direction {
  if (value === null) return 'flat';
  const sign = compare(value, '0');
  return sign > 0 ? 'up' : sign < 0 ? 'down' : 'flat';
}

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 950 → 950, 12345678 → 12.3M. */
export function volume(value: number | null): string {
  if (value === null) return NONE;
  return value < 1000 ? WHOLE.format(value) : COMPACT.format(value);
}

export const count = (value: number): string => WHOLE.format(value);

const STEPS = [
  { below: 60, size: 1, unit: 's' },
  { below: 3600, size: 60, unit: 'min' },
  { below: 86_400, size: 3600, unit: 'h' },
  { below: Infinity, size: 86_400, unit: 'd' },
] as const;

function inOneUnit(seconds: number, digits: number): string {
  const step = STEPS.find(({ below }) => seconds < below) ?? STEPS[3];
  const scale = 10 ** digits;
  return `${(Math.floor((seconds / step.size) * scale) / scale).toFixed(digits)} ${step.unit}`;
}

/** A length of time in one unit: 0.4 s, 12 s, 3 min, 2 h, 4 d. */
export const duration = (seconds: number): string => inOneUnit(seconds, seconds < 10 ? 1 : 0);

/** The age of something, read at a glance: now, 4 s, 3 min. */
export const age = (seconds: number): string => (seconds < 1 ? 'now' : inOneUnit(seconds, 0));
