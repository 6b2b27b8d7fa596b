// What became of a restatement, in a word and a tone.
import type { Restatement } from '../api/types';

type Ended = Pick<Restatement, 'state' | 'is_promoted'>;

/** Finished is promoted: what was only compared with staging changed no bar. */
export function outcomeOf({ state, is_promoted }: Ended): string {
  return state === 'finished' && !is_promoted ? 'compared only' : state;
}

export function toneOf({ state, is_promoted }: Ended): string {
  if (state === 'failed') return 'open';
  return is_promoted ? 'healed' : 'explained';
}
