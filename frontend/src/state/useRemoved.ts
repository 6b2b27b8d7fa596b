// Symbols that the reader took off the watchlist, remembered in this browser. New instruments appear by themselves.
import { useSyncExternalStore } from 'react';

const KEY = 'removed symbols';
const CHANGED = 'removedchange';

function subscribe(listener: () => void): () => void {
  const names = ['storage', CHANGED];
  names.forEach((name) => { window.addEventListener(name, listener); });
  return () => { names.forEach((name) => { window.removeEventListener(name, listener); }); };
}

const stored = (): string => localStorage.getItem(KEY) ?? '';
const read = (text: string): ReadonlySet<string> => new Set(text.split(' ').filter(Boolean));

let known = { text: '', symbols: read('') };

function snapshot(): ReadonlySet<string> {
  const text = stored();
  if (known.text !== text) known = { text, symbols: read(text) };
  return known.symbols;
}

function keep(symbols: Iterable<string>): void {
  localStorage.setItem(KEY, [...symbols].sort().join(' '));
  window.dispatchEvent(new Event(CHANGED));
}

export const remove = (symbol: string): void => { keep(new Set([...snapshot(), symbol])); };
export const restore = (symbol: string): void => { keep([...snapshot()].filter((each) => each !== symbol)); };
export const restoreAll = (): void => { keep([]); };

export const useRemoved = (): ReadonlySet<string> => useSyncExternalStore(subscribe, snapshot);
