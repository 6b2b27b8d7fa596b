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


@dataclass(frozen=True)
class _Hours:
    """A session as seconds since a day's midnight; some may lie in the days around it."""

    pre: int
    open: int
    close: int
    post_end: int
    pause: tuple[int, int] | None


@lru_cache(maxsize=64)
def day_shape(day: date, *, calendar_name: str, hours: Hours) -> DayShape:
    """The shape of a UTC day; the sessions of the days around it reach into it."""
    midnight = second_of(datetime.combine(day, time(), UTC))
    sessions = _sessions_of(day, calendar_name)
    liveliness, phases = _pattern(sessions, is_continuous=calendar_name == "24/7", hours=hours)
    if hours == "always" or calendar_name == "24/7":
        return DayShape(liveliness, phases, np.full(DAY_S // BLOCK_S, midnight, dtype=np.int64))
    return DayShape(liveliness, phases, _opens(midnight, sessions))


def volume_ratio(day: date, *, calendar_name: str, hours: Hours) -> float:
    """What is traded in the day, to a symbol's daily volume."""
    return _volume_ratio(_sessions_of(day, calendar_name), is_continuous=calendar_name == "24/7", hours=hours)


@lru_cache(maxsize=256)
def _volume_ratio(sessions: tuple[_Hours, ...], *, is_continuous: bool, hours: Hours) -> float:
    liveliness, phases = _pattern(sessions, is_continuous=is_continuous, hours=hours)
    return float(liveliness[phases == REGULAR].sum()) / REGULAR_S


def _sessions_of(day: date, calendar_name: str) -> tuple[_Hours, ...]:
    """Those that may reach into the day."""
    if calendar_name == "24/7":
        return ()
    midnight = second_of(datetime.combine(day, time(), UTC))
    found = calendar(calendar_name).sessions(day - timedelta(days=1), day + timedelta(days=2))
    return tuple(_hours(session, midnight) for session in found)


def _hours(session: Session, midnight: int) -> _Hours:
    starts = (session.ts_pre, session.ts_open, session.ts_close, session.ts_post_end)
    pre, opening, close, post_end = (second_of(ts) - midnight for ts in starts)
    pause = None
    if session.ts_break_start and session.ts_break_end:
        pause = second_of(session.ts_break_start) - midnight, second_of(session.ts_break_end) - midnight
    return _Hours(pre, opening, close, post_end, pause)


@lru_cache(maxsize=64)
def _pattern(sessions: tuple[_Hours, ...], *, is_continuous: bool, hours: Hours) -> tuple[_Seconds, NDArray[np.int8]]:
    """Liveliness and phase per second: most days have the hours of the day before."""
    liveliness = np.full(DAY_S, _ROUND_THE_CLOCK) if is_continuous else _liveliness(sessions, hours=hours)
    always = is_continuous or hours == "always"
    phases = np.full(DAY_S, REGULAR, dtype=np.int8) if always else _phases(sessions)
    liveliness.flags.writeable = phases.flags.writeable = False
    return liveliness, phases


def _liveliness(sessions: tuple[_Hours, ...], *, hours: Hours) -> _Seconds:
    shape = np.full(DAY_S, _NIGHT if hours == "always" else 0.0)
    for session in sessions:
        extended = _slice(session.pre, session.post_end)
        shape[extended] = np.maximum(shape[extended], _EXTENDED)
        whole = _u_shape(session.close - session.open)
        regular = _slice(session.open, session.close)
        first = regular.start - session.open
        shape[regular] = whole[first : first + regular.stop - regular.start]
        if session.pause:
            shape[_slice(*session.pause)] = 0.0
    return shape


def _phases(sessions: tuple[_Hours, ...]) -> NDArray[np.int8]:
    phases = np.full(DAY_S, CLOSED, dtype=np.int8)
    for session in sessions:
        phases[_slice(session.pre, session.open)] = PRE
        phases[_slice(session.open, session.close)] = REGULAR
        phases[_slice(session.close, session.post_end)] = POST
        if session.pause:
            phases[_slice(*session.pause)] = CLOSED
    return phases


def _opens(midnight: int, sessions: tuple[_Hours, ...]) -> Integers:
    """A block belongs to the newest session that opens before the block ends."""
    opens = np.full(DAY_S // BLOCK_S, midnight, dtype=np.int64)
    ends = BLOCK_S * (1 + np.arange(DAY_S // BLOCK_S))
    for session in sessions:
        opens[ends > session.open] = midnight + session.open
    return opens


def _slice(start: int, end: int) -> slice:
    """Seconds of the day inside [start, end)."""
    first, last = (min(max(0, second), DAY_S) for second in (start, end))
    return slice(first, max(first, last))


def _u_shape(count: int) -> _Seconds:
    distance = np.abs(np.linspace(-1.0, 1.0, count)) ** _U_POWER
    return 1.0 - _U_DEPTH + 3 * _U_DEPTH * distance
