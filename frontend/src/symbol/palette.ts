// The theme's colours for the canvas, which knows no CSS variables.
import type { Palette } from './candles';

const NAMES: Record<keyof Palette, string> = {
  up: '--up',
  down: '--down',
  upFaded: '--up-faded',
  downFaded: '--down-faded',
  upHollow: '--up-hollow',
  downHollow: '--down-hollow',
  suspect: '--suspect',
  restated: '--restated',
  vendor: '--vendor',
  vwap: '--vwap',
  sma20: '--sma20',
  sma50: '--sma50',
  accent: '--accent',
  clear: '--clear',
  text: '--quiet',
  grid: '--grid',
  surface: '--surface',
};

/** Resolves each variable where `element` stands; light-dark() is resolved by the browser alone. */
export function paletteAt(element: HTMLElement): Palette {
  const probe = element.appendChild(document.createElement('span'));
  const resolve = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const entries = Object.entries(NAMES).map(([key, name]) => [key, resolve(name)]);
  probe.remove();
  return Object.fromEntries(entries) as Palette;
}
