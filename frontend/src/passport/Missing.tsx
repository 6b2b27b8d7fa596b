import type { Gap } from '../api/types';
import * as format from '../domain/format';
import { gapTone } from '../domain/marks';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { Fact } from '../ui/Fact';
import { Section } from './Passport';

/** A minute without a certified bar: the ledger says why, and what becomes of it. */
export function Missing({ gap, zone }: { readonly gap: Gap; readonly zone: Zone }) {
  return (
    <Section title="No bar: the gap ledger’s entry">
      <p className="row">
        <b>{gap.gap_class.replaceAll('_', ' ')}</b>
        <span className={`state ${gapTone(gap.state)}`}>{gap.state}</span>
      </p>
      <p>{gap.evidence}</p>
      {gap.closed_reason && <p className="quiet">{gap.closed_reason}</p>}
      <dl className="facts-list">
        <Fact name="From">{show(gap.ts_start, 'daySeconds', zone)}</Fact>
        <Fact name="To">{show(gap.ts_end, 'daySeconds', zone)}</Fact>
        <Fact name="Minutes">{format.count(gap.minute_count)}</Fact>
        <Fact name="Found">{show(gap.ts_found, 'daySeconds', zone)}</Fact>
        <Fact name="Closed">{gap.ts_closed ? show(gap.ts_closed, 'daySeconds', zone) : 'not yet'}</Fact>
        <Fact name="Repair runs">{format.count(gap.attempt_count)}</Fact>
        <Fact name="Closed by"><RunLink id={gap.closed_by_run} url={gap.closed_by_run_url} /></Fact>
      </dl>
    </Section>
  );
}
