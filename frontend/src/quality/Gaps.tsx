import type { SymbolGap } from '../api/types';
import * as format from '../domain/format';
import { gapTone } from '../domain/marks';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Notice } from '../ui/Notice';
import { BarLink } from './BarLink';
import type { OpenBar } from './BarLink';

interface Props {
  readonly gaps: readonly SymbolGap[];
  readonly zone: Zone;
  readonly onOpen: OpenBar;
}

/** The ledger of session minutes without a certified bar: why, and what became of each. */
export function Gaps({ gaps, zone, onOpen }: Props) {
  if (gaps.length === 0) return <Notice title="No gaps here">Every closed session minute since watching began has a certified bar, or is looked at right now.</Notice>;
  return (
    <div className="list tall">
      <table>
        <thead>
          <tr>
            <th scope="col">Symbol</th>
            <th scope="col">From</th>
            <th scope="col" className="number minor">Minutes</th>
            <th scope="col">Class</th>
            <th scope="col">State</th>
            <th scope="col" className="wide">Evidence</th>
            <th scope="col">Closed by</th>
          </tr>
        </thead>
        <tbody>
          {gaps.map((gap) => (
            <tr key={`${gap.symbol} ${gap.ts_start}`}>
              <th scope="row"><BarLink symbol={gap.symbol} start={gap.ts_start} onOpen={onOpen} /></th>
              <td>{show(gap.ts_start, 'dayTime', zone)}</td>
              <td className="number minor">{format.count(gap.minute_count)}</td>
              <td>{gap.gap_class.replaceAll('_', ' ')}</td>
              <td><span className={`state ${gapTone(gap.state)}`}>{gap.state}</span></td>
              <td className="wide" title={gap.closed_reason ?? gap.evidence}>{gap.evidence}</td>
              <td><RunLink id={gap.closed_by_run} url={gap.closed_by_run_url} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
