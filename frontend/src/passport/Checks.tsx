import { API_URL } from '../api/client';
import type { CheckResult } from '../api/types';
import * as format from '../domain/format';
import { AwayLink } from '../ui/AwayLink';

interface Props {
  readonly checks: readonly CheckResult[];
  /** Path of the run's page below the API. */
  readonly docs: string | null;
}

/** Rules of the gate's run, over its whole batch: those that failed in sight, the rest folded away. */
export function Checks({ checks, docs }: Props) {
  const failed = checks.filter((check) => !check.is_passed);
  const passed = checks.filter((check) => check.is_passed);
  if (checks.length === 0) return <p className="quiet">The run’s checks are not kept any more.</p>;
  return (
    <>
      <p>
        {format.count(passed.length)} of {format.count(checks.length)} rules passed in the run’s batch
        {failed.length > 0 && '; these did not, in this bar or another:'}
      </p>
      {docs !== null && <p><AwayLink className="link" href={`${API_URL}${docs}`} title="What each rule saw, and in which bars">Data Docs</AwayLink></p>}
      <ul className="checks">
        {failed.map((check) => <Check key={check.check_name} check={check} />)}
      </ul>
      {passed.length > 0 && (
        <details>
          <summary>Rules that passed</summary>
          <ul className="checks">
            {passed.map((check) => <Check key={check.check_name} check={check} />)}
          </ul>
        </details>
      )}
    </>
  );
}

function Check({ check }: { readonly check: CheckResult }) {
  return (
    <li className={check.is_passed ? 'passed' : 'failed'}>
      <span aria-hidden="true">{check.is_passed ? '✓' : '✗'}</span>
      <div>
        {check.check_name.replaceAll('_', ' ')}
        {!check.is_passed && (
          <small>
            {format.count(check.failed_count)} of {format.count(check.observed_count)} bars, {check.severity}. {check.detail}
          </small>
        )}
      </div>
    </li>
  );
}
