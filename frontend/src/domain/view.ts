// What is looked at, as the URL says it; unknown values fall back to the default.
import type { Interval } from '../api/types';
import type { Zone } from './time';
import { ZONES } from './time';
import type { Column, Sort } from './watchlist';
import { COLUMNS } from './watchlist';

export const INTERVALS: readonly Interval[] = ['1m', '5m', '15m', '1h', '1d'];

export interface View {
  /** null: the first of the watchlist. */
  readonly symbol: string | null;
  readonly interval: Interval;
  readonly zone: Zone;
  readonly sort: Sort;
  readonly filter: string;
}

export const DEFAULT_VIEW: View = {
  symbol: null,
  interval: '1m',
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

export function readView(search: string): View {
  const query = new URLSearchParams(search);
  return {
    symbol: query.get('symbol'),
    interval: oneOf(INTERVALS, query.get('interval'), DEFAULT_VIEW.interval),
    zone: oneOf(ZONES, query.get('zone'), DEFAULT_VIEW.zone),
    sort: readSort(query.get('sort')),
    filter: query.get('q') ?? DEFAULT_VIEW.filter,
  };
}

function fields(view: View): [string, string][] {
  return [
    ['symbol', view.symbol ?? ''],
    ['interval', view.interval],
    ['zone', view.zone],
    ['sort', writeSort(view.sort)],
    ['q', view.filter],
  ];
}

/** The query string, with what differs from the default alone: short links. */
export function writeView(view: View): string {
  const usual = new Map(fields(DEFAULT_VIEW));
  const told = fields(view).filter(([name, value]) => value !== usual.get(name));
  return told.length === 0 ? '' : `?${new URLSearchParams(told).toString()}`;
}
