import { expect, test } from 'vitest';
import { show, showDay, zoneLabel, zoneName } from './time';

// The United States leave summer time on 2026-11-01.
test.each([
  ['2026-10-30T13:30:00Z', 'exchange', '09:30', 'EDT'],
  ['2026-11-02T14:30:00Z', 'exchange', '09:30', 'EST'],
  ['2026-11-02T14:30:00Z', 'utc', '14:30', 'UTC'],
  ['2026-11-02T05:00:00Z', 'exchange', '00:00', 'EST'],
] as const)('%s in the zone %s is %s %s', (instant, zone, time, label) => {
  expect(show(instant, 'time', zone)).toBe(time);
  expect(zoneLabel(instant, zone)).toBe(label);
});

test('the local zone is the browser’s', () => {
  expect(zoneName('local')).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test('a trading day has no zone', () => {
  expect(showDay('2026-11-20')).toBe('Fri, 20 Nov 2026');
});
