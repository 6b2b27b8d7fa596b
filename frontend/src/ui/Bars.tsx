interface Bar {
  readonly key: string;
  /** 0 to 1. */
  readonly height: number;
  readonly tone: 'good' | 'bad' | 'idle';
  readonly title: string;
}

/** A row of small columns, oldest first, always over the whole width. */
export function Bars({ bars, label }: { readonly bars: readonly Bar[]; readonly label: string }) {
  return (
    <div className="bars" role="img" aria-label={label}>
      {bars.map(({ key, height, tone, title }) => (
        <i key={key} className={tone} title={title} style={{ height: `${Math.max(4, height * 100).toFixed(0)}%` }} />
      ))}
    </div>
  );
}
