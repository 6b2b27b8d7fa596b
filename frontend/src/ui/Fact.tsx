import type { ReactNode } from 'react';

interface Props {
  readonly name: string;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}

/** A name and its value, inside a <dl>. */
export function Fact({ name, title, children }: Props) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
