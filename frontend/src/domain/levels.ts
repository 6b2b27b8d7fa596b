// Service levels and latency in the words of the page.
import type { HopLatency, SessionLevel } from '../api/types';
import { count, NONE } from './format';
import type { Tone } from './status';

const PLACES = 3;

/** A share as percent, never rounded up: 0.99999 is 99.999 %, not 100 %. */
export function share(ratio: number | null, places = PLACES): string {
  if (ratio === null) return NONE;
  const scale = 10 ** places;
  // Twelve digits first: 0.999 × 100 is a little less than 99.9 in floats.
  return `${(Math.floor(Number((ratio * 100 * scale).toPrecision(12))) / scale).toFixed(places)} %`;
}

const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

/** "41 of 269 min spent in 30 sessions". A small budget is not rounded to whole minutes: of one session's that would leave 0. */
export function budgetWords({ spent_30_minute_count: spent, budget_30_minutes: budget, session_30_count: sessions }: SessionLevel): string {
  return `${count(spent)} of ${budget < 10 ? SMALL.format(budget) : count(budget)} min spent in ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`;
}

/** How the error budget stands: half of it gone is a warning, all of it is bad. */
export function budgetTone(left: number | null): Tone {
  if (left === null) return 'idle';
  if (left <= 0) return 'bad';
  return left < 0.5 ? 'warning' : 'good';
}

/** A session below its objective. */
export function missed(level: SessionLevel): boolean {
  return level.good_ratio !== null && level.good_ratio < level.objective_ratio;
}

export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1_000) return `${value.toFixed(0)} ms`;
  return value < 60_000 ? `${(value / 1_000).toFixed(1)} s` : `${(value / 60_000).toFixed(1)} min`;
}

const HOPS = [
  ['event_to_received', 'Exchange → feed'],
  ['received_to_flink', 'Feed → Kafka → Flink'],
  ['flink_to_staging', 'Flink → staging'],
  ['event_to_staging', 'Exchange → staging'],
  ['closed_to_certified', 'Close → certified'],
  ['event_to_certified', 'Exchange → certified'],
] as const;

export interface Hop {
  readonly hop: string;
  readonly name: string;
  readonly newest: HopLatency;
  /** Of each minute, oldest first. */
  readonly p99: readonly number[];
}

/** Hops in the order of a tick's way; those without a row are left out. */
export function hops(rows: readonly HopLatency[]): Hop[] {
  return HOPS.flatMap(([hop, name]) => {
    const own = rows.filter((row) => row.hop === hop);
    const newest = own.at(-1);
    return newest ? [{ hop, name, newest, p99: own.map(({ p99_ms }) => p99_ms) }] : [];
  });
}
