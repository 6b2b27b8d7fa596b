// What the market and quality views ask the API; slow figures, asked for seldom.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Shown } from '../domain/view';
import { answer, client, within } from './client';

const SLOW_MS = 15_000;
const ROWS = 50;
/** Rows a minute and hop: an hour of six hops. */
const LATENCY_ROWS = 360;
const SESSIONS = 30;

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => answer(client.GET('/market/overview', { signal: within(signal) })),
  refetchInterval: SLOW_MS,
});

export const levelsQuery = queryOptions({
  queryKey: ['levels'],
  queryFn: async ({ signal }) => {
    const params = { query: { calendar: 'ALL', limit: SESSIONS } };
    return (await answer(client.GET('/quality/slo', { params, signal: within(signal) }))).items;
  },
  refetchInterval: SLOW_MS,
});

export const latencyQuery = queryOptions({
  queryKey: ['latency'],
  queryFn: async ({ signal }) => {
    const params = { query: { limit: LATENCY_ROWS } };
    return (await answer(client.GET('/quality/latency', { params, signal: within(signal) }))).items;
  },
  refetchInterval: SLOW_MS,
});

/** A long list comes page by page; asked again, all the pages that are in sight. */
const paged = {
  initialPageParam: '',
  getNextPageParam: ({ next_cursor }: { readonly next_cursor: string | null }) => next_cursor,
  refetchInterval: SLOW_MS,
};

const openOnly = (shown: Shown) => (shown === 'open' ? { state: 'open' as const } : {});

export const allGapsQuery = (shown: Shown) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: ['all gaps', shown],
    queryFn: ({ signal, pageParam: cursor }) => {
      const params = { query: { limit: ROWS, cursor, ...openOnly(shown) } };
      return answer(client.GET('/quality/gaps', { params, signal: within(signal) }));
    },
  });

export const quarantineQuery = (shown: Shown) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: ['quarantine', shown],
    queryFn: ({ signal, pageParam: cursor }) => {
      const params = { query: { limit: ROWS, cursor, ...openOnly(shown) } };
      return answer(client.GET('/quality/quarantine', { params, signal: within(signal) }));
    },
  });

export const restatementsQuery = infiniteQueryOptions({
  ...paged,
  queryKey: ['restatements'],
  queryFn: ({ signal, pageParam: cursor }) => {
    const params = { query: { limit: ROWS, cursor } };
    return answer(client.GET('/restatements', { params, signal: within(signal) }));
  },
});

/** Bars of one symbol that restatements changed. */
export const barChangesQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['bar changes', symbol],
    queryFn: async ({ signal }) => {
      const params = { path: { symbol }, query: { limit: 500 } };
      return (await answer(client.GET('/stocks/{symbol}/restatements', { params, signal: within(signal) }))).items;
    },
    refetchInterval: SLOW_MS,
  });

export const actionsQuery = (symbol: string) =>
  queryOptions({
    queryKey: ['actions', symbol],
    queryFn: async ({ signal }) => {
      const params = { path: { symbol } };
      return (await answer(client.GET('/stocks/{symbol}/actions', { params, signal: within(signal) }))).items;
    },
    staleTime: 600_000,
  });
