import { describe, expect, test } from 'vitest';
import type { CalendarStatus, FeedStatus } from '../api/types';
import { feedWords, marketWords, tellingCalendars } from './status';

const FEED: FeedStatus = {
  kind: 'simulator',
  state: 'running',
  line: 'main',
  ts_event_last: null,
  ts_heartbeat: null,
  stale_since: null,
};
const NYSE: CalendarStatus = {
  calendar: 'XNYS',
  state: 'closed',
  session_date: null,
  ts_next_open: '2026-11-23T14:30:00Z',
  ts_next_close: '2026-11-23T21:00:00Z',
};
// Sunday, 14:00 in New York.
const SUNDAY = Date.parse('2026-11-22T19:00:00Z');

describe('the feed in words', () => {
  test.each([
    [{}, 'simulated', 'good'],
    [{ kind: 'tape' }, 'tape', 'good'],
    [{ kind: 'yahoo' }, 'live (Yahoo)', 'good'],
    [{ kind: 'yahoo', state: 'stale', stale_since: '2026-11-20T19:03:10Z' }, 'live (Yahoo) · stale since 14:03:10', 'warning'],
    [{ kind: 'tape', state: 'ended' }, 'tape · ended', 'idle'],
    [{ kind: 'yahoo', state: 'closed' }, 'live (Yahoo) · sleeps until its markets open', 'idle'],
    [{ state: 'stopped' }, 'simulated · stopped', 'bad'],
  ] as const)('%o', (change, text, tone) => {
    expect(feedWords({ ...FEED, ...change }, 'open', 'exchange')).toEqual({ text, tone });
  });

  test('a lost line to the API outranks the last known state', () => {
    expect(feedWords(FEED, 'reconnecting', 'utc')).toEqual({ text: 'simulated · reconnecting…', tone: 'bad' });
    expect(feedWords(undefined, 'connecting', 'utc')).toEqual({ text: 'connecting…', tone: 'idle' });
  });

  test('an API without a stream is polled, and that is no trouble', () => {
    expect(feedWords({ ...FEED, kind: 'yahoo' }, 'polling', 'utc')).toEqual({ text: 'live (Yahoo) · polling every 10 s', tone: 'good' });
    expect(feedWords({ ...FEED, state: 'stopped' }, 'polling', 'utc')).toEqual({
      text: 'simulated · stopped · polling every 10 s',
      tone: 'bad',
    });
  });
});

test('a market that never closes is told of only where it is the only one', () => {
  const always: CalendarStatus = { ...NYSE, calendar: '24/7', ts_next_open: '2026-11-23T00:00:00Z', ts_next_close: '2026-11-23T00:00:00Z' };
  expect(tellingCalendars([always, NYSE])).toEqual([NYSE]);
  expect(tellingCalendars([always])).toEqual([always]);
});

describe('a market in words', () => {
  test.each([
    [{}, SUNDAY, 'New York closed, opens 09:30'],
    [{}, SUNDAY - 86_400_000, 'New York closed, opens Mon 09:30'],
    [{ state: 'open' }, Date.parse('2026-11-23T15:00:00Z'), 'New York open, closes 16:00'],
    [{ state: 'pre' }, Date.parse('2026-11-23T13:00:00Z'), 'New York pre-market, opens 09:30'],
    [{ state: 'post', ts_next_open: null }, SUNDAY, 'New York after hours'],
    [{ calendar: '24/7', state: 'open', ts_next_open: '2026-11-23T00:00:00Z', ts_next_close: '2026-11-23T00:00:00Z' }, SUNDAY, '24/7 open'],
  ] as const)('%o', (change, now, expected) => {
    expect(marketWords({ ...NYSE, ...change }, now, 'exchange').text).toBe(expected);
  });
});
