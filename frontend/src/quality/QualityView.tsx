import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { allGapsQuery, latencyQuery, levelsQuery, quarantineQuery, restatementsQuery } from '../api/quality';
import * as format from '../domain/format';
import { show, zoneLabel } from '../domain/time';
import type { View } from '../domain/view';
import { instantText } from '../domain/view';
import { Answer } from '../ui/Answer';
import { Card } from '../ui/Card';
import { Segmented } from '../ui/Segmented';
import type { OpenBar } from './BarLink';
import { Gaps } from './Gaps';
import { Latency } from './Latency';
import { Levels } from './Levels';
import { Pages } from './Pages';
import { Quarantine } from './Quarantine';
import { Restatements } from './Restatements';

interface Props {
  readonly view: View;
  readonly onChange: (patch: Partial<View>) => void;
}

const CHOICES = [
  { value: 'all', text: 'All' },
  { value: 'open', text: 'Open' },
] as const;

/** How good the data is: service level, latency, gaps, quarantine, restatements. */
export default function QualityView({ view: { zone, shown }, onChange }: Props) {
  const levels = useQuery(levelsQuery);
  const latency = useQuery(latencyQuery);
  const gaps = useInfiniteQuery(allGapsQuery(shown));
  const quarantine = useInfiniteQuery(quarantineQuery(shown));
  const restatements = useInfiniteQuery(restatementsQuery);
  const open: OpenBar = (symbol, start) => {
    onChange({ page: 'symbol', symbol, interval: '1m', bar: instantText(Date.parse(start)) });
  };
  const choice = <Segmented label="Rows" value={shown} choices={CHOICES} onChange={(value) => { onChange({ shown: value }); }} />;
  const waiting = quarantine.data?.pages[0]?.open_count;
  const newest = latency.data?.at(-1)?.ts_minute;
  return (
    <div className="view quality">
      <Card title="Service level" note="Complete, certified minutes ÷ session minutes, both since watching began" className="wide">
        <Answer title="The service level" query={levels} height={104}>{(data) => <Levels levels={data} />}</Answer>
      </Card>
      <Card title="Latency by hop" note={newest && `Minute of ${show(newest, 'time', zone)} ${zoneLabel(newest, zone)}`}>
        <Answer title="The latency" query={latency} height={240}>{(rows) => <Latency rows={rows} zone={zone} />}</Answer>
      </Card>
      <Card title="Quarantine" note={waiting !== undefined && `${format.count(waiting)} waiting`}>
        <Pages title="The quarantine" name="bars" query={quarantine} height={240}>
          {(bars) => <Quarantine bars={bars} zone={zone} onOpen={open} />}
        </Pages>
      </Card>
      <Card title="Gap ledger" note={choice} className="wide">
        <Pages title="The gap ledger" name="gaps" query={gaps} height={240}>
          {(rows) => <Gaps gaps={rows} zone={zone} onOpen={open} />}
        </Pages>
      </Card>
      <Card title="Restatements" className="wide">
        <Pages title="The list of restatements" name="restatements" query={restatements} height={160}>
          {(rows) => <Restatements restatements={rows} zone={zone} />}
        </Pages>
      </Card>
    </div>
  );
}
