interface Props {
  /** Of an infinite query. */
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
  };
  /** Rows in sight, and of how many pages. */
  readonly rows: number;
  readonly pages: number;
  /** What the rows are, to tell one such button from another. */
  readonly name: string;
}

/** Brings the next page of a list in. After the last one it stays, so that the focus does, and says that this is all. */
export function More({ query: { hasNextPage, isFetchingNextPage, fetchNextPage }, rows, pages, name }: Props) {
  if (!hasNextPage && pages < 2) return null;
  const isIdle = !hasNextPage || isFetchingNextPage;
  return (
    <button type="button" className="more" aria-disabled={isIdle} aria-busy={isFetchingNextPage} onClick={() => { if (!isIdle) void fetchNextPage(); }}>
      {hasNextPage ? `Show more ${name}` : `All ${rows} ${name} shown`}
      {hasNextPage && <small>{isFetchingNextPage ? 'coming…' : `${rows} so far`}</small>}
    </button>
  );
}
