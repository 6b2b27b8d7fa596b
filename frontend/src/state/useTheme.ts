// Light, dark, or as the system says; remembered in this browser.
import { useSyncExternalStore } from 'react';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

const KEY = 'theme';
const CHANGED = 'themechange';
const system = window.matchMedia('(prefers-color-scheme: dark)');

function subscribe(listener: () => void): () => void {
  window.addEventListener(CHANGED, listener);
  system.addEventListener('change', listener);
  return () => {
    window.removeEventListener(CHANGED, listener);
    system.removeEventListener('change', listener);
  };
}

const remembered = (): Theme => THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto';

function isDark(): boolean {
  const theme = remembered();
  return theme === 'auto' ? system.matches : theme === 'dark';
}

export function applyTheme(theme: Theme = remembered()): void {
  localStorage.setItem(KEY, theme);
  document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event(CHANGED));
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, remembered);

/** What is shown now; canvases repaint when it changes. */
export const useIsDark = (): boolean => useSyncExternalStore(subscribe, isDark);
