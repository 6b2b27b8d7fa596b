// The market at a glance: sectors of live changes, and how strongly a change is coloured.
import type { Quote, SymbolChange } from '../api/types';

type Quotes = Readonly<Record<string, Quote>>;

export interface Tile {
  readonly symbol: string;
  readonly name: string;
  readonly price: string | null;
  readonly change: string | null;
}

export interface Sector {
  readonly name: string;
  readonly tiles: readonly Tile[];
  /** Plain mean of the changes, percent; null where there is none. */
  readonly mean: number | null;
}

function tile({ symbol, name, price, change_pct }: SymbolChange, quotes: Quotes): Tile {
  const live = quotes[symbol];
  return { symbol, name, price: live?.price ?? price, change: live ? live.change_pct : change_pct };
}

function mean(tiles: readonly Tile[]): number | null {
  const known = tiles.flatMap(({ change }) => (change === null ? [] : [Number(change)]));
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
}

/** Largest sectors first, then by name; the order does not depend on prices, so that nothing moves. */
export function sectors(changes: readonly SymbolChange[], quotes: Quotes): Sector[] {
  const names = [...new Set(changes.map(({ sector }) => sector))];
  const made = names.map((name) => {
    const tiles = changes.filter(({ sector }) => sector === name).map((change) => tile(change, quotes));
    return { name, tiles, mean: mean(tiles) };
  });
  return made.sort((left, right) => right.tiles.length - left.tiles.length || (left.name < right.name ? -1 : 1));
}

/** Percent at which the colour is full. */
export const FULL_PCT = 2;

/** Strength of a change's colour, 0 to 1: the square root lets small changes be told apart. */
export function strength(change: number | null): number {
  return change === null ? 0 : Math.sqrt(Math.min(1, Math.abs(change) / FULL_PCT));
}
