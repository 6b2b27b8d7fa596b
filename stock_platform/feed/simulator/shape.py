"""How lively a market is in each second of a UTC day. Not here: what then happens (market).

The unit is the middle of a regular session: 1.0. Numbers are chosen so that every symbol trades in nearly every minute
of the quietest night, and that the shape looks like a real one: U over the session, a tail on both sides."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stock_platform.calendars import Calendar, Session, calendar

Hours = Literal["always", "exchange"]
"""always: the simulated exchange never closes and a session is a UTC day; exchange: real hours."""

DAY_S = 86_400
REGULAR_S = 23_400
"""Seconds of a regular session: a symbol's daily volume is traded in so many seconds of mean liveliness."""

_Seconds = NDArray[np.float64]

_NIGHT, _EXTENDED, _ROUND_THE_CLOCK = 0.02, 0.06, 0.5
_U_DEPTH, _U_POWER = 0.55, 2.0
"""Open and close some three times as lively as noon (Admati and Pfleiderer 1988 on the U shape)."""


def liveliness(day: date, *, calendar_name: str, hours: Hours) -> _Seconds:
    """Liveliness of each second of the UTC day, shape (86400,); 0 where the market is closed."""
    if calendar_name == "24/7":
        return np.full(DAY_S, _ROUND_THE_CLOCK)
    exchange = calendar(calendar_name)
    shape = np.full(DAY_S, _NIGHT if hours == "always" else 0.0)
    for session in _sessions_touching(day, exchange):
        _raise(shape, _slice(day, session.ts_pre, session.ts_post_end), _EXTENDED)
        regular = _slice(day, session.ts_open, session.ts_close)
        shape[regular] = _u_shape(regular.stop - regular.start)
    return shape


def regular_seconds(day: date, *, calendar_name: str, hours: Hours) -> NDArray[np.bool_]:
    """Whether each second of the UTC day belongs to a regular session: where volume counts, shape (86400,)."""
    if hours == "always" or calendar_name == "24/7":
        return np.ones(DAY_S, dtype=np.bool_)
    mask = np.zeros(DAY_S, dtype=np.bool_)
    for session in _sessions_touching(day, calendar(calendar_name)):
        mask[_slice(day, session.ts_open, session.ts_close)] = True
    return mask


def _sessions_touching(day: date, exchange: Calendar) -> list[Session]:
    return exchange.sessions(day - timedelta(days=1), day + timedelta(days=1))


def _slice(day: date, start: datetime, end: datetime) -> slice:
    """Seconds of the day inside [start, end)."""
    midnight = datetime.combine(day, time(), UTC)
    first, last = (min(max(0, int((ts - midnight).total_seconds())), DAY_S) for ts in (start, end))
    return slice(first, max(first, last))


def _raise(shape: _Seconds, where: slice, floor: float) -> None:
    shape[where] = np.maximum(shape[where], floor)


def _u_shape(count: int) -> _Seconds:
    distance = np.abs(np.linspace(-1.0, 1.0, count)) ** _U_POWER
    return 1.0 - _U_DEPTH + 3 * _U_DEPTH * distance
