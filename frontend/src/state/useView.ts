// The view state, kept in the URL alone.
import { useSyncExternalStore } from 'react';
import type { View } from '../domain/view';
import { readView, writeView } from '../domain/view';

const CHANGED = 'viewchange';

function subscribe(listener: () => void): () => void {
  const names = ['popstate', CHANGED];
  names.forEach((name) => { window.addEventListener(name, listener); });
  return () => { names.forEach((name) => { window.removeEventListener(name, listener); }); };
}

let known = { search: '', view: readView('') };

function snapshot(): View {
  if (known.search !== location.search) known = { search: location.search, view: readView(location.search) };
  return known.view;
}

/** A new symbol is a step that "back" undoes; other choices only rewrite the address. */
function change(patch: Partial<View>): void {
  const before = snapshot();
  const url = writeView({ ...before, ...patch }) || location.pathname;
  const isStep = patch.symbol !== undefined && patch.symbol !== before.symbol;
  if (isStep) history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  window.dispatchEvent(new Event(CHANGED));
}

export function useView(): [View, (patch: Partial<View>) => void] {
  return [useSyncExternalStore(subscribe, snapshot), change];
}
