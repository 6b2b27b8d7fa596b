import type { SessionLevel } from '../api/types';
import * as format from '../domain/format';
import { budgetTone, budgetWords, missed, share } from '../domain/levels';
import { showDay } from '../domain/time';
import { Bars } from '../ui/Bars';
import { Notice } from '../ui/Notice';

/** The service level of the newest session, the error budget, and the sessions before. */
export function Levels({ levels }: { readonly levels: readonly SessionLevel[] }) {
  const [newest] = levels;
  if (!newest) return <Notice title="No session judged yet">The first figure comes with the first session’s certified minutes.</Notice>;
  const tone = budgetTone(newest.budget_left_ratio);
  return (
    <div className="levels">
      <Figure
        name="Complete minutes"
        value={share(newest.good_ratio)}
        tone={missed(newest) ? 'bad' : 'good'}
        note={`Objective ${share(newest.objective_ratio, 1)}, session ${showDay(newest.session_date)}`}
      />
      <Figure
        name="Error budget left"
        value={newest.budget_left_ratio === null ? format.NONE : `${(newest.budget_left_ratio * 100).toFixed(0)} %`}
        tone={tone}
        note={budgetWords(newest)}
      />
      <Figure
        name="Burn rate"
        value={newest.burn_rate === null ? format.NONE : `${newest.burn_rate.toFixed(2)} ×`}
        tone={newest.burn_rate !== null && newest.burn_rate > 1 ? 'bad' : 'good'}
        note={`${format.count(newest.spent_minute_count)} of ${format.count(newest.counted_minute_count)} min missing in this session`}
      />
      <div className="history">
        <h3 className="caption">Missed against the budget, by session</h3>
        <Bars bars={history(levels)} label={`Sessions below the objective: ${levels.filter(missed).length} of ${levels.length}`} />
      </div>
    </div>
  );
}

/** Height is the burn rate, full at twice the budget. */
function history(levels: readonly SessionLevel[]) {
  return levels.toReversed().map((level) => ({
    key: level.session_date,
    height: Math.min(1, (level.burn_rate ?? 0) / 2),
    tone: level.good_ratio === null ? ('idle' as const) : missed(level) ? ('bad' as const) : ('good' as const),
    title: `${showDay(level.session_date)}: ${share(level.good_ratio)}`,
  }));
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly tone: 'good' | 'warning' | 'bad' | 'idle';
  readonly note: string;
}

function Figure({ name, value, tone, note }: FigureProps) {
  return (
    <div className={`figure ${tone}`}>
      <h3 className="caption">{name}</h3>
      <p className="big">{value}</p>
      <p className="quiet">{note}</p>
    </div>
  );
}
