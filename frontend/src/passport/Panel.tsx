import type { ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import { Icon } from '../ui/Icon';

interface Props {
  readonly title: string;
  readonly subtitle: ReactNode;
  readonly badge: ReactNode;
  readonly onClose: () => void;
  /** Undefined where there is no bar on that side. */
  readonly onOlder: (() => void) | undefined;
  readonly onNewer: (() => void) | undefined;
  readonly children: ReactNode;
}

/** The frame of what is said about one bar. It takes the focus when it opens. */
export function Panel({ title, subtitle, badge, onClose, onOlder, onNewer, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { heading.current?.focus(); }, []);
  return (
    <aside className="panel passport" aria-label="Bar passport">
      <header>
        <div>
          <h2 ref={heading} tabIndex={-1}>{title}</h2>
          <p className="quiet">{subtitle}</p>
        </div>
        <div className="row">
          <IconButton icon="older" label="Bar before" onClick={onOlder} />
          <IconButton icon="newer" label="Bar after" onClick={onNewer} />
          <IconButton icon="close" label="Close the passport" onClick={onClose} />
        </div>
      </header>
      {badge}
      <div className="body">{children}</div>
    </aside>
  );
}

interface ButtonProps {
  readonly icon: 'older' | 'newer' | 'close';
  readonly label: string;
  readonly onClick: (() => void) | undefined;
}

function IconButton({ icon, label, onClick }: ButtonProps) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} disabled={!onClick} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
