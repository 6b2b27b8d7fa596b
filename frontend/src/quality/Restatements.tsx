import type { Restatement } from '../api/types';
import * as format from '../domain/format';
import { outcomeOf, toneOf } from '../domain/restatements';
import type { Zone } from '../domain/time';
import { show, showDay } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Notice } from '../ui/Notice';

interface Props {
  readonly restatements: readonly Restatement[];
  readonly zone: Zone;
}

/** Sessions that were computed anew, and how many certified bars that changed. */
export function Restatements({ restatements, zone }: Props) {
  if (restatements.length === 0) return <Notice title="Nothing was restated">A session that is restated appears here, with what that changed.</Notice>;
  return (
    <div className="list tall">
      <table>
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col">State</th>
            <th scope="col" className="wide">Symbols</th>
            <th scope="col" className="number">Added</th>
            <th scope="col" className="number">Changed</th>
            <th scope="col" className="number">Removed</th>
            <th scope="col">Started</th>
            <th scope="col">Run</th>
          </tr>
        </thead>
        <tbody>
          {restatements.map((each) => (
            <tr key={each.restatement_id} title={each.last_error ?? `Ticks from: ${each.ticks_from ?? 'not known yet'}`}>
              <th scope="row">{showDay(each.session_date)}</th>
              <td><span className={`state ${toneOf(each)}`}>{outcomeOf(each)}</span></td>
              <td className="wide">{each.symbols?.join(', ') ?? 'all of the session'}{each.last_error && `: ${each.last_error}`}</td>
              <td className="number">{format.count(each.added_count)}</td>
              <td className="number">{format.count(each.changed_count)}</td>
              <td className="number">{format.count(each.removed_count)}</td>
              <td>{show(each.ts_started, 'dayTime', zone)}</td>
              <td><RunLink id={each.dagster_run_id} url={each.dagster_run_url} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
