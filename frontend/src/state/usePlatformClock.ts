// The platform's clock, carried on between two answers: a playing tape has a time of its own.
import { useQuery } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { marketQuery } from '../api/queries';

const SECOND_MS = 1000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, SECOND_MS);
  return () => { clearInterval(timer); };
}

/** This browser's clock in whole seconds, so that it changes once a second. */
function second(): number {
  return Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
}

/** Milliseconds since the epoch by the platform's clock, to the second; null until it is known. */
export function usePlatformClock(): number | null {
  const now = useSyncExternalStore(subscribe, second);
  const { data, dataUpdatedAt } = useQuery(marketQuery);
  return data ? Date.parse(data.ts_now) + Math.max(0, now - dataUpdatedAt) : null;
}
