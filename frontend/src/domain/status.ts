// The platform's state in words that an investor understands.
import type { CalendarStatus, FeedStatus } from '../api/types';
import type { Zone } from './time';
import { show } from './time';

/** `polling`: the API has no stream, and prices are asked for. */
export type Link = 'connecting' | 'open' | 'reconnecting' | 'polling';
/** How often the watchlist is asked for, with or without a stream. */
export const POLL_MS = 10_000;
export type Tone = 'good' | 'warning' | 'bad' | 'idle';

interface Words {
  readonly text: string;
  readonly tone: Tone;
}

const KINDS: Record<string, string> = { simulator: 'simulated', tape: 'tape', yahoo: 'live (Yahoo)' };

const kindWords = (kind: string): string => KINDS[kind] ?? kind;

function stateWords(feed: FeedStatus, zone: Zone): Words {
  switch (feed.state) {
    case 'running':
      return { text: '', tone: 'good' };
    case 'stale':
      return { text: feed.stale_since ? `stale since ${show(feed.stale_since, 'seconds', zone)}` : 'stale', tone: 'warning' };
    case 'ended':
      return { text: 'ended', tone: 'idle' };
    case 'closed':
      return { text: 'sleeps until its markets open', tone: 'idle' };
    case 'stopped':
      return { text: 'stopped', tone: 'bad' };
  }
}

function linkWords(link: Link): Words | null {
  switch (link) {
    case 'open':
    case 'polling':
      return null;
    case 'connecting':
      return { text: 'connecting…', tone: 'idle' };
    case 'reconnecting':
      return { text: 'reconnecting…', tone: 'bad' };
  }
}

/** Kind and state of the feed; a lost line to the API outranks what the feed last said. */
export function feedWords(feed: FeedStatus | undefined, link: Link, zone: Zone): Words {
  const state = linkWords(link) ?? (feed ? stateWords(feed, zone) : { text: 'waiting for its state…', tone: 'idle' as const });
  const kind = feed ? kindWords(feed.kind) : '';
  const pace = link === 'polling' ? `polling every ${POLL_MS / 1000} s` : '';
  return { text: [kind, state.text, pace].filter(Boolean).join(' · '), tone: state.tone };
}

const CALENDARS: Record<string, string> = { XNYS: 'New York', XNAS: 'Nasdaq', XLON: 'London', '24/7': '24/7' };
const DAY_MS = 86_400_000;

function nextWords(verb: string, instant: string | null, now: number, zone: Zone): string {
  if (!instant) return '';
  const isSoon = Date.parse(instant) - now < DAY_MS;
  return `, ${verb} ${show(instant, isSoon ? 'time' : 'weekday', zone)}`;
}

/** It opens again at the instant of its close, as a 24/7 market does at midnight. */
const neverCloses = (status: CalendarStatus): boolean => status.ts_next_open !== null && status.ts_next_close === status.ts_next_open;

const closing = (status: CalendarStatus): string | null => (neverCloses(status) ? null : status.ts_next_close);

/** Those that say something: a market that never closes does so only where it is the only one. */
export function tellingCalendars(calendars: readonly CalendarStatus[]): readonly CalendarStatus[] {
  const telling = calendars.filter((calendar) => !neverCloses(calendar));
  return telling.length > 0 ? telling : calendars;
}

/** One exchange now: "New York open, closes 16:00". `now` is the platform's clock. */
export function marketWords(status: CalendarStatus, now: number, zone: Zone): Words {
  const name = CALENDARS[status.calendar] ?? status.calendar;
  switch (status.state) {
    case 'open':
      return { text: `${name} open${nextWords('closes', closing(status), now, zone)}`, tone: 'good' };
    case 'pre':
      return { text: `${name} pre-market${nextWords('opens', status.ts_next_open, now, zone)}`, tone: 'warning' };
    case 'post':
      return { text: `${name} after hours${nextWords('opens', status.ts_next_open, now, zone)}`, tone: 'warning' };
    case 'closed':
      return { text: `${name} closed${nextWords('opens', status.ts_next_open, now, zone)}`, tone: 'idle' };
  }
}
