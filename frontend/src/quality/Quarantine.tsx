import type { RefusedBar } from '../api/types';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Notice } from '../ui/Notice';
import type { OpenBar } from './BarLink';
import { BarLink } from './BarLink';

interface Props {
  readonly bars: readonly RefusedBar[];
  readonly zone: Zone;
  readonly onOpen: OpenBar;
}

/** Bars that the gate refused, and what a reviewer decided of each. */
export function Quarantine({ bars, zone, onOpen }: Props) {
  if (bars.length === 0) return <Notice title="Nothing in quarantine">Bars that break a rule of the gate wait here for a decision.</Notice>;
  return (
    <div className="list tall">
      <table>
        <thead>
          <tr>
            <th scope="col">Symbol</th>
            <th scope="col">Minute</th>
            <th scope="col">State</th>
            <th scope="col" className="number minor">Close</th>
            <th scope="col" className="wide">Rules broken</th>
            <th scope="col">Run</th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => (
            <tr key={`${bar.symbol} ${bar.ts_start} ${bar.dagster_run_id}`} title={bar.decision ? `${bar.decision.decided_by}: ${bar.decision.reason}` : undefined}>
              <th scope="row"><BarLink symbol={bar.symbol} start={bar.ts_start} onOpen={onOpen} /></th>
              <td>{show(bar.ts_start, 'dayTime', zone)}</td>
              <td><span className={`state ${bar.state === 'open' ? 'open' : 'explained'}`}>{bar.state}</span></td>
              <td className="number minor">{format.price(bar.close, format.priceDigits(bar.symbol, bar.close))}</td>
              <td className="wide">{bar.rules.join(', ').replaceAll('_', ' ')}</td>
              <td><RunLink id={bar.dagster_run_id} url={bar.dagster_run_url} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
