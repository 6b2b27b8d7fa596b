import type { BarVersion, Passport } from '../api/types';
import { standingOf } from '../domain/bars';
import { priceDigits } from '../domain/format';
import type { Change } from '../domain/revisions';
import { changes } from '../domain/revisions';
import type { Zone } from '../domain/time';
import { show, zoneLabel } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Verdict } from './Verdict';

interface Props {
  readonly passport: Passport;
  readonly zone: Zone;
}

/** Every version that was ever accepted, newest first, with what each changed. */
export function Revisions({ passport, zone }: Props) {
  const { revisions, symbol } = passport;
  const rows = revisions.map((version, index) => ({ version, before: revisions[index - 1] })).reverse();
  return (
    <ol className="revisions">
      {rows.map(({ version, before }) => (
        <li key={version.revision}>
          <div className="row">
            <b>Revision {version.revision}</b>
            <Verdict standing={standingOf(version.verdict)} />
            <RunLink id={version.dagster_run_id} url={version.dagster_run_url} />
          </div>
          <small>
            {show(version.ts_valid_from, 'daySeconds', zone)} {zoneLabel(version.ts_valid_from, zone)}
            {version.ts_valid_to ? ` until ${show(version.ts_valid_to, 'daySeconds', zone)}` : ', in force'}
          </small>
          {before && <Diff changes={changes(before, version, priceDigits(symbol, version.close))} verdicts={verdicts(before, version)} />}
        </li>
      ))}
    </ol>
  );
}

function verdicts(before: BarVersion, after: BarVersion): string {
  return before.verdict === after.verdict ? '' : `Verdict ${before.verdict} → ${after.verdict}`;
}

interface DiffProps {
  readonly changes: readonly Change[];
  readonly verdicts?: string;
}

/** Before and after, one row a figure. */
function Diff({ changes: rows, verdicts: note = '' }: DiffProps) {
  if (rows.length === 0) return <p className="quiet">{note ? `${note}; no figure changed.` : 'No figure changed.'}</p>;
  return (
    <table className="diff">
      <thead>
        <tr>
          <th scope="col">Figure</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td><del>{before}</del></td>
            <td><ins>{after}</ins></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
