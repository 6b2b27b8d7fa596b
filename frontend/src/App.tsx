import { useQuery } from '@tanstack/react-query';
import { stocksQuery } from './api/queries';
import { rank } from './domain/watchlist';
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
  const first = stocks && rank(stocks, view.sort, '')[0];
  const symbol = view.symbol ?? first?.symbol;
  const stock = stocks?.find((candidate) => candidate.symbol === symbol);

  return (
    <>
      <StatusBar zone={view.zone} onZone={(zone) => { change({ zone }); }} />
      <main className={link === 'reconnecting' ? 'frozen' : ''}>
        <section className="panel symbol" aria-label="Symbol">
          {symbol ? (
            <SymbolView symbol={symbol} stock={stock} view={view} onInterval={(interval) => { change({ interval }); }} />
          ) : (
            <Notice title="No symbol chosen">Choose one in the watchlist.</Notice>
          )}
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
