"""How lively a market is in each second of a UTC day. Not here: what then happens (market).

The unit is the middle of a regular session: 1.0. Numbers are chosen so that every symbol trades in nearly every minute
of the quietest night, and that the shape looks like a real one: U over the session, a tail on both sides."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stock_platform.calendars import Session, calendar
from stock_platform.feed.simulator.updates import BLOCK_S, Integers, second_of

Hours = Literal["always", "exchange"]
"""always: the simulated exchange never closes and a session is a UTC day; exchange: real hours."""

DAY_S = 86_400
REGULAR_S = 23_400
"""Seconds of a regular session: a symbol's daily volume is traded in so many seconds of mean liveliness."""
PRE, REGULAR, POST, CLOSED = range(4)
"""Yahoo's market_hours."""

_Seconds = NDArray[np.float64]

_NIGHT, _EXTENDED, _ROUND_THE_CLOCK = 0.02, 0.06, 0.5
_U_DEPTH, _U_POWER = 0.55, 2.0
"""Open and close some three times as lively as noon (Admati and Pfleiderer 1988 on the U shape)."""


@dataclass(frozen=True)
class DayShape:
    """One UTC day of one calendar.

    Args:
        liveliness: Per second, shape (86400,); 0 where the market is closed.
        phases: Yahoo's market_hours per second, same index.
        opens: Per block, the second of the epoch at which its session opened, shape (96,).
    """

    liveliness: _Seconds
    phases: NDArray[np.int8]
    opens: Integers

    @cached_property
    def lively_blocks(self) -> NDArray[np.bool_]:
        """Per block, whether the market is open in it, shape (96,)."""
        return np.asarray(np.add.reduceat(self.liveliness, np.arange(0, DAY_S, BLOCK_S)) > 0)

    @property
    def regular(self) -> NDArray[np.bool_]:
        """Where volume counts."""
        return self.phases == REGULAR

    @property
    def volume_ratio(self) -> float:
        """What is traded in the day, to a symbol's daily volume."""
        return float((self.liveliness * self.regular).sum()) / REGULAR_S


@lru_cache(maxsize=64)
def day_shape(day: date, *, calendar_name: str, hours: Hours) -> DayShape:
    """The shape of a UTC day; the sessions of the days around it reach into it."""
    midnight = second_of(_midnight(day))
    sessions = [] if calendar_name == "24/7" else _sessions_touching(day, calendar_name)
    shape = _liveliness(day, sessions, hours=hours) if sessions or calendar_name != "24/7" else np.full(DAY_S, _ROUND_THE_CLOCK)
    if hours == "always" or calendar_name == "24/7":
        return DayShape(shape, np.full(DAY_S, REGULAR, dtype=np.int8), np.full(DAY_S // BLOCK_S, midnight, dtype=np.int64))
    return DayShape(shape, _phases(day, sessions), _opens(midnight, sessions))


def _liveliness(day: date, sessions: list[Session], *, hours: Hours) -> _Seconds:
    shape = np.full(DAY_S, _NIGHT if hours == "always" else 0.0)
    for session in sessions:
        extended = _slice(day, session.ts_pre, session.ts_post_end)
        shape[extended] = np.maximum(shape[extended], _EXTENDED)
        whole = _u_shape(int((session.ts_close - session.ts_open).total_seconds()))
        regular = _slice(day, session.ts_open, session.ts_close)
        first = second_of(_midnight(day)) + regular.start - second_of(session.ts_open)
        shape[regular] = whole[first : first + regular.stop - regular.start]
        if session.ts_break_start and session.ts_break_end:
            shape[_slice(day, session.ts_break_start, session.ts_break_end)] = 0.0
    return shape


def _phases(day: date, sessions: list[Session]) -> NDArray[np.int8]:
    phases = np.full(DAY_S, CLOSED, dtype=np.int8)
    for session in sessions:
        phases[_slice(day, session.ts_pre, session.ts_open)] = PRE
        phases[_slice(day, session.ts_open, session.ts_close)] = REGULAR
        phases[_slice(day, session.ts_close, session.ts_post_end)] = POST
        if session.ts_break_start and session.ts_break_end:
            phases[_slice(day, session.ts_break_start, session.ts_break_end)] = CLOSED
    return phases


def _opens(midnight: int, sessions: list[Session]) -> Integers:
    """A block belongs to the newest session that opens before the block ends."""
    opens = np.full(DAY_S // BLOCK_S, midnight, dtype=np.int64)
    ends = midnight + BLOCK_S * (1 + np.arange(DAY_S // BLOCK_S))
    for session in sessions:
        opens[ends > second_of(session.ts_open)] = second_of(session.ts_open)
    return opens


def _sessions_touching(day: date, calendar_name: str) -> list[Session]:
    return calendar(calendar_name).sessions(day - timedelta(days=1), day + timedelta(days=2))


def _slice(day: date, start: datetime, end: datetime) -> slice:
    """Seconds of the day inside [start, end)."""
    first, last = (min(max(0, int((ts - _midnight(day)).total_seconds())), DAY_S) for ts in (start, end))
    return slice(first, max(first, last))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _u_shape(count: int) -> _Seconds:
    distance = np.abs(np.linspace(-1.0, 1.0, count)) ** _U_POWER
    return 1.0 - _U_DEPTH + 3 * _U_DEPTH * distance
