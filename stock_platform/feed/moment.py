"""What a market is doing at a tick's time, looked up once a minute. Not here: the hours themselves (calendars)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stock_platform.calendars import Calendar, Phase, Session

MINUTE = timedelta(minutes=1)
_EDGE = timedelta(minutes=15)
"""After the open and before the close prices scatter more: as in the exchanges' own bands (Limit Up-Limit Down)."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """One minute of a market: phases and sessions begin and end on whole minutes.

    Args:
        width: How often the deviation counts in the spike filter.
        is_always_open: A market without opens and closes.
    """

    session: Session
    phase: Phase
    width: int
    is_always_open: bool


class Moments:
    """A calendar's answers; shared by its symbols, whose ticks mostly fall into the same minute."""

    def __init__(self, hours: Calendar) -> None:
        self._hours = hours
        self._start = self._end = _LONG_AGO
        self._moment: Moment | None = None

    def at(self, ts: datetime) -> Moment:
        """The minute of the instant.

        Raises:
            CalendarHorizonPassed: the calendar does not reach so far.
        """
        if self._moment is None or not self._start <= ts < self._end:
            self._moment = self._look_up(ts)
            self._start = ts.replace(second=0, microsecond=0)
            self._end = self._start + MINUTE
        return self._moment

    def session_start(self, ts: datetime) -> datetime:
        """When the newest session began at that time, pre-market included.

        Raises:
            CalendarHorizonPassed: the calendar does not reach so far.
        """
        session = self._hours.session_latest(ts)
        return session.ts_open if self._is_always_open else session.ts_pre

    def _look_up(self, ts: datetime) -> Moment:
        session, phase = self._hours.session_latest(ts), self._hours.phase(ts)
        is_calm = phase == "regular" and session.ts_open + _EDGE <= ts < session.ts_close - _EDGE
        return Moment(session, phase, 1 if is_calm or self._is_always_open else 2, self._is_always_open)

    @property
    def _is_always_open(self) -> bool:
        return self._hours.name == "24/7"
