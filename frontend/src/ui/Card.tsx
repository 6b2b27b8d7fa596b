import type { ReactNode } from 'react';

interface Props {
  readonly title: string;
  readonly note?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

/** One subject of a view, under its title. */
export function Card({ title, note, className = '', children }: Props) {
  return (
    <section className={`panel card ${className}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note && <div className="quiet">{note}</div>}
      </header>
      {children}
    </section>
  );
}
