export type OpenBar = (symbol: string, start: string) => void;

interface Props {
  readonly symbol: string;
  readonly start: string;
  readonly onOpen: OpenBar;
}

/** From a row of a list to the chart, at that minute. */
export function BarLink({ symbol, start, onOpen }: Props) {
  return (
    <button type="button" className="link strong" title={`Show ${symbol} at that minute`} onClick={() => { onOpen(symbol, start); }}>
      {symbol}
    </button>
  );
}
