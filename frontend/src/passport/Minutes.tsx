import { useQuery } from '@tanstack/react-query';
import { minutesQuery } from '../api/queries';
import type { Bar } from '../api/types';
import type { Standing } from '../domain/bars';
import { standing, STANDINGS } from '../domain/bars';
import * as format from '../domain/format';
import type { Zone } from '../domain/time';
import { show } from '../domain/time';
import { Notice } from '../ui/Notice';
import { Section, Waiting } from './Passport';
import { Verdict } from './Verdict';

interface Props {
  readonly symbol: string;
  /** A bar longer than a minute. */
  readonly bar: Bar;
  readonly zone: Zone;
  readonly onOpen: (start: string) => void;
}

/** What a longer bar is made of: passports are of minutes. */
export function Minutes({ symbol, bar, zone, onOpen }: Props) {
  const { data, error, refetch } = useQuery(minutesQuery(symbol, bar.ts_start, bar.ts_end));
  if (error && !data) {
    return (
      <Notice title="Its minutes cannot be shown" tone="bad" action={{ text: 'Ask again', onClick: () => void refetch() }}>
        {error.message}
      </Notice>
    );
  }
  if (!data) return <Waiting />;
  if (data.items.length === 0) return <Notice title="No minutes here">There are none of this bar’s time: the history of minutes does not go back so far, or is not loaded yet.</Notice>;
  const digits = format.priceDigits(symbol, bar.close);
  return (
    <Section title={`Made of ${format.count(data.items.length)} minutes`}>
      <p className="row wrap">
        {tally(data.items).map(([verdict, count]) => (
          <span key={verdict} className="row">
            {format.count(count)} <Verdict standing={verdict} />
          </span>
        ))}
      </p>
      <ul className="minutes">
        {data.items.map((minute) => (
          <li key={minute.ts_start}>
            <button type="button" onClick={() => { onOpen(minute.ts_start); }} aria-label={`Passport of ${show(minute.ts_start, 'time', zone)}`}>
              <span>{show(minute.ts_start, 'time', zone)}</span>
              <span>{format.price(minute.close, digits)}</span>
              <span className="quiet">{format.volume(minute.volume)}</span>
              <Verdict standing={standing(minute)} />
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function tally(minutes: readonly Bar[]): [Standing, number][] {
  const counted = STANDINGS.map((verdict): [Standing, number] => [verdict, minutes.filter((minute) => standing(minute) === verdict).length]);
  return counted.filter(([, count]) => count > 0);
}
