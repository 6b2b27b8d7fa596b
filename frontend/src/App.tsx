import { useQuery } from '@tanstack/react-query';
import type { KeyboardEvent } from 'react';
import { lazy, Suspense } from 'react';
import { stocksQuery } from './api/queries';
import type { Stock } from './api/types';
import type { View } from './domain/view';
import { BarPanel } from './passport/BarPanel';
import { useBars } from './state/useBars';
import { useLink, useStream } from './state/useLive';
import { useView } from './state/useView';
import { StatusBar } from './status/StatusBar';
import { SymbolView } from './symbol/SymbolView';
import { Guard } from './ui/Guard';
import { Notice } from './ui/Notice';
import { Watchlist } from './watchlist/Watchlist';

// Fetched when they are first looked at.
const MarketView = lazy(() => import('./market/MarketView'));
const QualityView = lazy(() => import('./quality/QualityView'));

/** The page: how things stand, the watchlist, and the chosen symbol. */
export function App() {
  useStream();
  const link = useLink();
  const [view, change] = useView();

  return (
    <>
      <StatusBar view={view} onChange={change} />
      <main className={`${view.page} ${link === 'reconnecting' ? 'frozen' : ''}`}>
        <Guard key={view.page}>
          <Suspense fallback={<div className="skeleton view" role="status" aria-label="Loading the view" />}>
            <Shown view={view} onChange={change} />
          </Suspense>
        </Guard>
      </main>
      <footer>
        Prices of the open minute are provisional; a bar is certified when the quality gate has accepted it. Charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">TradingView</a> Lightweight Charts™, © 2025 TradingView, Inc.
      </footer>
    </>
  );
}

interface Props {
  readonly view: View;
  readonly onChange: (patch: Partial<View>) => void;
}

function Shown({ view, onChange }: Props) {
  switch (view.page) {
    case 'symbol':
      return <Symbols view={view} onChange={onChange} />;
    case 'market':
      return <MarketView onChange={onChange} />;
    case 'quality':
      return <QualityView view={view} onChange={onChange} />;
  }
}

function Symbols({ view, onChange }: Props) {
  const { data: stocks, error } = useQuery(stocksQuery);
  const symbol = view.symbol ?? stocks?.[0]?.symbol;
  const stock = stocks?.find((candidate) => candidate.symbol === symbol);
  const close = () => {
    onChange({ bar: null });
    document.querySelector<HTMLElement>('.canvas')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && view.bar && !(event.target instanceof HTMLInputElement)) close();
  };
  return (
    <div className={view.bar && symbol ? 'symbols with-passport' : 'symbols'} onKeyDown={onKeyDown}>
      <section className="panel symbol" aria-label="Symbol">
        {symbol && <SymbolView symbol={symbol} stock={stock} view={view} onChange={onChange} />}
        {!symbol && !stocks && error && <Notice title="No symbol to show">The first one comes with the watchlist.</Notice>}
        {!symbol && !stocks && !error && <div className="skeleton chart" role="status" aria-label="Waiting for the watchlist" />}
        {!symbol && stocks && <Notice title="No symbol to show">The first one appears with the first instrument.</Notice>}
      </section>
      {symbol && view.bar && <ChosenBar symbol={symbol} bar={view.bar} view={view} onChange={onChange} onClose={close} />}
      <section className="panel watchlist" aria-label="Watchlist">
        <Watchlist view={view} symbol={symbol} onChange={onChange} />
      </section>
    </div>
  );
}

interface ChosenProps extends Props {
  readonly symbol: Stock['symbol'];
  readonly bar: string;
  readonly onClose: () => void;
}

function ChosenBar({ symbol, bar, view, onChange, onClose }: ChosenProps) {
  const { page, index, error } = useBars(symbol, view);
  return (
    <BarPanel symbol={symbol} interval={view.interval} start={bar} bars={page?.items ?? []} isAwaited={!page && !error} index={index} zone={view.zone} onChange={onChange} onClose={onClose} />
  );
}
