import type { ReactNode } from 'react';
import { Notice } from './Notice';

interface Props<T> {
  /** What is shown, to name it where it cannot be. */
  readonly title: string;
  readonly query: {
    readonly data: T | undefined;
    readonly error: Error | null;
    readonly refetch: () => unknown;
  };
  /** Height of what is waited for, so that nothing moves when it comes. */
  readonly height: number;
  readonly children: (data: T) => ReactNode;
}

/** The states of an answer: awaited, failed, shown, and shown while a newer one fails. */
export function Answer<T>({ title, query: { data, error, refetch }, height, children }: Props<T>) {
  if (data !== undefined) {
    return (
      <>
        {error && (
          <p className="stale" role="status">
            Not the newest: {error.message}
          </p>
        )}
        {children(data)}
      </>
    );
  }
  if (!error) return <div className="skeleton" style={{ height }} role="status" aria-label={`Loading: ${title}`} />;
  return (
    <Notice title={`${title} cannot be shown`} tone="bad" action={{ text: 'Try again', onClick: () => void refetch() }}>
      {error.message}
    </Notice>
  );
}
