import { useQuery } from '@tanstack/react-query';
import { marketQuery } from '../api/queries';
import type { MarketStatus } from '../api/types';
import { duration, NONE } from '../domain/format';
import { feedWords, marketWords, tellingCalendars } from '../domain/status';
import type { Zone } from '../domain/time';
import { show, zoneLabel, zoneName, ZONES } from '../domain/time';
import type { View } from '../domain/view';
import { useLink } from '../state/useLive';
import { usePlatformClock } from '../state/usePlatformClock';
import type { Theme } from '../state/useTheme';
import { applyTheme, THEMES, useTheme } from '../state/useTheme';
import { Fact } from '../ui/Fact';
import { Icon } from '../ui/Icon';
import { Pill } from '../ui/Pill';
import { Segmented } from '../ui/Segmented';
import { Pages } from './Pages';

interface Props {
  readonly view: View;
  readonly onChange: (patch: Partial<View>) => void;
}

const ZONE_TEXT: Record<Zone, string> = { exchange: 'Exchange', utc: 'UTC', local: 'Local' };
const THEME_TEXT: Record<Theme, string> = { auto: 'as the system', light: 'light', dark: 'dark' };

/** Always in sight: feed, markets, lag, newest certified bar, clock. */
export function StatusBar({ view, onChange }: Props) {
  const { zone } = view;
  const { data: market, isError } = useQuery(marketQuery);
  const link = useLink();
  const feed = feedWords(market?.feed, isError ? 'reconnecting' : link, zone);
  return (
    <header className="status">
      <h1>
        <img src="/icon.svg" alt="" width="24" height="24" /> Stock platform
      </h1>
      <Pages view={view} onChange={onChange} dagster={market?.dagster_url ?? null} />
      <div className="pills" role="status" aria-label="State of feed and markets">
        <Pill tone={feed.tone} title={feedTitle(market)}>
          <span data-testid="feed">{feed.text}</span>
        </Pill>
        {market && <Markets market={market} zone={zone} />}
      </div>
      <dl className="facts">
        <Fact name="Lag" title="The platform's clock minus the time of the newest tick">
          {market?.lag_s == null ? NONE : duration(Math.max(0, market.lag_s))}
        </Fact>
        <Fact name="Certified" title="Start of the newest certified bar">
          {market?.ts_bar_certified_last ? show(market.ts_bar_certified_last, 'time', zone) : NONE}
        </Fact>
        <Clock zone={zone} />
      </dl>
      <div className="switches">
        <Segmented
          label="Time zone"
          value={zone}
          onChange={(chosen) => { onChange({ zone: chosen }); }}
          choices={ZONES.map((value) => ({ value, text: ZONE_TEXT[value], title: zoneName(value) }))}
        />
        <ThemeButton />
      </div>
    </header>
  );
}

/** Turns through the themes: the system's, light, dark. */
function ThemeButton() {
  const theme = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  const label = `Colours: ${THEME_TEXT[theme]}. Change to ${THEME_TEXT[next]}.`;
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={() => { applyTheme(next); }}>
      <Icon name={theme} />
    </button>
  );
}

function feedTitle(market: MarketStatus | undefined): string {
  return market?.feed.line ? `Feed line ${market.feed.line}` : 'Feed';
}

function Markets({ market, zone }: { readonly market: MarketStatus; readonly zone: Zone }) {
  return tellingCalendars(market.calendars).map((calendar) => {
    const words = marketWords(calendar, Date.parse(market.ts_now), zone);
    return (
      <Pill key={calendar.calendar} tone={words.tone} title={`${words.text}. Exchange calendar ${calendar.calendar}`}>
        {words.text}
      </Pill>
    );
  });
}

function Clock({ zone }: { readonly zone: Zone }) {
  const now = usePlatformClock();
  return (
    <Fact name={now === null ? 'Clock' : zoneLabel(now, zone)} title={`The platform's clock, ${zoneName(zone)}`}>
      {now === null ? '--:--:--' : show(now, 'seconds', zone)}
    </Fact>
  );
}
