"""What a market's hours are asked, and the answer by bisection in a table of sessions.

All instants are aware; every range is [inclusive, exclusive). Not here: where the sessions come from (table, forex), the
market that needs none (continuous)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from stock_platform.errors import CalendarHorizonPassed

Phase = Literal["pre", "regular", "post", "closed"]


class Session(NamedTuple):
    """One trading day: regular hours [ts_open, ts_close) without the break, inside of [ts_pre, ts_post_end).

    Args:
        ts_pre: Start of the pre-market; ts_open where there is none. ts_post_end alike.
        ts_break_start: Lunch break [ts_break_start, ts_break_end), or None.
        is_assumed: Beyond the table: a weekday with the last known regular hours, holidays unknown.
    """

    session_date: date
    ts_open: datetime
    ts_close: datetime
    ts_pre: datetime
    ts_post_end: datetime
    ts_break_start: datetime | None = None
    ts_break_end: datetime | None = None
    is_assumed: bool = False


class Calendar(Protocol):
    """What the platform asks of a market's hours."""

    @property
    def name(self) -> str:
        """XNYS or 24/7."""
        ...

    @property
    def horizon(self) -> date:
        """Last day that is known; later ones are assumed."""
        ...

    def phase(self, ts: datetime) -> Phase:
        """What the market is doing at the instant; closed in a break, too."""
        ...

    def is_trading(self, ts: datetime) -> bool:
        """Whether prices move: pre, regular or post, and not in a break."""
        ...

    def is_assumed(self, ts: datetime) -> bool:
        """Whether the answer for this instant is a guess beyond the horizon."""
        ...

    def session_at(self, ts: datetime) -> Session | None:
        """The session whose pre, regular or post hours, or break, hold the instant; None while closed."""
        ...

    def session_date(self, ts: datetime) -> date | None:
        """Trading day of the instant, pre, post and break included; None while closed."""
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

    def next_trading_start(self, ts: datetime) -> datetime:
        """First instant, this one included, at which the market trades."""
        ...

    def trading_end(self, ts: datetime) -> datetime | None:
        """First instant, this one included, at which the market does not trade; None: it never stops."""
        ...


class ExchangeCalendar:
    """Looks sessions up by bisection: 0.3 us a question.

    Args:
        sessions: In order, none overlapping; the assumed ones last."""

    def __init__(self, name: str, sessions: Sequence[Session], *, horizon: date) -> None:
        self.name = name
        self.horizon = horizon
        self._sessions = sessions
        self._pre_starts = [session.ts_pre for session in sessions]
        self._opens = [session.ts_open for session in sessions]
        self._closes = [session.ts_close for session in sessions]
        self._dates = [session.session_date for session in sessions]
        edges = list(_edges(sessions))
        self._edges = [ts for ts, _ in edges]
        self._phases: list[Phase] = [phase for _, phase in edges]

    def phase(self, ts: datetime) -> Phase:
        """What the market is doing at the instant; closed in a break, too."""
        return self._phases[self._edge(ts)]

    def is_trading(self, ts: datetime) -> bool:
        """Whether prices move: pre, regular or post, and not in a break."""
        return self.phase(ts) != "closed"

    def is_assumed(self, ts: datetime) -> bool:
        """Whether the answer for this instant is a guess beyond the horizon."""
        return self.session_latest(ts).is_assumed

    def session_at(self, ts: datetime) -> Session | None:
        """The session whose pre, regular or post hours, or break, hold the instant; None while closed."""
        session = self.session_latest(ts)
        return session if ts < session.ts_post_end else None

    def session_date(self, ts: datetime) -> date | None:
        """Trading day of the instant, pre, post and break included; None while closed."""
        session = self.session_at(ts)
        return session.session_date if session else None

    def session_latest(self, ts: datetime) -> Session:
        """The newest session whose pre-market has begun, over or not."""
        index = bisect_right(self._pre_starts, ts) - 1
        if index < 0 or ts >= self._edges[-1]:
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

    def next_trading_start(self, ts: datetime) -> datetime:
        """First instant, this one included, at which the market trades."""
        index = self._edge(ts)
        return ts if self._phases[index] != "closed" else self._edges[index + 1]

    def trading_end(self, ts: datetime) -> datetime | None:
        """First instant, this one included, at which the market does not trade."""
        index = here = self._edge(ts)
        while self._phases[index] != "closed":
            index += 1
        return ts if index == here else self._edges[index]

    def _edge(self, ts: datetime) -> int:
        """Index of the part of a day that holds the instant. The last edge ends the table."""
        index = bisect_right(self._edges, ts) - 1
        if index < 0 or index == len(self._edges) - 1:
            raise self._passed(ts)
        return index

    def _after(self, instants: Sequence[datetime], ts: datetime) -> datetime:
        index = bisect_right(instants, ts)
        if index == len(instants):
            raise self._passed(ts)
        return instants[index]

    def _passed(self, ts: datetime) -> CalendarHorizonPassed:
        return CalendarHorizonPassed(self.name, ts, self._dates[0], self._dates[-1])


def _edges(sessions: Sequence[Session]) -> Iterator[tuple[datetime, Phase]]:
    """When which phase begins, in order; back-to-back sessions have no closed time between."""
    for index, session in enumerate(sessions):
        if session.ts_pre < session.ts_open:
            yield session.ts_pre, "pre"
        yield session.ts_open, "regular"
        if session.ts_break_start and session.ts_break_end:
            yield session.ts_break_start, "closed"
            yield session.ts_break_end, "regular"
        if session.ts_close < session.ts_post_end:
            yield session.ts_close, "post"
        if index + 1 == len(sessions) or sessions[index + 1].ts_pre > session.ts_post_end:
            yield session.ts_post_end, "closed"
