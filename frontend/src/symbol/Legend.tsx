import type { ReactNode } from 'react';
import type { Bar, Interval } from '../api/types';
import { standing } from '../domain/bars';
import { subtract } from '../domain/decimal';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show, showDay, zoneLabel } from '../domain/time';

interface Props {
  readonly symbol: string;
  readonly interval: Interval;
  readonly bar: Bar;
  readonly zone: Zone;
}

/** The bar under the cursor, or the last one, in numbers. */
export function Legend({ symbol, interval, bar, zone }: Props) {
  const digits = format.priceDigits(symbol, bar.close);
  const tone = format.direction(subtract(bar.close, bar.open));
  return (
    <div className="legend">
      <dl>
        <Entry name="Bar">
          {interval === '1d' ? showDay(bar.session_date) : `${show(bar.ts_start, 'full', zone)} ${zoneLabel(bar.ts_start, zone)}`}
        </Entry>
        <Entry name="Verdict">
          <span className={`standing ${standing(bar)}`}>{bar.verdict ?? 'provisional'}</span>
        </Entry>
        <Entry name="Revision">{bar.revision ?? format.NONE}</Entry>
      </dl>
      <dl>
        <Entry name="O">{format.price(bar.open, digits)}</Entry>
        <Entry name="H">{format.price(bar.high, digits)}</Entry>
        <Entry name="L">{format.price(bar.low, digits)}</Entry>
        <Entry name="C">
          <span className={tone}>{format.price(bar.close, digits)}</span>
        </Entry>
        <Entry name="Vol">{format.volume(bar.volume)}</Entry>
        <Entry name="VWAP">{format.price(bar.vwap, digits)}</Entry>
        <Entry name="Ticks">{format.count(bar.tick_count)}</Entry>
      </dl>
    </div>
  );
}

function Entry({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
