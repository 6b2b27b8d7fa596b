// What differs between two versions of a bar.
import type { BarVersion } from '../api/types';
import { compare } from './decimal';
import * as format from './format';

const PRICES = ['open', 'high', 'low', 'close', 'vwap'] as const;
const COUNTS = ['volume', 'tick_count'] as const;

export type Figures = Pick<BarVersion, (typeof PRICES)[number] | (typeof COUNTS)[number]>;

export interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const NAMES: Record<keyof Figures, string> = {
  open: 'Open', high: 'High', low: 'Low', close: 'Close', vwap: 'VWAP', volume: 'Volume', tick_count: 'Ticks',
};

function isSame(before: string | null, after: string | null): boolean {
  return before === null || after === null ? before === after : compare(before, after) === 0;
}

const counted = (value: number | null): string => (value === null ? format.NONE : format.count(value));

/** Every figure that changed, prices first. */
export function changes(before: Figures, after: Figures, digits: number): Change[] {
  const prices = PRICES.filter((name) => !isSame(before[name], after[name])).map((name) => ({
    name: NAMES[name],
    before: format.price(before[name], digits),
    after: format.price(after[name], digits),
  }));
  const counts = COUNTS.filter((name) => before[name] !== after[name]).map((name) => ({
    name: NAMES[name],
    before: counted(before[name]),
    after: counted(after[name]),
  }));
  return [...prices, ...counts];
}
