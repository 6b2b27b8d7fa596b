// Drawn under and over the candles: session boundaries, gaps, corporate actions, the bar that is looked into.
import type { IChartApi, ISeriesPrimitive, IPrimitivePaneRenderer, IPrimitivePaneView, Logical, SeriesAttachedParameter } from 'lightweight-charts';
import type { ActionMark, Band, GapTone } from '../domain/marks';
import { gapTone } from '../domain/marks';
import type { Palette } from './candles';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
type Context = CanvasRenderingContext2D;

export interface Marks {
  readonly bands: readonly Band[];
  readonly starts: readonly number[];
  readonly actions: readonly ActionMark[];
  readonly selected: number | null;
}

const NO_MARKS: Marks = { bands: [], starts: [], actions: [], selected: null };

const CAP = 3;
const BAND_LEAST = 3;
const RADIUS = 8;
const TINT = 0.1;

const TONES: Record<GapTone, (palette: Palette) => string> = {
  open: (palette) => palette.down,
  healed: (palette) => palette.accent,
  explained: (palette) => palette.text,
};

export class MarkLayer implements ISeriesPrimitive {
  private chart: IChartApi | null = null;
  private requestUpdate: (() => void) | undefined;
  private marks = NO_MARKS;
  private palette: Palette | null = null;
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (target) => { this.under(target); } }) },
    { zOrder: () => 'top', renderer: () => ({ draw: (target) => { this.over(target); } }) },
  ];

  attached({ chart, requestUpdate }: SeriesAttachedParameter): void {
    this.chart = chart;
    this.requestUpdate = requestUpdate;
  }

  detached(): void {
    this.chart = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  set(marks: Marks, palette: Palette): void {
    this.marks = marks;
    this.palette = palette;
    this.requestUpdate?.();
  }

  private under(target: Target): void {
    this.paint(target, (context, height, palette) => {
      for (const start of this.marks.starts) this.boundary(context, height, start, palette);
      for (const band of this.marks.bands) this.band(context, height, band, palette);
      if (this.marks.selected !== null) this.selection(context, height, this.marks.selected, palette);
    });
  }

  private over(target: Target): void {
    this.paint(target, (context, height, palette) => {
      for (const action of this.marks.actions) this.action(context, height, action, palette);
    });
  }

  private paint(target: Target, draw: (context: Context, height: number, palette: Palette) => void): void {
    const palette = this.palette;
    if (!palette || !this.chart) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => { draw(context, mediaSize.height, palette); });
  }

  /** Left edge of a bar's column, in pixels; of one that is not there yet too. */
  private edge(index: number): number {
    const scale = this.chart?.timeScale();
    const [here, next] = [index, index + 1].map((at) => scale?.logicalToCoordinate(at as Logical) ?? 0) as [number, number];
    return here - (next - here) / 2;
  }

  private boundary(context: Context, height: number, index: number, palette: Palette): void {
    context.fillStyle = palette.text;
    context.globalAlpha = 0.35;
    const x = Math.round(this.edge(index));
    for (let y = 0; y < height; y += 6) context.fillRect(x, y, 1, 3);
    context.globalAlpha = 1;
  }

  private band(context: Context, height: number, { from, to, gap }: Band, palette: Palette): void {
    const left = this.edge(from);
    const width = Math.max(BAND_LEAST, this.edge(to) - left);
    const x = Math.round(to === from ? left - BAND_LEAST / 2 : left);
    context.fillStyle = TONES[gapTone(gap.state)](palette);
    context.globalAlpha = to === from ? 2.5 * TINT : TINT;
    context.fillRect(x, 0, width, height);
    context.globalAlpha = 1;
    context.fillRect(x, 0, width, CAP);
  }

  private selection(context: Context, height: number, index: number, palette: Palette): void {
    const left = this.edge(index);
    const width = Math.max(BAND_LEAST, this.edge(index + 1) - left);
    context.fillStyle = palette.accent;
    context.globalAlpha = 0.16;
    context.fillRect(left, 0, width, height);
    context.globalAlpha = 1;
    context.fillRect(left, height - CAP, width, CAP);
  }

  private action(context: Context, height: number, { index, letter }: ActionMark, palette: Palette): void {
    const x = this.edge(index) + (this.edge(index + 1) - this.edge(index)) / 2;
    const y = height - RADIUS - 4;
    context.beginPath();
    context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    context.fillStyle = palette.surface;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = palette.accent;
    context.stroke();
    context.fillStyle = palette.accent;
    context.font = `600 10px ${this.chart?.options().layout.fontFamily ?? 'sans-serif'}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(letter, x, y + 0.5);
  }
}

