import { useEffect, useRef } from 'react';
import type { BarPage } from '../api/types';
import type { Zone } from '../domain/time';
import { useIsDark } from '../state/useTheme';
import type { Chart } from './chart';
import { draw, makeChart, paint, setZone, showNewest } from './chart';
import { paletteAt } from './palette';

interface Props {
  readonly page: BarPage;
  readonly zone: Zone;
  readonly label: string;
  /** Index of the bar under the cursor, null where there is none. */
  readonly onPoint: (index: number | null) => void;
}

/** The canvas. Effects keep it in step with bars, theme and zone, because the chart library lives outside React. */
export function BarChart({ page, zone, label, onPoint }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(null);
  const drawn = useRef<{ page: BarPage; isDark: boolean }>(null);
  const isDark = useIsDark();

  useEffect(() => {
    if (!place.current) return undefined;
    const made = makeChart(place.current);
    chart.current = made;
    drawn.current = null;
    made.api.subscribeCrosshairMove(({ logical, point }) => { onPoint(point && logical !== undefined ? logical : null); });
    return () => { made.api.remove(); };
  }, [onPoint]);

  useEffect(() => {
    if (chart.current) setZone(chart.current, zone);
  }, [zone]);

  useEffect(() => {
    if (!chart.current || !place.current) return;
    const palette = paletteAt(place.current);
    const before = drawn.current;
    if (before?.isDark !== isDark) paint(chart.current, palette);
    draw(chart.current, before?.isDark === isDark ? before.page : null, page, palette);
    if (!before) showNewest(chart.current, page.items.length);
    drawn.current = { page, isDark };
  }, [page, isDark]);

  return <div ref={place} className="canvas" role="img" aria-label={label} />;
}
