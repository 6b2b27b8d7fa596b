import { useState } from 'react';

interface Props {
  readonly text: string;
  /** Orders values; the sign of the difference chooses the colour. */
  readonly compare: (now: string, before: string) => number;
  readonly value: string;
}

/** A number that lights up for a moment when it changes: green upwards, red downwards. */
export function Flash({ text, value, compare }: Props) {
  const [seen, setSeen] = useState({ value, tone: '' });
  if (seen.value !== value) setSeen({ value, tone: compare(value, seen.value) > 0 ? 'flash-up' : 'flash-down' });
  return (
    <span key={value} className={`flash ${seen.tone}`} title={value}>
      {text}
    </span>
  );
}
