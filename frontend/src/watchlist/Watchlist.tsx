import { useQuery } from '@tanstack/react-query';
import type { KeyboardEvent, RefObject } from 'react';
import { useEffect, useMemo, useRef } from 'react';
import { stocksQuery } from '../api/queries';
import type { Stock } from '../api/types';
import type { View } from '../domain/view';
import { divided, newer, rank } from '../domain/watchlist';
import { useQuotes } from '../state/useLive';
import { remove, restore, restoreAll, useRemoved } from '../state/useRemoved';
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
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('tbody tr[aria-selected]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  event.preventDefault();
}

/** "/" leads to the filter from anywhere but another field. */
function useSlash(field: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => { window.removeEventListener('keydown', onKeyDown); };
  }, [field]);
}

/** The live table. Rows are ordered by the last answer, not by each tick, so that they do not jump under the reader. */
export function Watchlist({ view, symbol, onChange }: Props) {
  const { data: stocks, error, refetch } = useQuery(stocksQuery);
  const quotes = useQuotes();
  const clock = usePlatformClock();
  const removed = useRemoved();
  const { kept, off } = useMemo(() => divided(stocks ?? [], removed), [stocks, removed]);
  const rows = useMemo(() => rank(kept, view.sort, view.filter), [kept, view.sort, view.filter]);
  const found = useMemo(() => (view.filter ? rank(off, view.sort, view.filter) : []), [off, view.sort, view.filter]);
  const filter = useRef<HTMLInputElement>(null);
  useSlash(filter);
  const row = (stock: Stock, isEntry: boolean, isOff: boolean) => (
    <Row
      key={stock.symbol}
      stock={stock}
      quote={newer(quotes[stock.symbol], stock.quote)}
      clock={clock}
      isSelected={stock.symbol === symbol}
      isEntry={isEntry}
      onSelect={onChange}
      onKeep={isOff ? restore : remove}
      isOff={isOff}
    />
  );

  return (
    <div className="table" onKeyDown={moveFocus}>
      <div className="tools">
        <h2>Watchlist</h2>
        <input
          ref={filter}
          type="search"
          placeholder="Symbol, name or sector"
          aria-label="Filter the watchlist"
          aria-keyshortcuts="/"
          title="Press / to come here"
          value={view.filter}
          onChange={(event) => { onChange({ filter: event.target.value }); }}
        />
        <span className="quiet">{stocks ? `${rows.length} of ${stocks.length}` : ''}</span>
        {off.length > 0 && (
          <button type="button" className="link" onClick={restoreAll} title={off.map((stock) => stock.symbol).join(', ')}>
            Put {off.length} back
          </button>
        )}
      </div>
      <div className="scroll">
        <table role="grid" aria-label="Watchlist" aria-busy={!stocks && !error}>
          <Head sort={view.sort} onSort={(sort) => { onChange({ sort }); }} />
          <tbody>
            {rows.map((stock, index) => row(stock, stock.symbol === symbol || (index === 0 && !rows.some((each) => each.symbol === symbol)), false))}
          </tbody>
          {found.length > 0 && (
            <tbody className="off">
              <tr className="divider">
                <th colSpan={7} scope="rowgroup">Taken off your list</th>
              </tr>
              {found.map((stock) => row(stock, false, true))}
            </tbody>
          )}
        </table>
        {!stocks && !error && <Skeleton />}
        {!stocks && error && (
          <Notice title="The watchlist cannot be shown" tone="bad" action={{ text: 'Try again', onClick: () => void refetch() }}>
            {error.message}
          </Notice>
        )}
        {stocks && rows.length + found.length === 0 && <Nothing filter={view.filter} onClear={() => { onChange({ filter: '' }); }} />}
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
