import type { ReactNode } from 'react';

interface Props {
  readonly title: string;
  readonly tone?: 'calm' | 'bad';
  readonly children?: ReactNode;
  readonly action?: { readonly text: string; readonly onClick: () => void };
}

/** What is shown where there is nothing to show: why, and what happens next. */
export function Notice({ title, tone = 'calm', children, action }: Props) {
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {action && (
        <button type="button" className="button" onClick={action.onClick}>
          {action.text}
        </button>
      )}
    </div>
  );
}
