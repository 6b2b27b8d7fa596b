interface Props {
  readonly values: readonly number[];
  readonly tone: 'up' | 'down' | 'flat';
  readonly label: string;
}

const WIDTH = 96;
const HEIGHT = 28;
const MARGIN = 2;

/** "x,y x,y …" of a line through the values, over the whole width. */
function pointsOf(values: readonly number[]): string {
  const low = Math.min(...values);
  const range = Math.max(...values) - low || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  const y = (value: number) => HEIGHT - MARGIN - ((value - low) / range) * (HEIGHT - 2 * MARGIN);
  return values.map((value, index) => `${(index * step).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
}

/** The course of the last values; always the same size, also without values. */
export function Sparkline({ values, tone, label }: Props) {
  const points = values.length > 1 ? pointsOf(values) : `0,${HEIGHT / 2} ${WIDTH},${HEIGHT / 2}`;
  return (
    <svg className={`sparkline ${values.length > 1 ? tone : 'none'}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />
      <polyline points={points} />
    </svg>
  );
}
