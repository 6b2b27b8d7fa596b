// What a bar can be held against, in the words of the page.
import type { BarVersion } from '../api/types';

/** What verifying a version does; null of one that was restated from a tape, of which nothing is kept. */
export function verifying({ response_path, kafka_partition }: Pick<BarVersion, 'response_path' | 'kafka_partition'>): string | null {
  if (response_path !== null) return 'Holds the bar against the vendor’s answer:';
  if (kafka_partition === null || kafka_partition < 0) return null;
  return 'Computes the bar anew from exactly these ticks, without the job’s code:';
}
