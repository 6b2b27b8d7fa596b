import type { KeyboardEvent, WheelEvent } from 'react';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import type { BarPage } from '../api/types';
import type { Zone } from '../domain/time';
import type { Line } from '../domain/view';
import { useIsDark } from '../state/useTheme';
import type { Chart } from './chart';
import { draw, makeChart, paint, pointAt, reveal, setZone, showLines, showNewest } from './chart';
import type { Marks } from './markLayer';
import { paletteAt } from './palette';

interface Props {
  readonly page: BarPage;
  /** The first session's beginning may lie before the bars. */
  readonly isCut: boolean;
  readonly marks: Marks;
  /** Index of the bar to bring in sight. */
  readonly place: number | null;
  readonly lines: readonly Line[];
  readonly zone: Zone;
  readonly label: string;
  /** A bar in words, for those who hear the page. */
  readonly describe: (index: number) => string;
  /** Index of the bar under the cursor, null where there is none. */
  readonly onPoint: (index: number | null) => void;
  readonly onOpen: (index: number) => void;
}

/** A plain wheel is the page's where the page itself can be scrolled; with Ctrl, as a pinch has it, the chart's. */
function leaveWheelToPage(event: WheelEvent): void {
  const { scrollHeight, clientHeight } = document.documentElement;
  if (!event.ctrlKey && scrollHeight > clientHeight) event.stopPropagation();
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity };

/** The canvas. Effects keep it in step with what is shown, because the chart library lives outside React. */
export function BarChart({ page, isCut, marks, place: wanted, lines, zone, label, describe, onPoint, onOpen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(null);
  const drawn = useRef<{ page: BarPage; isDark: boolean }>(null);
  const isDark = useIsDark();
  const [cursor, setCursor] = useState<number | null>(null);
  const last = page.items.length - 1;
  const at = Math.min(last, cursor ?? marks.selected ?? last);

  const point = useEffectEvent((index: number | null) => { onPoint(index); });
  const click = useEffectEvent((index: number) => { if (index >= 0 && index <= last) onOpen(index); });

  useEffect(() => {
    if (!place.current) return undefined;
    const made = makeChart(place.current);
    chart.current = made;
    drawn.current = null;
    made.api.subscribeCrosshairMove((event) => { point(event.point && event.logical !== undefined ? event.logical : null); });
    made.api.subscribeClick((event) => { if (event.point && event.logical !== undefined) click(event.logical); });
    return () => { made.api.remove(); };
  }, []);

  useEffect(() => {
    if (chart.current) setZone(chart.current, zone);
  }, [zone]);

  useEffect(() => {
    if (chart.current) showLines(chart.current, lines);
  }, [lines]);

  useEffect(() => {
    if (!chart.current || !place.current) return;
    const palette = paletteAt(place.current);
    const before = drawn.current;
    if (before?.isDark !== isDark) paint(chart.current, palette);
    draw(chart.current, before?.isDark === isDark ? before.page : null, { page, isCut }, palette);
    if (!before) showNewest(chart.current, page.items.length);
    drawn.current = { page, isDark };
  }, [page, isCut, isDark]);

  useEffect(() => {
    if (chart.current && place.current) chart.current.marks.set(marks, paletteAt(place.current));
  }, [marks, isDark]);

  useEffect(() => {
    if (chart.current && wanted !== null) reveal(chart.current, wanted);
  }, [wanted]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' || event.key === ' ') onOpen(at);
    const step = STEPS[event.key];
    if (step !== undefined) goTo(Math.min(last, Math.max(0, at + step)));
    if (step !== undefined || event.key === ' ') event.preventDefault();
  };
  const goTo = (index: number) => {
    const bar = page.items[index];
    if (!chart.current || !bar) return;
    setCursor(index);
    reveal(chart.current, index);
    pointAt(chart.current, bar, page);
    onPoint(index);
  };

  return (
    <div
      className="canvas"
      role="slider"
      tabIndex={0}
      aria-label={`${label}. Arrow keys move between bars, Enter opens one.`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at}
      aria-valuetext={describe(at)}
      onKeyDown={onKeyDown}
      onWheelCapture={leaveWheelToPage}
      onBlur={() => { setCursor(null); }}
    >
      <div ref={place} />
    </div>
  );
}
