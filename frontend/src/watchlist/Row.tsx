import type { KeyboardEvent } from 'react';
import { memo } from 'react';
import type { Quote, Stock } from '../api/types';
import { compare } from '../domain/decimal';
import * as format from '../domain/format';
import type { View } from '../domain/view';
import { Flash } from '../ui/Flash';
import { Icon } from '../ui/Icon';
import { Sparkline } from '../ui/Sparkline';

interface Props {
  readonly stock: Stock;
  readonly quote: Quote | null;
  readonly clock: number | null;
  readonly isSelected: boolean;
  /** Where Tab enters the table. */
  readonly isEntry: boolean;
  readonly onSelect: (patch: Partial<View>) => void;
  /** Takes the symbol off the list, or puts it back where `isOff`. */
  readonly onKeep: (symbol: string) => void;
  readonly isOff: boolean;
}

const SECOND_MS = 1000;
/** A quote older than this is drawn quietly. */
const OLD_S = 60;

function ageOf(quote: Quote | null, clock: number | null): number | null {
  if (!quote || clock === null) return null;
  return Math.max(0, (clock - Date.parse(quote.ts_event)) / SECOND_MS);
}

/** One stock of the watchlist. */
export const Row = memo(function Row({ stock, quote, clock, isSelected, isEntry, onSelect, onKeep, isOff }: Props) {
  const select = () => { onSelect({ symbol: stock.symbol }); };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      select();
    }
    if (event.key === 'Delete') onKeep(stock.symbol);
  };
  const verb = isOff ? 'Put back' : 'Take off the list:';
  const tone = format.direction(quote?.change_pct ?? null);
  const age = ageOf(quote, clock);
  return (
    <tr tabIndex={isEntry ? 0 : -1} aria-selected={isSelected} onClick={select} onKeyDown={onKeyDown}>
      <th scope="row" className="symbol">
        {stock.symbol}
        <small>{stock.name}</small>
      </th>
      <td className="price">
        <Price symbol={stock.symbol} quote={quote} />
        <small>{stock.currency}</small>
      </td>
      <td className={`change ${tone}`}>
        {format.percent(quote?.change_pct ?? null)}
        <small>{quote ? <Change symbol={stock.symbol} quote={quote} /> : format.NONE}</small>
      </td>
      <td className="trend">
        <Sparkline values={trendOf(stock, quote)} tone={tone} label={`Last hour of ${stock.symbol}`} />
      </td>
      <td className="volume">{format.volume(quote?.day_volume ?? null)}</td>
      <td className={`age ${age !== null && age > OLD_S ? 'old' : ''}`}>{age === null ? format.NONE : format.age(age)}</td>
      <td className="keep">
        <button
          type="button"
          className="icon-button"
          tabIndex={-1}
          aria-label={`${verb} ${stock.symbol}`}
          title={isOff ? 'Put back on the list' : 'Take off the list (Delete)'}
          onClick={(event) => {
            event.stopPropagation();
            onKeep(stock.symbol);
          }}
        >
          <Icon name={isOff ? 'add' : 'close'} />
        </button>
      </td>
    </tr>
  );
});

/** Certified closes and the live price; floats are for drawing alone. */
function trendOf(stock: Stock, quote: Quote | null): number[] {
  return [...stock.sparkline, ...(quote ? [quote.price] : [])].map(Number);
}

function Price({ symbol, quote }: { readonly symbol: string; readonly quote: Quote | null }) {
  if (!quote) return <span className="quiet">{format.NONE}</span>;
  return <Flash value={quote.price} text={format.price(quote.price, format.priceDigits(symbol, quote.price))} compare={compare} />;
}

function Change({ symbol, quote }: { readonly symbol: string; readonly quote: Quote }) {
  return format.signed(format.change(quote.price, quote.previous_close), format.priceDigits(symbol, quote.price));
}
