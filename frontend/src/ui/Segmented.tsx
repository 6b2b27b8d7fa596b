import type { ReactNode } from 'react';

interface Choice<T> {
  readonly value: T;
  readonly text: ReactNode;
  /** Also the button's name where `text` is a picture. */
  readonly title?: string;
}

interface Props<T extends string> {
  readonly label: string;
  readonly choices: readonly Choice<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One choice of a few, all in sight. */
export function Segmented<T extends string>({ label, choices, value, onChange }: Props<T>) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          title={choice.title}
          aria-label={typeof choice.text === 'string' ? undefined : choice.title}
          aria-pressed={choice.value === value}
          onClick={() => { onChange(choice.value); }}
        >
          {choice.text}
        </button>
      ))}
    </div>
  );
}
