import { NONE } from '../domain/format';
import { AwayLink } from '../ui/AwayLink';

const SHORT = 8;

interface Props {
  readonly id: string | null;
  readonly url: string | null;
}

/** To a run's page in Dagster, by the first letters of its id; a dash where there was no run. */
export function RunLink({ id, url }: Props) {
  if (id === null || url === null) return NONE;
  return <AwayLink className="run" href={url} title={`Dagster run ${id}`}>Run {id.slice(0, SHORT)}</AwayLink>;
}
