// Which stocks the table shows, in which order.
import type { Quote, Stock } from '../api/types';
import { compare } from './decimal';

export type Column = 'symbol' | 'price' | 'change' | 'volume' | 'age';
export const COLUMNS: readonly Column[] = ['symbol', 'price', 'change', 'volume', 'age'];

export interface Sort {
  readonly column: Column;
  readonly isDescending: boolean;
}

function byNovelty(left: Quote, right: Quote): number {
  return (
    Date.parse(left.ts_event) - Date.parse(right.ts_event) ||
    (left.day_volume ?? -1) - (right.day_volume ?? -1) ||
    compare(left.price, right.price)
  );
}

/** The newer by (ts_event, day_volume, price), as everywhere in the platform: quotes may arrive in any order. */
export function newer(left: Quote | null | undefined, right: Quote | null | undefined): Quote | null {
  if (!left || !right) return left ?? right ?? null;
  return byNovelty(left, right) >= 0 ? left : right;
}

function matches(stock: Stock, text: string): boolean {
  return `${stock.symbol} ${stock.name} ${stock.sector}`.toLowerCase().includes(text.trim().toLowerCase());
}

function byColumn(column: Column, left: Quote, right: Quote): number {
  switch (column) {
    case 'symbol':
      return 0;
    case 'price':
      return compare(left.price, right.price);
    case 'change':
      return compare(left.change_pct ?? '0', right.change_pct ?? '0');
    case 'volume':
      return (left.day_volume ?? 0) - (right.day_volume ?? 0);
    case 'age':
      return Date.parse(right.ts_event) - Date.parse(left.ts_event);
  }
}

function bySymbol(left: Stock, right: Stock): number {
  return left.symbol < right.symbol ? -1 : left.symbol > right.symbol ? 1 : 0;
}

function order(left: Stock, right: Stock, sort: Sort): number {
  const sign = sort.isDescending ? -1 : 1;
  if (sort.column === 'symbol') return sign * bySymbol(left, right);
  if (!left.quote || !right.quote) return Number(!left.quote) - Number(!right.quote);
  return sign * byColumn(sort.column, left.quote, right.quote) || bySymbol(left, right);
}

/** The rows to show; stocks without a quote come last, equal ones by symbol. */
export function rank(stocks: readonly Stock[], sort: Sort, filter: string): Stock[] {
  return stocks.filter((stock) => matches(stock, filter)).sort((left, right) => order(left, right, sort));
}

/** The reader's own list: those that were not taken off it, and those that were. */
export function divided(stocks: readonly Stock[], removed: ReadonlySet<string>): { kept: Stock[]; off: Stock[] } {
  const isOff = (stock: Stock) => removed.has(stock.symbol);
  return { kept: stocks.filter((stock) => !isOff(stock)), off: stocks.filter(isOff) };
}

/** The sort after a click on a column's head: names rise at first, numbers fall. */
export function toggled(sort: Sort, column: Column): Sort {
  const isDescending = sort.column === column ? !sort.isDescending : column !== 'symbol' && column !== 'age';
  return { column, isDescending };
}
