"""Two kinds of calendar behind one face: an exchange with regular hours, and a market that never closes.

All instants are aware; every range is [inclusive, exclusive). Not here: where the hours come from (lookup)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, Protocol

from stock_platform.errors import CalendarHorizonPassed

Phase = Literal["pre", "regular", "post", "closed"]

_PRE_MARKET = timedelta(hours=5, minutes=30)
"""US consolidated tape: 04:00 to 09:30 New York (UTP and CTA plan hours)."""
_POST_MARKET = timedelta(hours=4)
"""16:00 to 20:00 New York; after an early close 13:00 to 17:00."""
_DAY = timedelta(days=1)


class Session(NamedTuple):
    """Regular hours of one trading day: [ts_open, ts_close)."""

    session_date: date
    ts_open: datetime
    ts_close: datetime

    @property
    def ts_pre(self) -> datetime:
        """Start of the pre-market, inclusive."""
        return self.ts_open - _PRE_MARKET

    @property
    def ts_post_end(self) -> datetime:
        """End of the post-market, exclusive."""
        return self.ts_close + _POST_MARKET


class Calendar(Protocol):
    """What the platform asks of a market's hours."""

    @property
    def name(self) -> str:
        """XNYS or 24/7."""
        ...

    def phase(self, ts: datetime) -> Phase:
        """What the market is doing at the instant."""
        ...

    def session_at(self, ts: datetime) -> Session | None:
        """The session whose pre, regular or post hours hold the instant; None while closed."""
        ...

    def session_date(self, ts: datetime) -> date | None:
        """Trading day of the instant, pre and post hours included; None while closed."""
        ...

    def session_latest(self, ts: datetime) -> Session:
        """The newest session whose pre-market has begun, over or not."""
        ...

    def sessions(self, start: date, end: date) -> list[Session]:
        """Sessions of the days [start, end), in order."""
        ...

    def next_open(self, ts: datetime) -> datetime:
        """First regular open after the instant."""
        ...

    def next_close(self, ts: datetime) -> datetime:
        """First regular close after the instant."""
        ...


class ExchangeCalendar:
    """Looks sessions up by bisection in a table of all of them."""

    def __init__(self, name: str, sessions: Sequence[Session]) -> None:
        self.name = name
        self._sessions = sessions
        self._pre_starts = [session.ts_pre for session in sessions]
        self._opens = [session.ts_open for session in sessions]
        self._closes = [session.ts_close for session in sessions]
        self._dates = [session.session_date for session in sessions]

    def phase(self, ts: datetime) -> Phase:
        """What the market is doing at the instant."""
        session = self.session_latest(ts)
        if ts < session.ts_open:
            return "pre"
        if ts < session.ts_close:
            return "regular"
        return "post" if ts < session.ts_post_end else "closed"

    def session_at(self, ts: datetime) -> Session | None:
        """The session whose pre, regular or post hours hold the instant; None while closed."""
        session = self.session_latest(ts)
        return session if ts < session.ts_post_end else None

    def session_date(self, ts: datetime) -> date | None:
        """Trading day of the instant, pre and post hours included; None while closed."""
        session = self.session_at(ts)
        return session.session_date if session else None

    def session_latest(self, ts: datetime) -> Session:
        """The newest session whose pre-market has begun, over or not."""
        index = bisect_right(self._pre_starts, ts) - 1
        if index < 0 or ts >= self._sessions[-1].ts_post_end:
            raise self._passed(ts)
        return self._sessions[index]

    def sessions(self, start: date, end: date) -> list[Session]:
        """Sessions of the days [start, end), in order."""
        return list(self._sessions[bisect_left(self._dates, start) : bisect_left(self._dates, end)])

    def next_open(self, ts: datetime) -> datetime:
        """First regular open after the instant."""
        return self._after(self._opens, ts)

    def next_close(self, ts: datetime) -> datetime:
        """First regular close after the instant."""
        return self._after(self._closes, ts)

    def _after(self, instants: Sequence[datetime], ts: datetime) -> datetime:
        index = bisect_right(instants, ts)
        if index == len(instants):
            raise self._passed(ts)
        return instants[index]

    def _passed(self, ts: datetime) -> CalendarHorizonPassed:
        return CalendarHorizonPassed(self.name, ts, self._dates[0], self._dates[-1])


class ContinuousCalendar:
    """Never closed: one session a UTC day, always regular; needs no table."""

    name = "24/7"

    def phase(self, ts: datetime) -> Phase:
        """Always regular."""
        return "regular"

    def session_at(self, ts: datetime) -> Session:
        """The UTC day of the instant."""
        return _utc_day(ts.astimezone(UTC).date())

    def session_date(self, ts: datetime) -> date:
        """The UTC day of the instant."""
        return ts.astimezone(UTC).date()

    def session_latest(self, ts: datetime) -> Session:
        """The UTC day of the instant."""
        return self.session_at(ts)

    def sessions(self, start: date, end: date) -> list[Session]:
        """Every day of [start, end)."""
        return [_utc_day(start + n * _DAY) for n in range((end - start).days)]

    def next_open(self, ts: datetime) -> datetime:
        """The coming midnight, UTC."""
        return self.session_at(ts).ts_close

    def next_close(self, ts: datetime) -> datetime:
        """The coming midnight, UTC."""
        return self.session_at(ts).ts_close


def _utc_day(day: date) -> Session:
    start = datetime.combine(day, time(), UTC)
    return Session(day, start, start + _DAY)
