import type { ReactNode } from 'react';
import type { Interval } from '../api/types';
import { STANDINGS } from '../domain/bars';
import type { Line } from '../domain/view';
import { INTERVALS, LINES } from '../domain/view';
import { Segmented } from '../ui/Segmented';

interface Props {
  readonly interval: Interval;
  readonly lines: readonly Line[];
  readonly onInterval: (interval: Interval) => void;
  readonly onLines: (lines: readonly Line[]) => void;
  readonly children: ReactNode;
}

/** What is drawn: length of the bars, lines over them. */
export function Tools({ interval, lines, onInterval, onLines, children }: Props) {
  return (
    <div className="tools">
      <Segmented label="Length of a bar" value={interval} onChange={onInterval} choices={INTERVALS.map((value) => ({ value, text: value }))} />
      <LineChoice lines={lines} onChange={onLines} />
      {children}
    </div>
  );
}

const LINE_TEXT: Record<Line, string> = { vwap: 'VWAP', sma20: 'SMA 20', sma50: 'SMA 50' };

interface LineProps {
  readonly lines: readonly Line[];
  readonly onChange: (lines: readonly Line[]) => void;
}

function LineChoice({ lines, onChange }: LineProps) {
  const toggle = (line: Line) => { onChange(LINES.filter((each) => lines.includes(each) !== (each === line))); };
  return (
    <div className="toggles" role="group" aria-label="Lines">
      {LINES.map((line) => (
        <button key={line} type="button" className={line} aria-pressed={lines.includes(line)} onClick={() => { toggle(line); }}>
          {LINE_TEXT[line]}
        </button>
      ))}
    </div>
  );
}

/** What the colours mean. */
export function Key() {
  return (
    <ul className="key" aria-label="How bars are drawn">
      {STANDINGS.map((standing) => (
        <li key={standing} className={standing}>
          {standing}
        </li>
      ))}
      <li className="gap">gap</li>
    </ul>
  );
}
