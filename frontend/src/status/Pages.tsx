import type { MouseEvent } from 'react';
import type { Page, View } from '../domain/view';
import { PAGES } from '../domain/view';
import { addressOf } from '../state/useView';
import { AwayLink } from '../ui/AwayLink';

interface Props {
  readonly view: View;
  readonly onChange: (patch: Partial<View>) => void;
  /** Dagster's page; null where there is none, or it is not known yet. */
  readonly dagster: string | null;
}

const TEXT: Record<Page, string> = { symbol: 'Symbols', market: 'Market', quality: 'Quality' };

/** The views of the page, as links: each has an address of its own. Beside them Dagster, where the data is made. */
export function Pages({ view, onChange, dagster }: Props) {
  const go = (event: MouseEvent, page: Page) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onChange({ page });
  };
  return (
    <nav className="pages" aria-label="Views">
      {PAGES.map((page) => (
        <a key={page} href={addressOf({ ...view, page })} aria-current={page === view.page ? 'page' : undefined} onClick={(event) => { go(event, page); }}>
          {TEXT[page]}
        </a>
      ))}
      {dagster && <AwayLink href={dagster} title="Runs, assets and lineage in Dagster">Dagster</AwayLink>}
    </nav>
  );
}
