import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ApiProblem } from '../api/client';
import { actionsQuery } from '../api/quality';
import { gapsQuery } from '../api/queries';
import type { Bar, BarPage, CorporateAction, Gap, Stock } from '../api/types';
import { standing } from '../domain/bars';
import * as format from '../domain/format';
import { actionMarks, bands, gapAt, sessionStarts } from '../domain/marks';
import { show, showDay, zoneName } from '../domain/time';
import type { View } from '../domain/view';
import { instantText } from '../domain/view';
import { useBars } from '../state/useBars';
import { Guard } from '../ui/Guard';
import { Notice } from '../ui/Notice';
import { BarChart } from './BarChart';
import { Headline } from './Headline';
import { LastSale } from './LastSale';
import { Legend } from './Legend';
import type { Marks } from './markLayer';
import { Key, Tools } from './Tools';

interface Props {
  readonly symbol: string;
  /** Undefined while the watchlist loads, or where it does not hold the symbol. */
  readonly stock: Stock | undefined;
  readonly view: View;
  readonly onChange: (patch: Partial<View>) => void;
}

/** One symbol: its price now, and its bars with how far each can be trusted. */
export function SymbolView({ symbol, stock, view, onChange }: Props) {
  const { page, isPast, isCut, index, place, error, retry } = useBars(symbol, view);
  return (
    <>
      <Headline symbol={symbol} stock={stock} />
      <Tools
        interval={view.interval}
        lines={view.lines}
        onInterval={(interval) => { onChange({ interval }); }}
        onLines={(lines) => { onChange({ lines }); }}
      >
        <LastSale symbol={symbol} stock={stock} zone={view.zone} />
      </Tools>
      <div className="stage">
        {page && page.items.length > 0 && (
          <Guard key={`${symbol} ${view.interval} ${isPast ? 'past' : 'now'}`}>
            <Chart page={page} isCut={isCut} selected={index} place={place} view={view} currency={stock?.currency ?? ''} onChange={onChange} />
          </Guard>
        )}
        {page?.items.length === 0 && !isPast && <Notice title="No bars yet">The first one appears within a minute of the first tick.</Notice>}
        {page?.items.length === 0 && isPast && <Notice title="No bars of that time">{symbol} has none that old; its bars begin later.</Notice>}
        {!page && !error && <div className="skeleton chart" role="status" aria-label="Loading bars" />}
        {!page && error && isUnknown(error) && stock && <Notice title="No bars here">This API has quotes alone.</Notice>}
        {!page && error && isUnknown(error) && !stock && <Notice title={`${symbol} is not watched`}>Choose a symbol of the watchlist.</Notice>}
        {!page && error && !isUnknown(error) && (
          <Notice title="The bars cannot be shown" tone="bad" action={{ text: 'Try again', onClick: retry }}>
            {error.message}
          </Notice>
        )}
        <div className="under">
          {page && page.items.length > 0 && <Key />}
          {isPast && <button type="button" className="button" onClick={() => { onChange({ bar: null }); }}>Back to now</button>}
        </div>
      </div>
    </>
  );
}

const isUnknown = (error: Error): boolean => error instanceof ApiProblem && error.title === 'Not found';

interface ChartProps {
  readonly page: BarPage;
  readonly isCut: boolean;
  readonly selected: number | null;
  readonly place: number | null;
  readonly view: View;
  readonly currency: string;
  readonly onChange: (patch: Partial<View>) => void;
}

function Chart({ page, isCut, selected, place, view, currency, onChange }: ChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const marks = useMarks(page, selected);
  const last = page.items.length - 1;
  const at = Math.max(0, Math.min(last, pointed ?? selected ?? last));
  const bar = page.items[at];
  const open = (index: number) => {
    const opened = page.items[index];
    if (opened) onChange({ bar: instantText(Date.parse(opened.ts_start)) });
  };
  return (
    <>
      {bar && <Legend symbol={page.symbol} interval={page.interval} bar={bar} zone={view.zone} note={noteOf(marks, at)} />}
      <BarChart
        page={page}
        isCut={isCut}
        marks={marks}
        place={place}
        lines={view.lines}
        zone={view.zone}
        label={`${page.symbol}, ${page.interval} bars in ${currency}, ${zoneName(view.zone)}`}
        describe={(index) => describe(page, view, page.items[index])}
        onPoint={setPointed}
        onOpen={open}
      />
    </>
  );
}

const NO_GAPS: readonly Gap[] = [];
const NO_ACTIONS: readonly CorporateAction[] = [];

/** The same marks until bars come or go: a price that moves changes no place. */
function useMarks(page: BarPage, selected: number | null): Marks {
  const gaps = useQuery(gapsQuery(page.symbol)).data ?? NO_GAPS;
  const actions = useQuery(actionsQuery(page.symbol)).data ?? NO_ACTIONS;
  const key = `${page.items[0]?.ts_start ?? ''} ${page.items.length}`;
  const isDaily = page.interval === '1d';
  const places = useMemo(
    () => ({
      bands: isDaily ? [] : bands(page.items, gaps),
      starts: isDaily ? [] : sessionStarts(page.items),
      actions: actionMarks(page.items, actions),
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` stands for the bars: only where they are counts
    [key, gaps, actions, isDaily],
  );
  return useMemo(() => ({ ...places, selected }), [places, selected]);
}

function noteOf(marks: Marks, index: number): string | null {
  const action = marks.actions.find((mark) => mark.index === index);
  if (action) return action.words;
  const gap = gapAt(marks.bands, index);
  return gap && `${gap.gap_class.replaceAll('_', ' ')}, ${format.count(gap.minute_count)} min, ${gap.state}. ${gap.evidence}`;
}

function describe(page: BarPage, { zone, interval }: View, bar: Bar | undefined): string {
  if (!bar) return 'no bar';
  const when = interval === '1d' ? showDay(bar.session_date) : show(bar.ts_start, 'dayTime', zone);
  return `${when}, close ${format.price(bar.close, format.priceDigits(page.symbol, bar.close))}, ${standing(bar)}`;
}
