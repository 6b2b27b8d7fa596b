const PATHS = {
  auto: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  dark: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  older: 'M10 3L5 8l5 5',
  newer: 'M6 3l5 5-5 5',
  close: 'M4 4l8 8M12 4l-8 8',
  add: 'M8 3v10M3 8h10',
  away: 'M6 3H3v10h10v-3M9 3h4v4M13 3L7 9',
} as const;

const FILLED: ReadonlySet<keyof typeof PATHS> = new Set(['dark']);

/** A small picture in the colour of the text around it; its button carries the name. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} fill={FILLED.has(name) ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" />
    </svg>
  );
}
