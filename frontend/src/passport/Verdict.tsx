import type { Standing } from '../domain/bars';

/** A bar's verdict in its colour; the word alone carries the meaning. */
export function Verdict({ standing }: { readonly standing: Standing }) {
  return <span className={`state ${standing}`}>{standing}</span>;
}
