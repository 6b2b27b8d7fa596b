// What the page asks the API, how often, and where the stream's news lands in the same cache.
import type { QueryClient } from '@tanstack/react-query';
import { queryOptions, skipToken } from '@tanstack/react-query';
import { withQuote } from '../domain/bars';
import type { Link } from '../domain/status';
import { POLL_MS } from '../domain/status';
import { instantText } from '../domain/view';
import { newer } from '../domain/watchlist';
import { fetchBars, fetchGaps, fetchMarketStatus, fetchPassport, fetchStocks } from './client';
import type { BarPage, Interval, Quote } from './types';

export type Quotes = Readonly<Record<string, Quote>>;

const AFTER_ERROR_MS = 3_000;

const every = (milliseconds: number) => (query: { readonly state: { readonly status: string } }) =>
  query.state.status === 'error' ? AFTER_ERROR_MS : milliseconds;

/** The watchlist: sparklines and names, and the order of the rows between two answers. */
export const stocksQuery = queryOptions({
  queryKey: ['stocks'],
  queryFn: ({ signal }) => fetchStocks(signal),
  refetchInterval: every(POLL_MS),
});

export const marketQuery = queryOptions({
  queryKey: ['market'],
  queryFn: ({ signal }) => fetchMarketStatus(signal),
  refetchInterval: 2_000,
});

/** Filled by the stream alone. */
export const quotesQuery = queryOptions<Quotes>({
  queryKey: ['quotes'],
  queryFn: skipToken,
  staleTime: Infinity,
});

export const linkQuery = queryOptions<Link>({
  queryKey: ['link'],
  queryFn: skipToken,
  staleTime: Infinity,
});

const isLive = (client: QueryClient): boolean => client.getQueryData(linkQuery.queryKey) === 'open';

export function barsQuery(symbol: string, interval: Interval) {
  return queryOptions({
    queryKey: ['bars', symbol, interval],
    queryFn: async ({ client, signal }): Promise<BarPage> => {
      const page = await fetchBars(symbol, interval, signal);
      const quote = isLive(client) ? client.getQueryData(quotesQuery.queryKey)?.[symbol] : undefined;
      return quote ? withQuote(page, quote) : page;
    },
    refetchInterval: 5_000,
  });
}

const LENGTH_MS: Record<Interval, number> = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '1d': 86_400_000 };
const BARS_AFTER = 60;

/** Bars that end some way after a bar of the past. Certified history changes seldom, and the stream does not touch it. */
export function barsAroundQuery(symbol: string, interval: Interval, bar: string) {
  const end = bar && instantText(Date.parse(bar) + BARS_AFTER * LENGTH_MS[interval]);
  return queryOptions({
    queryKey: ['bars around', symbol, interval, end],
    queryFn: ({ signal }) => fetchBars(symbol, interval, signal, { end }),
    staleTime: 60_000,
  });
}

/** The minutes of a longer bar. */
export function minutesQuery(symbol: string, start: string, end: string) {
  return queryOptions({
    queryKey: ['minutes', symbol, start, end],
    queryFn: ({ signal }) => fetchBars(symbol, '1m', signal, { start, end }),
    refetchInterval: 30_000,
  });
}

/** `revision` makes a bar that was accepted anew a new question. */
export function passportQuery(symbol: string, start: string, revision: number | null) {
  return queryOptions({
    queryKey: ['passport', symbol, start, revision],
    queryFn: ({ signal }) => fetchPassport(symbol, start, signal),
    staleTime: 30_000,
  });
}

export function gapsQuery(symbol: string) {
  return queryOptions({
    queryKey: ['gaps', symbol],
    queryFn: ({ signal }) => fetchGaps(symbol, signal),
    refetchInterval: every(15_000),
  });
}

/** A batch of the stream, the newest quote of each symbol, into table and charts. */
export function receiveQuotes(client: QueryClient, batch: ReadonlyMap<string, Quote>): void {
  const known = client.getQueryData(quotesQuery.queryKey) ?? {};
  const fresh = [...batch].filter(([symbol, quote]) => newer(quote, known[symbol]) === quote);
  client.setQueryData(quotesQuery.queryKey, { ...known, ...Object.fromEntries(fresh) });
  const moved = new Map(fresh);
  for (const [[, symbol], page] of client.getQueriesData<BarPage>({ queryKey: ['bars'], type: 'active' })) {
    const quote = moved.get(symbol as string);
    if (page && quote) client.setQueryData<BarPage>(['bars', symbol, page.interval], withQuote(page, quote));
  }
}

export function receiveLink(client: QueryClient, link: Link): void {
  const before = client.getQueryData(linkQuery.queryKey);
  client.setQueryData(linkQuery.queryKey, link);
  if (before === 'reconnecting' && link === 'open') void client.invalidateQueries();
}
