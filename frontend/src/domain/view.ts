// What is looked at, as the URL says it; unknown values fall back to the default.
import type { Interval } from '../api/types';
import type { Zone } from './time';
import { ZONES } from './time';
import type { Column, Sort } from './watchlist';
import { COLUMNS } from './watchlist';

export const INTERVALS: readonly Interval[] = ['1m', '5m', '15m', '1h', '1d'];

export type Page = 'symbol' | 'market' | 'quality';
export const PAGES: readonly Page[] = ['symbol', 'market', 'quality'];

/** Lines over the bars: the session's VWAP, moving averages of closes. */
export type Line = 'vwap' | 'sma20' | 'sma50';
export const LINES: readonly Line[] = ['vwap', 'sma20', 'sma50'];

export type Shown = 'all' | 'open';
const SHOWN: readonly Shown[] = ['all', 'open'];

export interface View {
  readonly page: Page;
  /** null: the first of the watchlist. */
  readonly symbol: string | null;
  readonly interval: Interval;
  /** Start of the bar that is looked into, as RFC 3339 in UTC; null: none. */
  readonly bar: string | null;
  readonly lines: readonly Line[];
  /** Lists of the quality view: only what waits, or all. */
  readonly shown: Shown;
  readonly zone: Zone;
  readonly sort: Sort;
  readonly filter: string;
}

export const DEFAULT_VIEW: View = {
  page: 'symbol',
  symbol: null,
  interval: '1m',
  bar: null,
  lines: ['vwap', 'sma20'],
  shown: 'all',
  zone: 'exchange',
  sort: { column: 'symbol', isDescending: false },
  filter: '',
};

function oneOf<T extends string>(choices: readonly T[], value: string | null, fallback: T): T {
  return choices.find((choice) => choice === value) ?? fallback;
}

function readSort(value: string | null): Sort {
  const column = oneOf<Column>(COLUMNS, value?.replace('-', '') ?? null, DEFAULT_VIEW.sort.column);
  return { column, isDescending: value === `-${column}` };
}

const writeSort = ({ column, isDescending }: Sort): string => (isDescending ? `-${column}` : column);

/** An instant without its milliseconds, which no bar has: 2026-11-20T14:30:00Z. */
export const instantText = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000Z', 'Z');

function readInstant(value: string | null): string | null {
  const milliseconds = Date.parse(value ?? '');
  return Number.isNaN(milliseconds) ? null : instantText(milliseconds);
}

function readLines(value: string | null): readonly Line[] {
  if (value === null) return DEFAULT_VIEW.lines;
  const told = value.split(',');
  return LINES.filter((line) => told.includes(line));
}

export function readView(search: string): View {
  const query = new URLSearchParams(search);
  return {
    page: oneOf(PAGES, query.get('page'), DEFAULT_VIEW.page),
    symbol: query.get('symbol'),
    interval: oneOf(INTERVALS, query.get('interval'), DEFAULT_VIEW.interval),
    bar: readInstant(query.get('bar')),
    lines: readLines(query.get('lines')),
    shown: oneOf(SHOWN, query.get('shown'), DEFAULT_VIEW.shown),
    zone: oneOf(ZONES, query.get('zone'), DEFAULT_VIEW.zone),
    sort: readSort(query.get('sort')),
    filter: query.get('q') ?? DEFAULT_VIEW.filter,
  };
}

function fields(view: View): [string, string][] {
  return [
    ['page', view.page],
    ['symbol', view.symbol ?? ''],
    ['interval', view.interval],
    ['bar', view.bar ?? ''],
    ['lines', view.lines.join(',')],
    ['shown', view.shown],
    ['zone', view.zone],
    ['sort', writeSort(view.sort)],
    ['q', view.filter],
  ];
}

/** The query string, with what differs from the default alone: short links. */
export function writeView(view: View): string {
  const usual = new Map(fields(DEFAULT_VIEW));
  const told = fields(view).filter(([name, value]) => value !== usual.get(name));
  return told.length === 0 ? '' : `?${new URLSearchParams(told).toString().replaceAll('%3A', ':').replaceAll('%2C', ',')}`;
}

/** The view after a step: a bar belongs to its symbol and interval, and is left with them. */
export function moved(view: View, patch: Partial<View>): View {
  const next = { ...view, ...patch };
  const isOther = next.symbol !== view.symbol || next.interval !== view.interval;
  return isOther && patch.bar === undefined ? { ...next, bar: null } : next;
}

/** Whether the way back should lead to what was before: another page, symbol or bar, not another sort. */
export function isStep(before: View, after: View): boolean {
  return before.page !== after.page || before.symbol !== after.symbol || (before.bar === null) !== (after.bar === null);
}
