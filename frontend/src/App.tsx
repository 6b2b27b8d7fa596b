import { useQuery } from '@tanstack/react-query';
import { stocksQuery } from './api/queries';
import { useLink, useStream } from './state/useLive';
import { useView } from './state/useView';
import { StatusBar } from './status/StatusBar';
import { SymbolView } from './symbol/SymbolView';
import { Notice } from './ui/Notice';
import { Watchlist } from './watchlist/Watchlist';

/** The page: how things stand, the watchlist, and the chosen symbol. */
export function App() {
  useStream();
  const link = useLink();
  const [view, change] = useView();
  const { data: stocks } = useQuery(stocksQuery);
  const symbol = view.symbol ?? stocks?.[0]?.symbol;
  const stock = stocks?.find((candidate) => candidate.symbol === symbol);

  return (
    <>
      <StatusBar zone={view.zone} onZone={(zone) => { change({ zone }); }} />
      <main className={link === 'reconnecting' ? 'frozen' : ''}>
        <section className="panel symbol" aria-label="Symbol">
          {symbol && <SymbolView symbol={symbol} stock={stock} view={view} onInterval={(interval) => { change({ interval }); }} />}
          {!symbol && !stocks && <div className="skeleton chart" role="status" aria-label="Waiting for the watchlist" />}
          {!symbol && stocks && <Notice title="No symbol to show">The first one appears with the first instrument.</Notice>}
        </section>
        <section className="panel watchlist" aria-label="Watchlist">
          <Watchlist view={view} symbol={symbol} onChange={change} />
        </section>
      </main>
      <footer>
        Prices of the open minute are provisional; a bar is certified when the quality gate has accepted it. Charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">TradingView</a> Lightweight Charts™, © 2025 TradingView, Inc.
      </footer>
    </>
  );
}
