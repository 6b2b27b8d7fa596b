import type { HopLatency } from '../api/types';
import * as format from '../domain/format';
import { hops, milliseconds } from '../domain/levels';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { Notice } from '../ui/Notice';
import { Sparkline } from '../ui/Sparkline';

interface Props {
  readonly rows: readonly HopLatency[];
  readonly zone: Zone;
}

/** How long each hop took in its newest minute, and the course of its slowest percent. */
export function Latency({ rows, zone }: Props) {
  const known = hops(rows);
  if (known.length === 0) return <Notice title="No latency measured yet">Figures come with the first minute of ticks.</Notice>;
  return (
    <div className="list">
      <table>
        <thead>
          <tr>
            <th scope="col">Hop</th>
            <th scope="col" className="number">p50</th>
            <th scope="col" className="number">p95</th>
            <th scope="col" className="number">p99</th>
            <th scope="col" className="number minor">Worst</th>
            <th scope="col" className="number minor">Seen</th>
            <th scope="col" className="trend">p99, last hour</th>
          </tr>
        </thead>
        <tbody>
          {known.map(({ hop, name, newest, p99 }) => (
            <tr key={hop} title={`Minute of ${show(newest.ts_minute, 'time', zone)}`}>
              <th scope="row">{name}</th>
              <td className="number">{milliseconds(newest.p50_ms)}</td>
              <td className="number">{milliseconds(newest.p95_ms)}</td>
              <td className="number strong">{milliseconds(newest.p99_ms)}</td>
              <td className="number minor">{milliseconds(newest.max_ms)}</td>
              <td className="number minor">{format.volume(newest.observation_count)}</td>
              <td className="trend"><Sparkline values={p99} tone="flat" label={`p99 of ${name} by minute`} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
