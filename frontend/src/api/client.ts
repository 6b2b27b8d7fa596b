// The one door to the API. Every request has a time limit; every failure is a sentence.
import createClient from 'openapi-fetch';
import type { paths } from './schema';
import type { BarPage, Gap, Interval, MarketStatus, Passport, Problem, Stock } from './types';

/** Empty: the page's own origin, which the local server proxies to the API. */
export const API_URL: string = (import.meta.env.VITE_API_URL as string | undefined) ?? '';
const TIMEOUT_MS = 10_000;
const PAGE_SIZE = 100;
/** Bars of one answer: a session's minutes and some of the one before. */
export const BAR_COUNT = 500;
const GAP_COUNT = 500;

export class ApiProblem extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
  ) {
    super(`${title}: ${detail}`);
  }
}

/** Instants, RFC 3339 in UTC: start inclusive, end exclusive. */
interface Span {
  readonly start?: string;
  readonly end?: string;
}

export const client = createClient<paths>({ baseUrl: API_URL });

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'title' in error && 'detail' in error && typeof error.detail === 'string';
}

function failed(error: unknown, response: Response): ApiProblem {
  if (isProblem(error)) return new ApiProblem(error.title, error.detail);
  return new ApiProblem('The API does not answer', `HTTP ${response.status} from ${new URL(response.url).pathname}; trying again.`);
}

function reached(error: unknown): never {
  if (error instanceof DOMException && error.name === 'AbortError') throw error;
  throw new ApiProblem('The API does not answer', 'It cannot be reached at the moment; trying again.');
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

export async function answer<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request.catch(reached);
  if (data === undefined) throw failed(error, response);
  return data;
}

export const within = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);

/** The whole watchlist, page by page. */
export async function fetchStocks(signal: AbortSignal): Promise<Stock[]> {
  const stocks: Stock[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
    const page: { items: Stock[]; next_cursor: string | null } = await answer(
      client.GET('/stocks', { params: { query }, signal: within(signal) }),
    );
    stocks.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return stocks;
}

/** Bars of [start, end) where given, else the newest. */
export function fetchBars(symbol: string, interval: Interval, signal: AbortSignal, span: Span = {}): Promise<BarPage> {
  const params = { path: { symbol }, query: { interval, limit: BAR_COUNT, ...span } };
  return answer(client.GET('/stocks/{symbol}/bars', { params, signal: within(signal) }));
}

export function fetchPassport(symbol: string, ts_start: string, signal: AbortSignal): Promise<Passport> {
  const params = { path: { symbol, ts_start } };
  return answer(client.GET('/stocks/{symbol}/bars/{ts_start}/passport', { params, signal: within(signal) }));
}

export async function fetchGaps(symbol: string, signal: AbortSignal): Promise<Gap[]> {
  const params = { path: { symbol }, query: { limit: GAP_COUNT } };
  return (await answer(client.GET('/stocks/{symbol}/gaps', { params, signal: within(signal) }))).items;
}

export function fetchMarketStatus(signal: AbortSignal): Promise<MarketStatus> {
  return answer(client.GET('/market/status', { signal: within(signal) }));
}
