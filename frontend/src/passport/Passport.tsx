import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { gapsQuery, passportQuery } from '../api/queries';
import type { Bar, Passport as Shape } from '../api/types';
import { standing } from '../domain/bars';
import { gapOf } from '../domain/marks';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { verifying } from '../domain/verification';
import { RunLink } from '../runs/RunLink';
import { CopyButton } from '../ui/CopyButton';
import { Notice } from '../ui/Notice';
import { Checks } from './Checks';
import { Journey } from './Journey';
import { Missing } from './Missing';
import { Revisions } from './Revisions';

interface Props {
  readonly symbol: string;
  readonly start: string;
  /** Undefined where there is no such bar. */
  readonly bar: Bar | undefined;
  readonly zone: Zone;
}

/** Where a minute comes from, who accepted it, and what it was before. */
export function Passport({ symbol, start, bar, zone }: Props) {
  const gaps = useQuery(gapsQuery(symbol));
  const gap = gapOf(gaps.data ?? [], start);
  if (!bar && gaps.isPending) return <Waiting />;
  if (!bar && gap) return <Missing gap={gap} zone={zone} />;
  if (bar && standing(bar) === 'provisional') return <Provisional bar={bar} zone={zone} />;
  return <Certified symbol={symbol} start={start} revision={bar?.revision ?? null} zone={zone} />;
}

function Provisional({ bar, zone }: { readonly bar: Bar; readonly zone: Zone }) {
  return (
    <Notice title="Not certified yet">
      The gate judges this minute after it has closed at {show(bar.ts_end, 'time', zone)} and all its ticks are in. Its passport
      appears here by itself.
    </Notice>
  );
}

interface CertifiedProps {
  readonly symbol: string;
  readonly start: string;
  readonly revision: number | null;
  readonly zone: Zone;
}

function Certified({ symbol, start, revision, zone }: CertifiedProps) {
  const { data, error, refetch } = useQuery(passportQuery(symbol, start, revision));
  if (data) return <Pages passport={data} zone={zone} />;
  if (!error) return <Waiting />;
  return (
    <Notice title="No passport" tone="bad" action={{ text: 'Ask again', onClick: () => void refetch() }}>
      {error.message}
    </Notice>
  );
}

function Pages({ passport, zone }: { readonly passport: Shape; readonly zone: Zone }) {
  return (
    <>
      {passport.refused && (
        <p className="doubt">
          A newer version waits in quarantine since {show(passport.refused.ts_quarantined, 'time', zone)}: it broke{' '}
          {passport.refused.rules.join(', ')} (<RunLink id={passport.refused.dagster_run_id} url={passport.refused.dagster_run_url} />). {passport.refused.decision ?? 'Nobody has decided yet; this version stays certified.'}
        </p>
      )}
      <Section title="Origin"><Journey passport={passport} zone={zone} /></Section>
      <Section title="Rules"><Checks checks={passport.gate_run.checks} docs={passport.gate_run.data_docs_url} /></Section>
      <Section title="Revisions"><Revisions passport={passport} zone={zone} /></Section>
      <Verify passport={passport} />
    </>
  );
}

/** The command that holds the bar against what it was made of. Nothing where nothing of that is kept. */
function Verify({ passport: { symbol, ts_start, current } }: { readonly passport: Shape }) {
  const words = verifying(current);
  const command = `.venv/bin/stock-platform passport ${symbol} ${ts_start} --verify`;
  return words && (
    <Section title="Verify">
      <p className="quiet">{words}</p>
      <p className="command">
        <code>{command}</code>
        <CopyButton text={command} label="Copy the command" />
      </p>
    </Section>
  );
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

export function Waiting() {
  return (
    <div className="waiting" role="status" aria-label="Loading">
      {[64, 150, 90, 120].map((height) => <div key={height} className="skeleton" style={{ height }} />)}
    </div>
  );
}
