// What is marked on a chart beside its bars: gaps, corporate actions, where sessions begin. Places are indexes of bars.
import type { Bar, CorporateAction, Gap } from '../api/types';
import { indexFrom } from './bars';

/** From bar `from` up to, not including, bar `to`; between two bars where they are equal. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly gap: Gap;
}

/** Gaps among the bars; one before the first bar is not shown. */
export function bands(bars: readonly Bar[], gaps: readonly Gap[]): Band[] {
  const placed = gaps.map((gap) => ({
    from: indexFrom(bars, Date.parse(gap.ts_start)),
    to: indexFrom(bars, Date.parse(gap.ts_end)),
    gap,
  }));
  return placed.filter(({ to }) => to > 0);
}

/** The gap whose place touches the bar: it lies in it, or right before it. */
export function gapAt(marked: readonly Band[], index: number): Gap | null {
  return marked.find(({ from, to }) => (from === to ? from === index : from <= index && index < to))?.gap ?? null;
}

/** Bars that open a session, without the first of all. */
export function sessionStarts(bars: readonly Bar[]): number[] {
  return bars.flatMap((bar, index) => (index > 0 && bar.session_date !== bars[index - 1]?.session_date ? [index] : []));
}

/** The gap that a minute lies in. */
export function gapOf(gaps: readonly Gap[], start: string): Gap | null {
  const instant = Date.parse(start);
  return gaps.find(({ ts_start, ts_end }) => Date.parse(ts_start) <= instant && instant < Date.parse(ts_end)) ?? null;
}

export type GapTone = 'open' | 'healed' | 'explained';

/** Whether something is left to do about a gap. */
export function gapTone(state: string): GapTone {
  if (state === 'repaired') return 'healed';
  return state === 'explained' ? 'explained' : 'open';
}

export interface ActionMark {
  readonly index: number;
  /** One letter, as D for a dividend. */
  readonly letter: string;
  readonly words: string;
}

/** "Dividend 0.25 USD", "Split 4 for 1". */
function actionWords({ kind, ratio, amount, currency }: CorporateAction): string {
  const name = kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ');
  if (ratio !== null) return `${name} ${ratio} for 1`;
  return amount === null ? name : `${name} ${amount} ${currency}`;
}

/** Corporate actions at the first bar that trades without them; those older than the bars are not shown. */
export function actionMarks(bars: readonly Bar[], actions: readonly CorporateAction[]): ActionMark[] {
  const first = bars[0]?.session_date ?? '';
  return actions.flatMap((action) => {
    const index = bars.findIndex(({ session_date }) => session_date >= action.ex_date);
    if (index < 0 || action.ex_date < first) return [];
    return [{ index, letter: action.kind.charAt(0).toUpperCase(), words: actionWords(action) }];
  });
}
