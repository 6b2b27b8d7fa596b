import type { ReactNode } from 'react';
import type { Passport } from '../api/types';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show, zoneLabel } from '../domain/time';
import { RunLink } from '../runs/RunLink';
import { CopyButton } from '../ui/CopyButton';

const SECOND_MS = 1000;
const SHORT = 8;

interface Props {
  readonly passport: Passport;
  readonly zone: Zone;
}

/** The way of a bar, hop by hop: ticks, Flink, gate. */
export function Journey({ passport, zone }: Props) {
  return (
    <ol className="journey" aria-label="The way of this bar">
      <Source passport={passport} zone={zone} />
      <Computed passport={passport} zone={zone} />
      <Accepted passport={passport} zone={zone} />
    </ol>
  );
}

function Hop({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <li>
      <h4>{title}</h4>
      {children}
    </li>
  );
}

function Source({ passport, zone }: Props) {
  const { current } = passport;
  if (current.kafka_offset_first === null || current.kafka_offset_last === null) {
    return (
      <Hop title="Vendor’s history">
        <p>
          No ticks of ours: the minute was taken from the vendor’s answer <code>{current.response_path ?? 'that is not kept'}</code>.
        </p>
      </Hop>
    );
  }
  const records = current.kafka_offset_last - current.kafka_offset_first + 1;
  return (
    <Hop title={`${format.count(current.tick_count)} source ticks`}>
      <p>
        <code>{passport.kafka_topic}</code> partition {current.kafka_partition ?? format.NONE}, offsets{' '}
        <b>{format.count(current.kafka_offset_first)}</b> to <b>{format.count(current.kafka_offset_last)}</b>
      </p>
      <p className="quiet">
        {format.count(records)} records of the partition, source {current.source}
        {current.ts_first_tick && current.ts_last_tick && (
          <>
            ; ticks from {show(current.ts_first_tick, 'seconds', zone)} to {show(current.ts_last_tick, 'seconds', zone)}
          </>
        )}
      </p>
      {!current.is_continuous && <p className="doubt">A tick may be missing between this bar and the one before.</p>}
    </Hop>
  );
}

function Computed({ passport: { flink_job: job, ts_end }, zone }: Props) {
  if (!job) return null;
  const state = job.is_known ? (job.state ?? 'state unknown') : 'replaced since';
  return (
    <Hop title={job.restatement_id === null ? 'Flink stream job' : `Flink batch job of restatement ${job.restatement_id}`}>
      <p>
        <code title={job.flink_job_id}>{job.flink_job_id.slice(0, SHORT)}</code> <span className="quiet">{state.toLowerCase()}</span>
      </p>
      <p className="quiet">
        {job.ts_checkpoint
          ? `Newest checkpoint ${show(job.ts_checkpoint, 'seconds', zone)} ${zoneLabel(job.ts_checkpoint, zone)}`
          : 'No checkpoint yet'}
        , minute ended {show(ts_end, 'time', zone)}
      </p>
    </Hop>
  );
}

function Accepted({ passport, zone }: Props) {
  const { gate_run: run, current, ts_end } = passport;
  const delay = (Date.parse(current.ts_valid_from) - Date.parse(ts_end)) / SECOND_MS;
  return (
    <Hop title="Quality gate">
      <p>
        <RunLink id={run.dagster_run_id} url={run.url} /> accepted it at {show(current.ts_valid_from, 'seconds', zone)}
        {delay >= 0 && current.revision === 1 && <span className="quiet">, {format.duration(delay)} after the close</span>}
      </p>
      {run.code_version && (
        <p className="quiet">
          Code <code title={run.code_version}>{run.code_version.slice(0, SHORT)}</code>{' '}
          <CopyButton text={run.code_version} label="Copy the code version" />
        </p>
      )}
    </Hop>
  );
}
