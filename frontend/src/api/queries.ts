// What the page asks the API, how often, and where the stream's news lands in the same cache.
import type { QueryClient } from '@tanstack/react-query';
import { queryOptions, skipToken } from '@tanstack/react-query';
import { withQuote } from '../domain/bars';
import type { Link } from '../domain/status';
import { newer } from '../domain/watchlist';
import { fetchBars, fetchMarketStatus, fetchStocks } from './client';
import type { BarPage, Interval, Quote } from './types';

export type Quotes = Readonly<Record<string, Quote>>;

const AFTER_ERROR_MS = 3_000;

const every = (milliseconds: number) => (query: { readonly state: { readonly status: string } }) =>
  query.state.status === 'error' ? AFTER_ERROR_MS : milliseconds;

/** The watchlist: sparklines and names, and the order of the rows between two answers. */
export const stocksQuery = queryOptions({
  queryKey: ['stocks'],
  queryFn: ({ signal }) => fetchStocks(signal),
  refetchInterval: every(10_000),
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
