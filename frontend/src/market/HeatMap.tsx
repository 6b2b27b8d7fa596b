import type { CSSProperties } from 'react';
import { memo } from 'react';
import { round } from '../domain/decimal';
import * as format from '../domain/format';
import type { Sector, Tile } from '../domain/market';
import { FULL_PCT, strength } from '../domain/market';

interface Props {
  readonly sectors: readonly Sector[];
  readonly onOpen: (symbol: string) => void;
}

/** One tile a symbol, coloured by its change, in blocks by sector. Places depend on names alone: nothing jumps. */
export function HeatMap({ sectors, onOpen }: Props) {
  return (
    <div className="heat-map">
      {sectors.map(({ name, tiles, mean }) => (
        <section key={name} aria-label={name} style={{ '--tiles': tiles.length } as CSSProperties}>
          <h3>
            <b title={name}>{name}</b> <span className={mean === null ? '' : format.direction(mean.toFixed(2))}>{format.percent(mean?.toFixed(2) ?? null)}</span>
          </h3>
          <div className="tiles">
            {tiles.map((tile) => (
              <Square key={tile.symbol} {...tile} onOpen={onOpen} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

type SquareProps = Tile & { readonly onOpen: (symbol: string) => void };

const Square = memo(function Square({ symbol, name, price, change, onOpen }: SquareProps) {
  const shown = change === null ? null : round(change, 2);
  const tone = format.direction(shown);
  const digits = price === null ? 2 : format.priceDigits(symbol, price);
  return (
    <button
      type="button"
      className={`tile ${tone}`}
      style={{ '--strength': strength(shown === null ? null : Number(shown)).toFixed(2) } as CSSProperties}
      title={`${name}: ${format.price(price, digits)}`}
      onClick={() => { onOpen(symbol); }}
    >
      <b>{symbol}</b>
      <span>{format.percent(change)}</span>
    </button>
  );
});

const STEPS = [-1, -0.5, -0.125, 0, 0.125, 0.5, 1];

/** What the colours mean. */
export function Scale() {
  return (
    <div className="scale">
      <span>{format.percent(`-${FULL_PCT}`)}</span>
      {STEPS.map((step) => (
        <i key={step} className={`tile ${format.direction(String(step))}`} style={{ '--strength': strength(step * FULL_PCT).toFixed(2) } as CSSProperties} />
      ))}
      <span>{format.percent(String(FULL_PCT))}</span>
    </div>
  );
}
