"""The market that never closes: a session each UTC day, no table, no horizon."""

from datetime import UTC, date, datetime, time, timedelta

from stock_platform.calendars.calendar import Phase, Session

_DAY = timedelta(days=1)


class ContinuousCalendar:
    """Never closed: one session a UTC day, always regular."""

    name = "24/7"
    horizon = date.max

    def phase(self, ts: datetime) -> Phase:
        """Always regular."""
        return "regular"

    def is_trading(self, ts: datetime) -> bool:
        """Always."""
        return True

    def is_assumed(self, ts: datetime) -> bool:
        """Never."""
        return False

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

    def next_trading_start(self, ts: datetime) -> datetime:
        """The instant itself."""
        return ts

    def trading_end(self, ts: datetime) -> None:
        """Never."""


def _utc_day(day: date) -> Session:
    start = datetime.combine(day, time(), UTC)
    return Session(day, start, start + _DAY, ts_pre=start, ts_post_end=start + _DAY)
