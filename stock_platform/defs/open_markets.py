"""Markets that are open now, and whether bars of each are as new as they have to be. Not here: when an asset was made (freshness).

A day's partition serves all calendars: a coin's bars make it anew each minute while New York is dead. So each calendar is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stock_platform.adapters.postgres import Connection

LIMIT = timedelta(minutes=10)
"""Gate runs come every minute; that not one of the watched instruments trades for so long is worth a look."""

# Reads reference.session, reference.instrument, reference.vendor_instrument, market.bar_1m. Grain: an open calendar.
_OPEN = """
SELECT
    session.calendar,
    session.session_date,
    session.ts_open,
    session.ts_close,
    session.ts_break_start,
    session.ts_break_end,
    max(newest.ts_end),
    max(coalesce(vendor.delay_s, 0)) * interval '1 second'
FROM reference.session AS session
JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = instrument.symbol
LEFT JOIN LATERAL (
    SELECT bar.ts_end
    FROM market.bar_1m AS bar
    WHERE bar.session_date = session.session_date AND bar.symbol = instrument.symbol
    ORDER BY bar.ts_start DESC
    LIMIT 1
) AS newest ON TRUE
WHERE session.ts_open <= %(now)s AND session.ts_close > %(now)s
GROUP BY session.calendar, session.session_date
ORDER BY session.calendar
"""


@dataclass(frozen=True)
class Hours:
    """One session of one calendar: [opens, closes) without the break."""

    session_date: date
    opens: datetime
    closes: datetime
    break_start: datetime | None = None
    break_end: datetime | None = None

    def traded_until(self, now: datetime) -> datetime:
        """Up to when it has traded; it has opened."""
        if self.break_start and self.break_end and self.break_start <= now < self.break_end:
            return self.break_start
        return min(now, self.closes)

    def traded_since(self, now: datetime) -> datetime:
        """When it opened, or opened again after the break."""
        return self.break_end if self.break_end and self.break_end <= now else self.opens


@dataclass(frozen=True)
class Market:
    """A calendar whose session is open.

    Args:
        newest: When the newest certified bar of the session ends; None without any.
        delay: How late the vendor shows its prices.
    """

    calendar: str
    hours: Hours
    newest: datetime | None
    delay: timedelta = timedelta(0)

    def is_stale(self, now: datetime, *, started: datetime) -> bool:
        """Whether it has traded, and been listened to, for longer than the limit since its newest bar."""
        shown = now - self.delay
        until, since = self.hours.traded_until(shown), max(self.hours.traded_since(shown), started)
        return until - since >= LIMIT and (self.newest is None or self.newest < until - LIMIT)


def told_of_stale(markets: Sequence[Market], now: datetime, *, started: datetime | None) -> str | None:
    """A sentence that names the stalest of the open markets; None where none is stale, or no feed line was started. Pure."""
    stale = [each for each in markets if started and each.is_stale(now, started=started)]
    if not stale:
        return None
    stalest = min(stale, key=lambda each: each.newest or each.hours.opens)
    newest = f"its newest bar ends at {stalest.newest:%Y-%m-%d %H:%M}Z" if stalest.newest else "it has no bar"
    late = f" beyond the vendor's delay of {stalest.delay.total_seconds() / 60:g} min" if stalest.delay else ""
    return (
        f"{len(stale)} of {len(markets)} open markets are stale. The stalest is {stalest.calendar}: of its session "
        f"{stalest.hours.session_date} {newest}; at most {LIMIT.total_seconds() / 60:g} min may pass{late}."
    )


def read_open_markets(connection: Connection, now: datetime) -> list[Market]:
    """Each watched calendar whose session is open, by name."""
    rows = connection.execute(_OPEN, {"now": now}).fetchall()
    return [Market(calendar, Hours(*hours), newest, delay) for calendar, *hours, newest, delay in rows]
