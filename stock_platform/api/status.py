"""What the status bar says: the feed, the markets, and how far behind the data is. Pure."""

from datetime import datetime

from stock_platform.api.shapes import CalendarStatus, FeedState, MarketState, MarketStatus
from stock_platform.api.store import Freshness
from stock_platform.calendars.lookup import calendar


def market_status(freshness: Freshness, now: datetime, *, dagster_page: str | None) -> MarketStatus:
    """The status at an instant. While a tape plays at its own time, that time is the platform's."""
    seen = freshness.feed.ts_event_last
    at = now
    if freshness.feed.kind == "tape":
        at = seen or now
    lag_s = (now - seen).total_seconds() if seen and freshness.feed.kind != "tape" else None
    return MarketStatus(
        ts_now=at,
        feed=freshness.feed,
        calendars=[calendar_status(name, at) for name in freshness.calendars],
        lag_s=max(0.0, lag_s) if lag_s is not None else (0.0 if freshness.feed.state is FeedState.RUNNING else None),
        ts_bar_last=freshness.ts_bar_last,
        ts_bar_certified_last=freshness.ts_bar_certified_last,
        dagster_url=dagster_page,
    )


def calendar_status(name: str, at: datetime) -> CalendarStatus:
    """One calendar at an instant."""
    hours = calendar(name)
    phase = hours.phase(at)
    state = {"regular": MarketState.OPEN, "pre": MarketState.PRE, "post": MarketState.POST}.get(phase, MarketState.CLOSED)
    return CalendarStatus(
        calendar=name,
        state=state,
        session_date=hours.session_date(at),
        ts_next_open=hours.next_open(at),
        ts_next_close=hours.next_close(at),
    )
