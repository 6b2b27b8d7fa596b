"""Candidates to ticks or refusals: one state a symbol, no clock, no I/O, so that a replay judges alike.

Not here: decoding (yahoo/pricing, tape), publishing. Order of the checks: subscribed, price, time, session, stale
snapshot, spike. Unit of parallelism: the symbol; a restarted line begins with empty state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from stock_platform.calendars import Calendar, Phase, Session, calendar
from stock_platform.feed.collar import Collar
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.watchlist import Instrument

AHEAD_LIMIT = timedelta(seconds=5)
"""How far a vendor's clock may run ahead of ours."""
_FRACTION_DIGITS = 6
_PRICE_LIMIT = Decimal(10) ** 12
"""Prices are numeric(18,6) end to end: no more than this can be stored."""


@dataclass(slots=True)
class _State:
    """What is remembered of one symbol between its ticks."""

    instrument: Instrument
    calendar: Calendar
    collar: Collar = field(default_factory=Collar)
    session: Session | None = None
    ts_connected: datetime | None = None
    identity: tuple[Decimal, int | None, datetime] | None = None
    is_unseen: bool = True
    volume: int = 0


class Validator:
    """Judges one line's candidates in their order.

    Args:
        line: Name of the line, and `source` its kind: yahoo, simulator or tape.
        instruments: What the line is subscribed to.

    A tape carries sizes, not cumulative volumes: its day volume is the sum of the accepted sizes since the regular
    open. Its instants are its own, so that nothing in it is ahead of time or a stale snapshot.
    """

    def __init__(self, *, line: str, source: str, instruments: Iterable[Instrument]) -> None:
        self._line = line
        self._source = source
        self._is_live = source != "tape"
        self._states = {instrument.symbol: _State(instrument, calendar(instrument.calendar)) for instrument in instruments}

    def judge(self, candidate: Candidate) -> Tick | Refusal:
        """The tick, or the refusal with its reason."""
        state = self._states.get(candidate.symbol)
        if state is None:
            return _refuse(candidate, "not_subscribed", f"{candidate.symbol!r} is not on this line")
        if problem := _price_problem(candidate.price):
            return _refuse(candidate, "price_invalid", problem)
        if self._is_live and (problem := _time_problem(candidate, state)):
            return _refuse(candidate, *problem)
        session = _enter_session(state, candidate.ts_event)
        is_continuous = _is_continuous(candidate, state, session)
        state.is_unseen, state.ts_connected = False, candidate.ts_connected
        if problem := state.collar.refuses(candidate.price):
            return _refuse(candidate, "spike", problem)
        return self._tick(candidate, state, is_continuous=is_continuous)

    def _tick(self, candidate: Candidate, state: _State, *, is_continuous: bool) -> Tick:
        phase = state.calendar.phase(candidate.ts_event)
        day_volume = self._day_volume(candidate, state, phase)
        state.identity = (candidate.price, candidate.day_volume, candidate.ts_event)
        return Tick(
            symbol=candidate.symbol,
            price=candidate.price,
            day_volume=day_volume,
            size=candidate.size,
            ts_event=candidate.ts_event,
            ts_recv=candidate.ts_recv,
            session_phase=phase,
            currency=state.instrument.currency,
            previous_close=candidate.previous_close,
            source=self._source,
            line=self._line,
            line_seq=candidate.line_seq,
            is_suspect=False,
            is_continuous=is_continuous,
        )

    def _day_volume(self, candidate: Candidate, state: _State, phase: Phase) -> int | None:
        if phase != "regular":
            return None
        if self._is_live:
            return candidate.day_volume
        state.volume += candidate.size or 0
        return state.volume


def _refuse(candidate: Candidate, reason: str, detail: str) -> Refusal:
    return Refusal(reason, detail, candidate.ts_recv, candidate.line_seq, candidate.payload)


def _price_problem(price: Decimal) -> str | None:
    if not price.is_finite() or price <= 0:
        return f"price {price} is not a positive number"
    if price >= _PRICE_LIMIT:
        return f"price {price} has more than 12 digits before the point"
    exponent = price.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_FRACTION_DIGITS:
        return f"price {price} has more than {_FRACTION_DIGITS} digits behind the point"
    return None


def _time_problem(candidate: Candidate, state: _State) -> tuple[str, str] | None:
    ahead = candidate.ts_event - candidate.ts_recv
    if ahead > AHEAD_LIMIT:
        return "ahead_of_time", f"event time is {ahead.total_seconds():.3f} s ahead of ours"
    start = _start(state.calendar.session_latest(candidate.ts_recv), state.calendar)
    if state.ts_connected != candidate.ts_connected and candidate.ts_event < start:
        return "stale_snapshot", f"event time is before the session that began {start:%Y-%m-%d %H:%M}Z"
    return None


def _start(session: Session, hours: Calendar) -> datetime:
    return session.ts_open if hours.name == "24/7" else session.ts_pre


def _enter_session(state: _State, ts_event: datetime) -> Session:
    """The session that the tick counts to; a new one begins with no volume, no level, nothing seen."""
    session = state.calendar.session_latest(ts_event)
    if state.session is None or session.ts_open > state.session.ts_open:
        state.session, state.volume, state.is_unseen = session, 0, True
        state.collar.reset()
    return session


def _is_continuous(candidate: Candidate, state: _State, session: Session) -> bool:
    """Whether nothing of the symbol can be missing before this tick.

    True when the connection is the one of the symbol's tick before in this session or, for the session's first, was
    up before the open. A snapshot that repeats the newest tick exactly proves that nothing came between.
    """
    if candidate.ts_connected is None:
        return True
    if state.is_unseen:
        return candidate.ts_connected <= session.ts_open
    if candidate.ts_connected == state.ts_connected:
        return True
    return state.identity == (candidate.price, candidate.day_volume, candidate.ts_event)
