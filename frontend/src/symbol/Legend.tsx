import type { Bar, Interval } from '../api/types';
import { standing } from '../domain/bars';
import { subtract } from '../domain/decimal';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show, showDay, zoneLabel } from '../domain/time';
import { Verdict } from '../passport/Verdict';
import { Fact } from '../ui/Fact';

interface Props {
  readonly symbol: string;
  readonly interval: Interval;
  readonly bar: Bar;
  readonly zone: Zone;
  /** What is marked at the bar, in words: a gap, a corporate action. */
  readonly note: string | null;
}

/** The bar under the cursor, or the last one, in numbers. */
export function Legend({ symbol, interval, bar, zone, note }: Props) {
  const digits = format.priceDigits(symbol, bar.close);
  const tone = format.direction(subtract(bar.close, bar.open));
  return (
    <div className="legend">
      <dl className="first">
        <Fact name="Bar">
          {interval === '1d' ? showDay(bar.session_date) : `${show(bar.ts_start, 'full', zone)} ${zoneLabel(bar.ts_start, zone)}`}
        </Fact>
        <Fact name="Verdict">
          <Verdict standing={standing(bar)} />
        </Fact>
        <Fact name="Revision">{bar.revision ?? format.NONE}</Fact>
        {note && (
          <div className="note">
            <dt>Mark</dt>
            <dd title={note}>{note}</dd>
          </div>
        )}
      </dl>
      <dl>
        <Fact name="O">{format.price(bar.open, digits)}</Fact>
        <Fact name="H">{format.price(bar.high, digits)}</Fact>
        <Fact name="L">{format.price(bar.low, digits)}</Fact>
        <Fact name="C">
          <span className={tone}>{format.price(bar.close, digits)}</span>
        </Fact>
        <Fact name="Vol">{format.volume(bar.volume)}</Fact>
        <Fact name="VWAP">{format.price(bar.vwap, digits)}</Fact>
        <Fact name="Ticks">{format.count(bar.tick_count)}</Fact>
      </dl>
    </div>
  );
}
