import { useQuery } from '@tanstack/react-query';
import { overviewQuery } from '../api/quality';
import type { MarketOverview } from '../api/types';
import { sectors } from '../domain/market';
import { showDay } from '../domain/time';
import type { View } from '../domain/view';
import { useQuotes } from '../state/useLive';
import { Answer } from '../ui/Answer';
import { Card } from '../ui/Card';
import { Notice } from '../ui/Notice';
import { Breadth } from './Breadth';
import { HeatMap, Scale } from './HeatMap';
import { Movers } from './Movers';

interface Props {
  readonly onChange: (patch: Partial<View>) => void;
}

/** The market at a glance: every symbol's change live, movers and breadth of certified bars. */
export default function MarketView({ onChange }: Props) {
  const query = useQuery(overviewQuery);
  const open = (symbol: string) => { onChange({ page: 'symbol', symbol }); };
  return (
    <div className="view market">
      <Card title="Heat map" note={<Scale />} className="wide">
        <Answer title="The heat map" query={query} height={420}>
          {(overview) => <Live overview={overview} onOpen={open} />}
        </Answer>
      </Card>
      <Card title="Movers" note={sessionNote(query.data)}>
        <Answer title="The list of movers" query={query} height={420}>
          {({ top, bottom }) => <Movers top={top} bottom={bottom} onOpen={open} />}
        </Answer>
      </Card>
      <Card title="Breadth by sector" note={sessionNote(query.data)} className="breadth">
        <Answer title="The breadth" query={query} height={300}>
          {({ breadth }) => <Breadth rows={breadth} />}
        </Answer>
      </Card>
    </div>
  );
}

function sessionNote(overview: MarketOverview | undefined): string {
  return overview?.session_date ? `Certified, session ${showDay(overview.session_date)}` : '';
}

function Live({ overview, onOpen }: { readonly overview: MarketOverview; readonly onOpen: (symbol: string) => void }) {
  const quotes = useQuotes();
  if (overview.symbols.length === 0) return <Notice title="No instruments yet">They appear as soon as the platform knows them.</Notice>;
  return <HeatMap sectors={sectors(overview.symbols, quotes)} onOpen={onOpen} />;
}
