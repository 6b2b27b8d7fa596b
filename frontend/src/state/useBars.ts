// The bars on the chart: the newest, or, where the address names an older one, those around it.
import { useQuery } from '@tanstack/react-query';
import { BAR_COUNT } from '../api/client';
import { barsAroundQuery, barsQuery } from '../api/queries';
import type { BarPage } from '../api/types';
import { indexFrom, indexOf } from '../domain/bars';
import type { View } from '../domain/view';

export interface Bars {
  readonly page: BarPage | undefined;
  /** The bars end in the past. */
  readonly isPast: boolean;
  /** The session of the first bar may have begun before it. */
  readonly isCut: boolean;
  /** Place of the bar that the address names; null where it is not among the bars. */
  readonly index: number | null;
  /** What to bring in sight for it: the bar, or the first behind it. */
  readonly place: number | null;
  readonly error: Error | null;
  readonly retry: () => void;
}

function isBefore(bar: string, page: BarPage | undefined): boolean {
  const first = page?.items[0];
  return first !== undefined && Date.parse(bar) < Date.parse(first.ts_start);
}

export function useBars(symbol: string, { interval, bar }: View): Bars {
  const newest = useQuery(barsQuery(symbol, interval));
  const isPast = bar !== null && isBefore(bar, newest.data);
  const around = useQuery({ ...barsAroundQuery(symbol, interval, bar ?? ''), enabled: isPast });
  const { data: page, error, refetch } = isPast ? around : newest;
  return {
    page,
    isPast,
    isCut: page !== undefined && page.items.length >= BAR_COUNT,
    index: bar !== null && page ? indexOf(page.items, Date.parse(bar)) : null,
    place: bar !== null && page ? Math.min(page.items.length - 1, indexFrom(page.items, Date.parse(bar))) : null,
    error,
    retry: () => void refetch(),
  };
}
