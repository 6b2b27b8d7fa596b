import type { Stock } from '../api/types';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show, zoneLabel } from '../domain/time';
import { newer } from '../domain/watchlist';
import { useQuotes } from '../state/useLive';
import { usePlatformClock } from '../state/usePlatformClock';

interface Props {
  readonly symbol: string;
  readonly stock: Stock | undefined;
  readonly zone: Zone;
}

const SECOND_MS = 1000;
/** Older than this the price is said to be old. */
const OLD_S = 60;

/** When the price was made; how long ago, once it is old. */
export function LastSale({ symbol, stock, zone }: Props) {
  const quote = newer(useQuotes()[symbol], stock?.quote);
  const clock = usePlatformClock();
  if (!quote) return null;
  const age = clock === null ? 0 : (clock - Date.parse(quote.ts_event)) / SECOND_MS;
  return (
    <span className={`last-sale ${age > OLD_S ? 'old' : ''}`}>
      Last sale {show(quote.ts_event, 'seconds', zone)} {zoneLabel(quote.ts_event, zone)}
      {age > OLD_S && `, ${format.duration(age)} ago`}
    </span>
  );
}
