import type { CSSProperties } from 'react';
import type { SectorBreadth } from '../api/types';
import * as format from '../domain/format';
import { share } from '../domain/levels';
import { Notice } from '../ui/Notice';

/** How many rose and fell, by sector; all of them first. */
export function Breadth({ rows }: { readonly rows: readonly SectorBreadth[] }) {
  if (rows.length === 0) return <Notice title="No session yet">Breadth is counted from the first certified bars on.</Notice>;
  return (
    <div className="list">
      <table>
        <thead>
          <tr>
            <th scope="col">Sector</th>
            <th scope="col" className="wide">Falling and rising</th>
            <th scope="col" className="number">Fell</th>
            <th scope="col" className="number minor">Same</th>
            <th scope="col" className="number">Rose</th>
            <th scope="col" className="number">Mean change</th>
            <th scope="col" className="number">Above SMA 50</th>
            <th scope="col" className="number">Volume</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.sector} className={row.sector === 'ALL' ? 'total' : ''}>
              <th scope="row">{row.sector === 'ALL' ? 'All sectors' : row.sector}</th>
              <td className="wide"><Split row={row} /></td>
              <td className="number">{format.count(row.declining_count)}</td>
              <td className="number minor">{format.count(row.unchanged_count)}</td>
              <td className="number">{format.count(row.advancing_count)}</td>
              <td className={`number ${row.mean_change_pct === null ? '' : format.direction(row.mean_change_pct.toFixed(2))}`}>
                {format.percent(row.mean_change_pct?.toFixed(4) ?? null)}
              </td>
              <td className="number">{share(row.above_sma_50_ratio, 0)}</td>
              <td className="number">{format.volume(row.volume)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Split({ row }: { readonly row: SectorBreadth }) {
  const parts = { down: row.declining_count, flat: row.unchanged_count, up: row.advancing_count };
  return (
    <span className="split" aria-hidden="true">
      {Object.entries(parts).map(([tone, count]) => count > 0 && <i key={tone} className={tone} style={{ '--count': count } as CSSProperties} />)}
    </span>
  );
}
