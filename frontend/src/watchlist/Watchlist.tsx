import { useQuery } from '@tanstack/react-query';
import type { KeyboardEvent } from 'react';
import { useMemo } from 'react';
import { stocksQuery } from '../api/queries';
import type { View } from '../domain/view';
import { newer, rank } from '../domain/watchlist';
import { useQuotes } from '../state/useLive';
import { usePlatformClock } from '../state/usePlatformClock';
import { Notice } from '../ui/Notice';
import { Head } from './Head';
import { Row } from './Row';

interface Props {
  readonly view: View;
  /** The symbol shown beside the table, chosen or not. */
  readonly symbol: string | undefined;
  readonly onChange: (patch: Partial<View>) => void;
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

/** Moves the focus between the rows of a table; the browser's Tab stays free for everything else. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  if (!step) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('tbody tr')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  event.preventDefault();
}

/** The live table. Rows are ordered by the last answer, not by each tick, so that they do not jump under the reader. */
export function Watchlist({ view, symbol, onChange }: Props) {
  const { data: stocks, error, refetch } = useQuery(stocksQuery);
  const quotes = useQuotes();
  const clock = usePlatformClock();
  const rows = useMemo(() => rank(stocks ?? [], view.sort, view.filter), [stocks, view.sort, view.filter]);

  return (
    <div className="table" onKeyDown={moveFocus}>
      <div className="tools">
        <h2>Watchlist</h2>
        <input
          type="search"
          placeholder="Filter by symbol, name or sector"
          aria-label="Filter the watchlist"
          value={view.filter}
          onChange={(event) => { onChange({ filter: event.target.value }); }}
        />
        <span className="quiet">{stocks ? `${rows.length} of ${stocks.length}` : ''}</span>
      </div>
      <div className="scroll">
        <table role="grid" aria-label="Watchlist" aria-busy={!stocks && !error}>
          <Head sort={view.sort} onSort={(sort) => { onChange({ sort }); }} />
          <tbody>
            {rows.map((stock, index) => (
              <Row
                key={stock.symbol}
                stock={stock}
                quote={newer(quotes[stock.symbol], stock.quote)}
                clock={clock}
                isSelected={stock.symbol === symbol}
                isEntry={stock.symbol === symbol || (index === 0 && !rows.some((row) => row.symbol === symbol))}
                onSelect={onChange}
              />
            ))}
          </tbody>
        </table>
        {!stocks && !error && <Skeleton />}
        {!stocks && error && (
          <Notice title="The watchlist cannot be shown" tone="bad" action={{ text: 'Try again', onClick: () => void refetch() }}>
            {error.message}
          </Notice>
        )}
        {stocks && rows.length === 0 && <Nothing filter={view.filter} onClear={() => { onChange({ filter: '' }); }} />}
      </div>
    </div>
  );
}

const SKELETON_ROWS = Array.from({ length: 12 }, (_, index) => index);

function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading the watchlist">
      {SKELETON_ROWS.map((row) => (
        <div key={row} />
      ))}
    </div>
  );
}

function Nothing({ filter, onClear }: { readonly filter: string; readonly onClear: () => void }) {
  if (!filter) return <Notice title="The watchlist is empty">Instruments appear here as soon as the platform knows them.</Notice>;
  return (
    <Notice title={`Nothing matches “${filter}”`} action={{ text: 'Show all', onClick: onClear }}>
      Symbol, name and sector are searched.
    </Notice>
  );
}
