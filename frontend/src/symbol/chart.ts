// The candlestick chart on its canvas: made once, fed with bars, painted in the theme's colours.
import type { IChartApi, ISeriesApi, TickMarkType, Time } from 'lightweight-charts';
import { CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, LineSeries } from 'lightweight-charts';
import type { Bar, BarPage } from '../api/types';
import { group } from '../domain/decimal';
import { priceDigits } from '../domain/format';
import type { Style, Zone } from '../domain/time';
import { show, showDay } from '../domain/time';
import { sessionVwap, sma } from '../domain/lines';
import type { Line } from '../domain/view';
import { LINES } from '../domain/view';
import type { Palette } from './candles';
import { candle, isTailChange, point, timeOf, volumeColumn } from './candles';
import { MarkLayer } from './markLayer';

const SECOND_MS = 1000;
/** Bars in sight at first; the older ones are a drag away. */
const BARS_IN_SIGHT = 110;
/** A young symbol's few bars are not blown up to the whole width. */
const BARS_IN_SIGHT_LEAST = 40;
/** Beside the newest bar: half of the axis's longest label, "26 Nov, 15:00", which stands in the middle below its bar. */
const PIXELS_AHEAD = 46;
/** Narrower columns hide what is hollow and what is filled. */
const PIXELS_LEAST = 5.5;

export interface Chart {
  readonly api: IChartApi;
  readonly candles: ISeriesApi<'Candlestick'>;
  readonly volume: ISeriesApi<'Histogram'>;
  readonly lines: Readonly<Record<Line, ISeriesApi<'Line'>>>;
  readonly marks: MarkLayer;
}

/** Bars, and whether the first session's beginning may lie before them. */
export interface Drawn {
  readonly page: BarPage;
  readonly isCut: boolean;
}

export function makeChart(element: HTMLElement): Chart {
  const api = createChart(element, {
    autoSize: true,
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.08, bottom: 0.24 } },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffsetPixels: PIXELS_AHEAD, minBarSpacing: 2 },
    handleScroll: { vertTouchDrag: false },
    layout: { attributionLogo: false, fontFamily: getComputedStyle(element).fontFamily },
  });
  const candles = api.addSeries(CandlestickSeries, { borderVisible: true });
  const volume = api.addSeries(HistogramSeries, {
    priceScaleId: 'volume',
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  api.priceScale('volume').applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
  const marks = new MarkLayer();
  candles.attachPrimitive(marks);
  return { api, candles, volume, marks, lines: { vwap: addLine(api), sma20: addLine(api), sma50: addLine(api) } };
}

function addLine(api: IChartApi): ISeriesApi<'Line'> {
  return api.addSeries(LineSeries, {
    lineWidth: 1,
    lastValueVisible: false,
    priceLineVisible: false,
    crosshairMarkerVisible: false,
    autoscaleInfoProvider: () => null,
  });
}

export function paint(chart: Chart, palette: Palette): void {
  const line = { color: palette.grid };
  chart.api.applyOptions({
    layout: { background: { type: ColorType.Solid, color: palette.surface }, textColor: palette.text },
    grid: { vertLines: line, horzLines: line },
  });
}

/** By TickMarkType: year, month, day, time, time with seconds. The library's days begin at midnight UTC. */
const DAY_MARKS: readonly Style[] = ['year', 'month', 'day'];

/** Where the library sees a new day, an instant carries its date and its time. Days have no zone. */
function mark(time: Time, type: TickMarkType, zone: Zone): string {
  if (typeof time !== 'number') return show(time as string, DAY_MARKS[type] ?? 'day', 'utc');
  return show(time * SECOND_MS, DAY_MARKS[type] ? 'dayTime' : 'time', zone);
}

export function setZone(chart: Chart, zone: Zone): void {
  const timeFormatter = (time: Time) =>
    typeof time === 'number' ? show(time * SECOND_MS, 'full', zone) : showDay(time as string);
  chart.api.applyOptions({
    localization: { timeFormatter },
    timeScale: { tickMarkFormatter: (time: Time, type: TickMarkType) => mark(time, type, zone) },
  });
}

function replaceBars(chart: Chart, page: BarPage, palette: Palette): void {
  const precision = priceDigits(page.symbol, page.items.at(-1)?.close ?? '1');
  const formatter = (price: number) => group(price.toFixed(precision));
  chart.candles.applyOptions({ priceFormat: { type: 'custom', formatter, minMove: 10 ** -precision } });
  chart.candles.setData(page.items.map((bar) => candle(bar, page.interval, palette)));
  chart.volume.setData(page.items.map((bar) => volumeColumn(bar, page.interval, palette)));
}

function updateTail(chart: Chart, page: BarPage, from: number, palette: Palette): void {
  for (const bar of page.items.slice(from)) {
    chart.candles.update(candle(bar, page.interval, palette));
    chart.volume.update(volumeColumn(bar, page.interval, palette));
  }
}

const SMA_LENGTHS = { sma20: 20, sma50: 50 } as const;

/** The line's value at each bar. A day's VWAP is its own. */
function valuesOf(line: Line, { page, isCut }: Drawn): (number | null)[] {
  if (line !== 'vwap') return sma(page.items, SMA_LENGTHS[line]);
  if (page.interval === '1d') return page.items.map(({ vwap }) => (vwap === null ? null : Number(vwap)));
  return sessionVwap(page.items, isCut);
}

function drawLine(chart: Chart, line: Line, drawn: Drawn, from: number, palette: Palette): void {
  const { items, interval } = drawn.page;
  const ink = { color: palette[line], clear: palette.clear, isBySession: line === 'vwap' && interval !== '1d' };
  const values = valuesOf(line, drawn);
  const points = items.map((bar, index) => point(bar, items[index + 1], interval, values[index] ?? null, ink));
  if (from === 0) chart.lines[line].setData(points);
  else points.slice(from).forEach((each) => { chart.lines[line].update(each); });
}

/** Draws what changed since `before`; null draws everything. */
export function draw(chart: Chart, before: BarPage | null, drawn: Drawn, palette: Palette): void {
  const { page } = drawn;
  const isTail = before !== null && before.items.length > 0 && isTailChange(before.items, page.items);
  const from = isTail ? before.items.length - 1 : 0;
  if (isTail) updateTail(chart, page, from, palette);
  else replaceBars(chart, page, palette);
  for (const line of LINES) drawLine(chart, line, drawn, from, palette);
}

export function showLines(chart: Chart, lines: readonly Line[]): void {
  for (const line of LINES) chart.lines[line].applyOptions({ visible: lines.includes(line) });
}

/** The crosshair where the keyboard is. */
export function pointAt(chart: Chart, bar: Bar, page: BarPage): void {
  chart.api.setCrosshairPosition(Number(bar.close), timeOf(bar, page.interval), chart.candles);
}

export function showNewest(chart: Chart, count: number): void {
  const width = chart.api.timeScale().width() - PIXELS_AHEAD;
  const inSight = Math.min(BARS_IN_SIGHT, Math.floor(width / PIXELS_LEAST), Math.max(BARS_IN_SIGHT_LEAST, count));
  chart.api.timeScale().setVisibleLogicalRange({ from: count - inSight, to: count + (inSight * PIXELS_AHEAD) / width });
}

/** Scrolls only where the bar is out of sight. */
export function reveal(chart: Chart, index: number): void {
  const scale = chart.api.timeScale();
  const range = scale.getVisibleLogicalRange();
  if (!range || (index >= range.from + 1 && index <= range.to - 1)) return;
  const half = (range.to - range.from) / 2;
  scale.setVisibleLogicalRange({ from: index - half, to: index + half });
}
