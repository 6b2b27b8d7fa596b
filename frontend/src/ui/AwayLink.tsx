import type { ReactNode } from 'react';
import { Icon } from './Icon';

interface Props {
  readonly href: string;
  readonly title: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link that leaves the page: it opens in a tab of its own, which gets no hold of this one. */
export function AwayLink({ href, title, className = '', children }: Props) {
  return (
    <a className={`away ${className}`} href={href} target="_blank" rel="noopener noreferrer" title={title}>
      {children} <Icon name="away" />
    </a>
  );
}
