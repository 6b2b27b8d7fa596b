// The live side of the page: the stream into the cache, and what components read of it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Quotes } from '../api/queries';
import { linkQuery, quotesQuery, receiveLink, receiveQuotes } from '../api/queries';
import { openStream } from '../api/stream';
import type { Link } from '../domain/status';

/** Call once, at the root. */
export function useStream(): void {
  const client = useQueryClient();
  useEffect(
    () =>
      openStream({
        onQuotes: (batch) => { receiveQuotes(client, batch); },
        onLink: (link) => { receiveLink(client, link); },
      }),
    [client],
  );
}

const NO_QUOTES: Quotes = {};

export const useQuotes = (): Quotes => useQuery(quotesQuery).data ?? NO_QUOTES;
export const useLink = (): Link => useQuery(linkQuery).data ?? 'connecting';
