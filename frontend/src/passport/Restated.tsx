import { useQuery } from '@tanstack/react-query';
import { barChangesQuery } from '../api/quality';
import type { Bar, BarChange } from '../api/types';
import * as format from '../domain/format';
import { changes } from '../domain/revisions';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Section } from './Passport';

interface Props {
  readonly symbol: string;
  readonly bar: Bar;
  readonly zone: Zone;
  readonly onOpen: (start: string) => void;
}

/** What restatements did to the bar and to others of its session. Nothing where nothing was restated. */
export function Restated({ symbol, bar, zone, onOpen }: Props) {
  const { data, error } = useQuery(barChangesQuery(symbol));
  if (error && !data) return <p className="doubt">Whether its session was restated is not known: {error.message}</p>;
  const ofSession = data?.filter(({ session_date }) => session_date === bar.session_date) ?? [];
  if (ofSession.length === 0) return null;
  const own = ofSession.filter(({ ts_start }) => Date.parse(ts_start) === Date.parse(bar.ts_start) && isMinute(bar));
  const others = ofSession.filter((change) => !own.includes(change));
  return (
    <Section title={`Restated, session ${bar.session_date}`}>
      {own.map((change) => (
        <p key={change.restatement_id}>
          Restatement {change.restatement_id} {change.change} this minute, accepted {show(change.ts_accepted, 'daySeconds', zone)}:{' '}
          {inWords(symbol, change)}. <RunLink id={change.dagster_run_id} url={change.dagster_run_url} />
        </p>
      ))}
      {others.length > 0 && (
        <>
          <p className="row wrap">
            <span className="quiet">{format.count(others.length)} other {others.length === 1 ? 'minute' : 'minutes'} of the session</span>
            {runsOf(others).map((change) => <RunLink key={change.dagster_run_id} id={change.dagster_run_id} url={change.dagster_run_url} />)}
          </p>
          <ul className="minutes">
            {others.map((change) => (
              <li key={`${change.restatement_id} ${change.ts_start}`}>
                <button type="button" onClick={() => { onOpen(change.ts_start); }}>
                  <span>{show(change.ts_start, 'time', zone)}</span>
                  <span className="words">{inWords(symbol, change)}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

/** One change of each run that accepted some. */
function runsOf(changed: readonly BarChange[]): readonly BarChange[] {
  return changed.filter(({ dagster_run_id }, index) => changed.findIndex((each) => each.dagster_run_id === dagster_run_id) === index);
}

const isMinute = (bar: Bar): boolean => Date.parse(bar.ts_end) - Date.parse(bar.ts_start) === 60_000;

/** "Close 591.31 → 591.22, Volume 1,200 → 99,526", or that the bar came or went. */
function inWords(symbol: string, { change, before, after }: BarChange): string {
  if (!before || !after) return change;
  const digits = format.priceDigits(symbol, after.close);
  return changes(before, after, digits).map((each) => `${each.name} ${each.before} → ${each.after}`).join(', ') || 'no figure changed';
}
