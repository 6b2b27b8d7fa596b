import type { CSSProperties } from 'react';
import type { Mover } from '../api/types';
import * as format from '../domain/format';
import { Notice } from '../ui/Notice';

interface Props {
  readonly top: readonly Mover[];
  readonly bottom: readonly Mover[];
  readonly onOpen: (symbol: string) => void;
}

/** The highest and the lowest changes of the session. A symbol that rose is no loser, however short the list. */
export function Movers({ top, bottom, onOpen }: Props) {
  const gains = top.filter(({ change_pct }) => format.direction(change_pct) === 'up');
  const losses = bottom.filter(({ change_pct }) => format.direction(change_pct) === 'down');
  if (gains.length + losses.length === 0) return <Notice title="Nothing has moved yet">Movers appear with the session’s first certified bars.</Notice>;
  const largest = Math.max(...[...gains, ...losses].map(({ change_pct }) => Math.abs(Number(change_pct))));
  return (
    <div className="mover-lists">
      <List title="Gainers" movers={gains} largest={largest} onOpen={onOpen} />
      <List title="Losers" movers={losses} largest={largest} onOpen={onOpen} />
    </div>
  );
}

interface ListProps {
  readonly title: string;
  readonly movers: readonly Mover[];
  readonly largest: number;
  readonly onOpen: (symbol: string) => void;
}

function List({ title, movers, largest, onOpen }: ListProps) {
  return (
    <section aria-label={title}>
      <h3 className="caption">{title}</h3>
      {movers.length === 0 && <p className="quiet">None so far.</p>}
      <ol>
        {movers.map(({ symbol, close, change_pct, volume }) => {
          const tone = format.direction(change_pct);
          return (
            <li key={symbol}>
              <button type="button" onClick={() => { onOpen(symbol); }} title={`Volume ${format.volume(volume)}`}>
                <b>{symbol}</b>
                <span className={`bar ${tone}`} style={{ '--share': Math.abs(Number(change_pct)) / largest } as CSSProperties} />
                <span className="quiet">{format.price(close, format.priceDigits(symbol, close))}</span>
                <span className={tone}>{format.percent(change_pct)}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
