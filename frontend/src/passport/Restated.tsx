import { useQuery } from '@tanstack/react-query';
import { barChangesQuery } from '../api/quality';
import type { Bar, BarChange } from '../api/types';
import * as format from '../domain/format';
import { changes } from '../domain/revisions';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { Section } from './Passport';
import { Diff } from './Revisions';

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
      {own.map((change) => <Own key={change.restatement_id} symbol={symbol} change={change} zone={zone} />)}
      {others.length > 0 && (
        <>
          <p className="quiet">{format.count(others.length)} other {others.length === 1 ? 'minute' : 'minutes'} of the session:</p>
          <ul className="minutes">
            {others.map((change) => (
              <li key={`${change.restatement_id} ${change.ts_start}`}>
                <button type="button" onClick={() => { onOpen(change.ts_start); }}>
                  <span>{show(change.ts_start, 'time', zone)}</span>
                  <span>{change.change}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

const isMinute = (bar: Bar): boolean => Date.parse(bar.ts_end) - Date.parse(bar.ts_start) === 60_000;

function Own({ symbol, change, zone }: { readonly symbol: string; readonly change: BarChange; readonly zone: Zone }) {
  const { before, after } = change;
  return (
    <>
      <p>
        Restatement {change.restatement_id} {change.change} it, accepted {show(change.ts_accepted, 'daySeconds', zone)}
      </p>
      {before && after && <Diff changes={changes(before, after, format.priceDigits(symbol, after.close))} />}
    </>
  );
}
