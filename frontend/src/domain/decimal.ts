// Prices as decimal strings: compare, subtract, round and group them exactly. Not here: drawing, the only user of floats.

interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const PATTERN = /^(-?)(\d+)(?:\.(\d+))?$/;

function parse(text: string): Decimal {
  const match = PATTERN.exec(text);
  if (!match) throw new RangeError(`Price "${text}" is not a decimal; expected digits with one point, as 189.25.`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  return { units: BigInt(sign + whole + fraction), scale: fraction.length };
}

function unitsAt(value: Decimal, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale);
}

function write(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const sign = units < 0n ? '-' : '';
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
}

/** -1, 0 or 1, as sorting wants it. */
export function compare(left: string, right: string): number {
  const [a, b] = [parse(left), parse(right)];
  const scale = Math.max(a.scale, b.scale);
  const difference = unitsAt(a, scale) - unitsAt(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function subtract(left: string, right: string): string {
  const [a, b] = [parse(left), parse(right)];
  const scale = Math.max(a.scale, b.scale);
  return write(unitsAt(a, scale) - unitsAt(b, scale), scale);
}

/** Rounded to `digits` places, half away from zero, zeros kept: 1.005 → 1.01, 5 → 5.00. */
export function round(text: string, digits: number): string {
  const value = parse(text);
  if (value.scale <= digits) return write(unitsAt(value, digits), digits);
  const step = 10n ** BigInt(value.scale - digits);
  const size = value.units < 0n ? -value.units : value.units;
  const rounded = (size + step / 2n) / step;
  return write(value.units < 0n ? -rounded : rounded, digits);
}

/** Thousands apart: 97654.10 → 97,654.10. */
export function group(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export const highest = (left: string, right: string): string => (compare(left, right) >= 0 ? left : right);
export const lowest = (left: string, right: string): string => (compare(left, right) <= 0 ? left : right);
