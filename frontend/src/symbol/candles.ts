// Bars as the chart library wants them. The one place where prices become floats: for drawing.
import type { CandlestickData, HistogramData, LineData, Time, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import type { Bar, Interval } from '../api/types';
import { standing } from '../domain/bars';

/** Colours of the theme in use, as the browser resolved them. */
export interface Palette {
  readonly up: string;
  readonly down: string;
  readonly upFaded: string;
  readonly downFaded: string;
  /** Fully transparent, yet of a hue: the price axis paints its label with it. */
  readonly upHollow: string;
  readonly downHollow: string;
  readonly suspect: string;
  readonly restated: string;
  readonly vendor: string;
  readonly vwap: string;
  readonly sma20: string;
  readonly sma50: string;
  readonly accent: string;
  readonly clear: string;
  readonly text: string;
  readonly grid: string;
  readonly surface: string;
}

const SECOND_MS = 1000;

/** A day is named by the exchange and has no zone; all else is an instant. */
export function timeOf(bar: Bar, interval: Interval): Time {
  return interval === '1d' ? bar.session_date : ((Date.parse(bar.ts_start) / SECOND_MS) as UTCTimestamp);
}

function colours(bar: Bar, palette: Palette) {
  const isUp = Number(bar.close) >= Number(bar.open);
  const side = isUp ? palette.up : palette.down;
  switch (standing(bar)) {
    case 'provisional':
      return isUp
        ? { color: palette.upHollow, borderColor: side, wickColor: palette.upFaded }
        : { color: palette.downHollow, borderColor: side, wickColor: palette.downFaded };
    case 'suspect':
      return { color: palette.suspect, borderColor: palette.suspect, wickColor: side };
    case 'restated':
      return { color: palette.restated, borderColor: palette.restated, wickColor: side };
    case 'vendor':
      return { color: palette.vendor, borderColor: palette.vendor, wickColor: side };
    case 'passed':
      return { color: side, borderColor: side, wickColor: side };
  }
}

export function candle(bar: Bar, interval: Interval, palette: Palette): CandlestickData {
  return {
    time: timeOf(bar, interval),
    open: Number(bar.open),
    high: Number(bar.high),
    low: Number(bar.low),
    close: Number(bar.close),
    ...colours(bar, palette),
  };
}

export function volumeColumn(bar: Bar, interval: Interval, palette: Palette): HistogramData {
  const isUp = Number(bar.close) >= Number(bar.open);
  return { time: timeOf(bar, interval), value: bar.volume ?? 0, color: isUp ? palette.upFaded : palette.downFaded };
}

type Point = LineData | WhitespaceData;

/** One point of a line; at a session's last bar the line is lifted off the paper: a point colours the way to the next. */
export function point(bar: Bar, next: Bar | undefined, interval: Interval, value: number | null, ink: Ink): Point {
  const time = timeOf(bar, interval);
  if (value === null) return { time };
  const isLifted = next !== undefined && next.session_date !== bar.session_date && ink.isBySession;
  return { time, value, color: isLifted ? ink.clear : ink.color };
}

interface Ink {
  readonly color: string;
  readonly clear: string;
  /** The line begins anew with each session. */
  readonly isBySession: boolean;
}

/** True where `now` is `before` with its last bar changed or one bar added, which the chart draws without a redraw of all. */
export function isTailChange(before: readonly Bar[], now: readonly Bar[]): boolean {
  const added = now.length - before.length;
  return (added === 0 || added === 1) && before.slice(0, -1).every((bar, index) => bar === now[index]);
}
