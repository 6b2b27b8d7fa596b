// The line to GET /stream: one EventSource at a time, replaced when it breaks or falls silent.
// At most once: what happened while the line was down is fetched by the queries, not by the stream.
// Where the API has no stream, as behind Lambda, the queries fetch all, and nothing is tried again.
import type { Link } from '../domain/status';
import { newer } from '../domain/watchlist';
import { API_URL } from './client';
import type { Quote } from './types';

/** Three heartbeats of the API. */
const SILENCE_MS = 15_000;
const DELAY_FIRST_MS = 500;
const DELAY_LAST_MS = 10_000;
const PROBE_MS = 10_000;
/** What a server answers that knows no stream: not found, not allowed, not implemented. */
const WITHOUT_STREAM = [404, 405, 501];

export interface Listener {
  /** At most once per frame, with the newest quote of each symbol that moved. */
  readonly onQuotes: (batch: ReadonlyMap<string, Quote>) => void;
  readonly onLink: (link: Link) => void;
}

/** Doubling, capped, with jitter, so that many pages do not return at the same moment. */
export function delayBefore(attempt: number, random: number): number {
  return Math.min(DELAY_LAST_MS, DELAY_FIRST_MS * 2 ** attempt) * (0.5 + random / 2);
}

/** An EventSource does not tell the status of what refused it: a request of its own does. */
async function isWithoutStream(): Promise<boolean> {
  const probe = new AbortController();
  const signal = AbortSignal.any([probe.signal, AbortSignal.timeout(PROBE_MS)]);
  try {
    return WITHOUT_STREAM.includes((await fetch(`${API_URL}/stream`, { signal })).status);
  } catch {
    return false;
  } finally {
    probe.abort();
  }
}

/** Keeps the line open until the returned function is called. */
export function openStream({ onQuotes, onLink }: Listener): () => void {
  const waiting = new Map<string, Quote>();
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  let attempt = 0;
  let isOver = false;

  const flush = () => {
    frame = 0;
    onQuotes(new Map(waiting));
    waiting.clear();
  };
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(replace, SILENCE_MS);
  };
  const receive = (event: MessageEvent<string>) => {
    heard();
    const quote = JSON.parse(event.data) as Quote;
    waiting.set(quote.symbol, newer(quote, waiting.get(quote.symbol)) ?? quote);
    frame ||= requestAnimationFrame(flush);
  };
  const opened = () => {
    attempt = 0;
    heard();
    onLink('open');
  };
  function connect() {
    source = new EventSource(`${API_URL}/stream`);
    source.addEventListener('open', opened);
    source.addEventListener('quote', receive);
    source.addEventListener('heartbeat', heard);
    source.addEventListener('error', broken);
    heard();
  }
  function close() {
    source?.close();
    clearTimeout(retry);
    clearTimeout(watchdog);
  }
  function broken() {
    // A lost line leaves it connecting; it is closed by an answer that is no stream.
    if (source?.readyState === EventSource.CLOSED) void refused();
    else replace();
  }
  async function refused() {
    close();
    const isForGood = await isWithoutStream();
    if (isOver) return;
    if (isForGood) onLink('polling');
    else replace();
  }
  function replace() {
    close();
    onLink('reconnecting');
    retry = setTimeout(connect, delayBefore(attempt++, Math.random()));
  }

  connect();
  return () => {
    isOver = true;
    close();
    cancelAnimationFrame(frame);
  };
}
