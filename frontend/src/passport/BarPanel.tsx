import type { Bar, Interval } from '../api/types';
import { standing } from '../domain/bars';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show, showDay, zoneLabel } from '../domain/time';
import type { View } from '../domain/view';
import { instantText } from '../domain/view';
import { Fact } from '../ui/Fact';
import { Guard } from '../ui/Guard';
import { Minutes } from './Minutes';
import { Panel } from './Panel';
import { Restated } from './Restated';
import { Passport, Waiting } from './Passport';
import { Verdict } from './Verdict';

interface Props {
  readonly symbol: string;
  readonly interval: Interval;
  /** Start of the bar, as the address says it. */
  readonly start: string;
  readonly bars: readonly Bar[];
  readonly isAwaited: boolean;
  /** Index among the bars; null while they load, or where there is no such bar. */
  readonly index: number | null;
  readonly zone: Zone;
  readonly onChange: (patch: Partial<View>) => void;
  readonly onClose: () => void;
}

/** All that is known of the chosen bar, beside the chart. */
export function BarPanel({ symbol, interval, start, bars, isAwaited, index, zone, onChange, onClose }: Props) {
  const at = index ?? Number.NaN;
  const bar = bars[at];
  const goTo = (target: Bar | undefined) =>
    target && (() => { onChange({ bar: instantText(Date.parse(target.ts_start)) }); });
  const openMinute = (minute: string) => { onChange({ interval: '1m', bar: instantText(Date.parse(minute)) }); };
  return (
    <Panel
      title={interval === '1d' && bar ? `${symbol} ${showDay(bar.session_date)}` : `${symbol} ${show(start, 'time', zone)} ${zoneLabel(start, zone)}`}
      subtitle={`${interval === '1d' ? 'Session' : show(start, 'date', zone)}, ${interval} bar`}
      badge={bar && <Numbers symbol={symbol} bar={bar} />}
      onClose={onClose}
      onOlder={goTo(bars[at - 1])}
      onNewer={goTo(bars[at + 1])}
    >
      <Guard key={`${symbol} ${start}`}>
        {interval === '1m' && isAwaited && <Waiting />}
        {interval === '1m' && !isAwaited && <Passport symbol={symbol} start={start} bar={bar} zone={zone} />}
        {interval !== '1m' && bar && (
          <Minutes symbol={symbol} bar={bar} zone={zone} onOpen={openMinute} />
        )}
        {bar && <Restated symbol={symbol} bar={bar} zone={zone} onOpen={openMinute} />}
      </Guard>
    </Panel>
  );
}

function Numbers({ symbol, bar }: { readonly symbol: string; readonly bar: Bar }) {
  const digits = format.priceDigits(symbol, bar.close);
  return (
    <div className="numbers">
      <div className="row">
        <Verdict standing={standing(bar)} />
        <span className="quiet">{bar.revision === null ? '' : `Revision ${bar.revision}`}</span>
      </div>
      <dl>
        <Fact name="Open">{format.price(bar.open, digits)}</Fact>
        <Fact name="High">{format.price(bar.high, digits)}</Fact>
        <Fact name="Low">{format.price(bar.low, digits)}</Fact>
        <Fact name="Close">{format.price(bar.close, digits)}</Fact>
        <Fact name="Volume" title={bar.volume === null ? 'No volume' : format.count(bar.volume)}>{format.volume(bar.volume)}</Fact>
        <Fact name="VWAP">{format.price(bar.vwap, digits)}</Fact>
        <Fact name="Ticks">{format.count(bar.tick_count)}</Fact>
      </dl>
    </div>
  );
}
