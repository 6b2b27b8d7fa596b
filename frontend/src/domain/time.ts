// Instants in the reader's chosen zone. The zone's name is always shown beside them.

export type Zone = 'exchange' | 'utc' | 'local';
export const ZONES: readonly Zone[] = ['exchange', 'utc', 'local'];

/** IANA name of a choice; the exchanges of the watchlist are in New York. */
export function zoneName(zone: Zone): string {
  switch (zone) {
    case 'exchange':
      return 'America/New_York';
    case 'utc':
      return 'UTC';
    case 'local':
      return Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

const STYLES = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  seconds: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  day: { day: 'numeric', month: 'short' },
  dayTime: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  daySeconds: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  month: { month: 'short' },
  year: { year: 'numeric' },
  date: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  weekday: { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  full: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
} satisfies Record<string, Intl.DateTimeFormatOptions>;

export type Style = keyof typeof STYLES;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(style: Style, zone: string): Intl.DateTimeFormat {
  const key = `${style} ${zone}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { ...STYLES[style], timeZone: zone });
  formats.set(key, format);
  return format;
}

export function show(instant: string | number, style: Style, zone: Zone): string {
  return formatOf(style, zoneName(zone)).format(new Date(instant));
}

/** A trading day, which has no zone: 2026-11-20 → Fri, 20 Nov 2026. */
export function showDay(day: string): string {
  const parts = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat('en-GB', parts).format(new Date(day));
}

/** The zone as clocks name it at that instant: EST, UTC, GMT+1. */
export function zoneLabel(instant: string | number, zone: Zone): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zoneName(zone), timeZoneName: 'short' });
  return format.formatToParts(new Date(instant)).find(({ type }) => type === 'timeZoneName')?.value ?? zoneName(zone);
}
