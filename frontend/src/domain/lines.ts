// Lines over the bars, for drawing alone: floats. The platform's own figures are in its aggregates.
import type { Bar } from '../api/types';

/** Mean of the last `length` closes at each bar; null while there are fewer. */
export function sma(bars: readonly Bar[], length: number): (number | null)[] {
  const closes = bars.map((bar) => Number(bar.close));
  let sum = 0;
  return closes.map((close, index) => {
    sum += close - (closes[index - length] ?? 0);
    return index >= length - 1 ? sum / length : null;
  });
}

/**
 * VWAP from each session's first bar to each bar; null where nothing is traded yet.
 * A session whose beginning is not among the bars has none: `isCut` says so of the first one.
 */
export function sessionVwap(bars: readonly Bar[], isCut: boolean): (number | null)[] {
  const cut = isCut ? bars[0]?.session_date : undefined;
  let session = '';
  let [turnover, volume] = [0, 0];
  return bars.map((bar) => {
    if (bar.session_date !== session) [session, turnover, volume] = [bar.session_date, 0, 0];
    if (bar.vwap !== null && bar.volume !== null) {
      turnover += Number(bar.vwap) * bar.volume;
      volume += bar.volume;
    }
    return session === cut || volume === 0 ? null : turnover / volume;
  });
}
