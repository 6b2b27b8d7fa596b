import type { ReactNode } from 'react';

interface Props {
  readonly tone: 'good' | 'warning' | 'bad' | 'idle';
  readonly title?: string;
  readonly children: ReactNode;
}

/** A coloured dot and words; the words alone carry the meaning. */
export function Pill({ tone, title, children }: Props) {
  return (
    <span className={`pill ${tone}`} title={title}>
      <span className="dot" aria-hidden="true" />
      <span className="words">{children}</span>
    </span>
  );
}
