import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Answer } from '../ui/Answer';
import { More } from '../ui/More';

interface Props<T> {
  readonly title: string;
  /** What the rows are, in the plural. */
  readonly name: string;
  readonly query: UseInfiniteQueryResult<InfiniteData<{ readonly items: readonly T[] }>>;
  readonly height: number;
  readonly children: (rows: readonly T[]) => ReactNode;
}

/** A list that comes page by page, with a way to the next one. */
export function Pages<T>({ title, name, query, height, children }: Props<T>) {
  return (
    <Answer title={title} query={query} height={height}>
      {({ pages }) => {
        const rows = pages.flatMap(({ items }) => items);
        return (
          <>
            {children(rows)}
            <More query={query} rows={rows.length} pages={pages.length} name={name} />
          </>
        );
      }}
    </Answer>
  );
}
