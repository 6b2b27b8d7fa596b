// The view state, kept in the URL alone.
import { useSyncExternalStore } from 'react';
import type { View } from '../domain/view';
import { isStep, moved, readView, writeView } from '../domain/view';

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

/** Another page, symbol or bar is a step that "back" undoes; other choices only rewrite the address. */
function change(patch: Partial<View>): void {
  const before = snapshot();
  const after = moved(before, patch);
  if (isStep(before, after)) history.pushState(null, '', addressOf(after));
  else history.replaceState(null, '', addressOf(after));
  window.dispatchEvent(new Event(CHANGED));
}

export const addressOf = (view: View): string => writeView(view) || location.pathname;

export function useView(): [View, (patch: Partial<View>) => void] {
  return [useSyncExternalStore(subscribe, snapshot), change];
}
