import type { Stock } from '../api/types';
import { compare } from '../domain/decimal';
import * as format from '../domain/format';
import { newer } from '../domain/watchlist';
import { useQuotes } from '../state/useLive';
import { Flash } from '../ui/Flash';

interface Props {
  readonly symbol: string;
  readonly stock: Stock | undefined;
}

const ARROW = { up: '▲', down: '▼', flat: '' } as const;

/** Name and price now, large. */
export function Headline({ symbol, stock }: Props) {
  const quote = newer(useQuotes()[symbol], stock?.quote);
  const digits = quote ? format.priceDigits(symbol, quote.price) : 2;
  const tone = format.direction(quote?.change_pct ?? null);
  return (
    <div className="headline">
      <div>
        <h2>{symbol}</h2>
        <p className="quiet">{stock ? `${stock.name} · ${stock.sector}` : 'Not in the watchlist'}</p>
      </div>
      <div className="now">
        <p className="big" data-testid="price">
          {quote ? <Flash value={quote.price} text={format.price(quote.price, digits)} compare={compare} /> : format.NONE}
          {stock && <small>{stock.currency}</small>}
        </p>
        <p className={tone}>
          {quote
            ? `${ARROW[tone]} ${format.signed(format.change(quote.price, quote.previous_close), digits)} (${format.percent(quote.change_pct)})`
            : 'No quote yet'}
        </p>
      </div>
    </div>
  );
}
