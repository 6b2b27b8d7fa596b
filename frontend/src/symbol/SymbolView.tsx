import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { barsQuery } from '../api/queries';
import type { Bar, BarPage, Interval, Stock } from '../api/types';
import type { View } from '../domain/view';
import { INTERVALS } from '../domain/view';
import type { Zone } from '../domain/time';
import { zoneName } from '../domain/time';
import { Guard } from '../ui/Guard';
import { Notice } from '../ui/Notice';
import { Segmented } from '../ui/Segmented';
import { BarChart } from './BarChart';
import { Headline } from './Headline';
import { Legend } from './Legend';

interface Props {
  readonly symbol: string;
  /** Undefined while the watchlist loads, or where it does not hold the symbol. */
  readonly stock: Stock | undefined;
  readonly view: View;
  readonly onInterval: (interval: Interval) => void;
}

/** One symbol: its price now, and its bars with how far each can be trusted. */
export function SymbolView({ symbol, stock, view, onInterval }: Props) {
  const { data: page, error, refetch } = useQuery(barsQuery(symbol, view.interval));
  return (
    <>
      <Headline symbol={symbol} stock={stock} />
      <div className="tools">
        <Segmented
          label="Length of a bar"
          value={view.interval}
          onChange={onInterval}
          choices={INTERVALS.map((value) => ({ value, text: value }))}
        />
        <Key />
        <span className="quiet">{[stock?.currency, zoneName(view.zone)].filter(Boolean).join(' · ')}</span>
      </div>
      <div className="stage">
        {page && page.items.length > 0 && (
          <Guard key={`${symbol} ${view.interval}`}>
            <Chart page={page} zone={view.zone} currency={stock?.currency ?? ''} />
          </Guard>
        )}
        {page?.items.length === 0 && <Notice title="No bars yet">The first one appears within a minute of the first tick.</Notice>}
        {!page && !error && <div className="skeleton chart" role="status" aria-label="Loading bars" />}
        {!page && error && (
          <Notice title="The bars cannot be shown" tone="bad" action={{ text: 'Try again', onClick: () => void refetch() }}>
            {error.message}
          </Notice>
        )}
      </div>
    </>
  );
}

interface ChartProps {
  readonly page: BarPage;
  readonly zone: Zone;
  readonly currency: string;
}

function Chart({ page, zone, currency }: ChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const last = page.items.at(-1);
  const bar: Bar | undefined = pointed === null ? last : (page.items[pointed] ?? last);
  return (
    <>
      {bar && <Legend symbol={page.symbol} interval={page.interval} bar={bar} zone={zone} />}
      <BarChart page={page} zone={zone} onPoint={setPointed} label={`${page.symbol}, ${page.interval} bars in ${currency}`} />
    </>
  );
}

const STANDINGS = ['certified', 'provisional', 'suspect', 'restated'] as const;

function Key() {
  return (
    <ul className="key" aria-label="How bars are drawn">
      {STANDINGS.map((standing) => (
        <li key={standing} className={standing}>
          {standing}
        </li>
      ))}
    </ul>
  );
}
