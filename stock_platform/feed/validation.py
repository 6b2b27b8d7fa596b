"""Candidates to ticks or refusals: one state a symbol, no clock, no I/O, so that a replay judges alike.

Not here: decoding (yahoo/pricing, tape), what is remembered (symbol_state), price levels (level, spike), publishing. Order
of the checks: subscribed, price, volume, currency, time, snapshot, repeat, unit, volume's course, level. What is refused,
what is published as suspect, and why: docs/decisions/0008. Unit of parallelism: the symbol; a restarted line begins anew."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from stock_platform.calendars import Phase, calendar
from stock_platform.errors import CalendarHorizonPassed
from stock_platform.feed.level import Standing
from stock_platform.feed.moment import Moment, Moments
from stock_platform.feed.price import from_millionths, millionths
from stock_platform.feed.splits import Splits
from stock_platform.feed.symbol_state import SymbolState, identity
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.watchlist import Instrument

AHEAD_LIMIT = timedelta(seconds=5)
"""How far a vendor's clock may run ahead of ours."""
_LATE_WIDTH = 2
"""The level may have moved on since a late tick."""
_AGREEING: dict[int, tuple[Phase, ...]] = {0: ("pre",), 1: ("regular",), 2: ("post",), 3: ("pre", "post", "closed"), 4: ("closed",)}
"""What the calendar says while Yahoo says market_hours. Other numbers are nobody's: they contradict nothing."""
_VENDOR_PHASE: dict[int, Phase] = {0: "pre", 2: "post", 3: "post", 4: "closed"}


@dataclass
class Counts:
    """What became of a line's candidates, since it began.

    Args:
        ticks: Published, suspect ones included.
        duplicates: The newest tick once more by the same connection: nothing new.
        late: Published although more than a minute older than one before.
        volume_backwards: Day volume below one before; volume_resets: below half of it.
        level_shifts: Published as the third of a new level.
        rejects: Refused, by reason.
    """

    ticks: int = 0
    suspects: int = 0
    duplicates: int = 0
    late: int = 0
    volume_backwards: int = 0
    volume_resets: int = 0
    level_shifts: int = 0
    rejects: Counter[str] = field(default_factory=Counter[str])


class Validator:
    """Judges one line's candidates in their order.

    Args:
        line: Name of the line, and `source` its kind: yahoo, simulator or tape.
        instruments: What the line is subscribed to.
        splits: Known splits, of these symbols and others.

    A tape may carry sizes instead of cumulative volumes: its day volume is then the sum of the sizes since the regular
    open, those of refused prices included. Its instants are its own, so that nothing in it is ahead of time or stale.
    """

    def __init__(self, *, line: str, source: str, instruments: Iterable[Instrument], splits: Splits | None = None) -> None:
        self._line = line
        self._source = source
        self._is_live = source != "tape"
        self._splits: Splits = splits or {}
        self._moments: dict[str, Moments] = {}
        self._states: dict[str, SymbolState] = {}
        self.counts = Counts()
        self.add(instruments)

    def add(self, instruments: Iterable[Instrument]) -> None:
        """Take symbols on; one that is known already keeps its state."""
        for each in instruments:
            if each.symbol not in self._states:
                moments = self._moments.setdefault(each.calendar, Moments(calendar(each.calendar)))
                self._states[each.symbol] = SymbolState(each, moments, self._splits.get(each.symbol, ()))

    def remove(self, symbols: Iterable[str]) -> None:
        """Give symbols away, and forget them."""
        for symbol in symbols:
            self._states.pop(symbol, None)

    def update_splits(self, splits: Splits) -> None:
        """Splits as they are known now."""
        self._splits = splits
        for symbol, state in self._states.items():
            state.learn_splits(splits.get(symbol, ()))

    def judge(self, candidate: Candidate) -> Tick | Refusal | None:
        """The tick, the refusal with its reason, or None for what is nothing new. Total: never raises."""
        try:
            verdict = self._judge(candidate)
        except (CalendarHorizonPassed, OverflowError) as error:
            verdict = _refuse(candidate, "outside_calendar", str(error))
        if isinstance(verdict, Tick):
            self.counts.ticks += 1
            self.counts.suspects += verdict.is_suspect
        elif verdict is None:
            self.counts.duplicates += 1
        else:
            self.counts.rejects[verdict.reason] += 1
        return verdict

    def _judge(self, candidate: Candidate) -> Tick | Refusal | None:
        state = self._states.get(candidate.symbol)
        if state is None:
            return _refuse(candidate, "not_subscribed", f"{candidate.symbol!r} is not on this line")
        price = millionths(candidate.price)
        if price is None:
            return _refuse(candidate, "price_invalid", f"{candidate.price} is no price > 0 with 12 digits and 6 decimals at most")
        if problem := _problem(candidate, state):
            return _refuse(candidate, *problem)
        moment = state.moments.at(candidate.ts_event)
        if self._is_live:
            if (ahead := candidate.ts_event - candidate.ts_recv) > AHEAD_LIMIT:
                return _refuse(candidate, "ahead_of_time", f"event time is {ahead.total_seconds():.3f} s ahead of ours")
            if state.is_snapshot(candidate):
                return self._take_snapshot(candidate, state, price)
        return self._judge_in_session(candidate, state, price, moment=moment)

    def _take_snapshot(self, candidate: Candidate, state: SymbolState, price: int) -> Tick | Refusal | None:
        """The last price before this session: for the page, never for a bar."""
        if misfit := state.level.misfit(price):
            return _refuse(candidate, "unit_mismatch", misfit)
        if state.snapshot == (seen := identity(candidate)):
            return None
        state.snapshot = seen
        close = None if candidate.previous_close is None else millionths(candidate.previous_close)
        return self._tick(
            candidate,
            state,
            price,
            phase="closed",
            day_volume=None,
            previous_close=None if close is None else from_millionths(close),
            is_suspect=True,
            is_continuous=False,
        )

    def _judge_in_session(self, candidate: Candidate, state: SymbolState, price: int, *, moment: Moment) -> Tick | Refusal | None:
        session = state.enter(moment)
        if state.is_repeat(candidate):
            return None
        previous_close = state.previous_close(candidate)
        is_continuous = state.is_continuous(candidate, session)
        if misfit := state.level.misfit(price):
            return _refuse(candidate, "unit_mismatch", misfit, is_continuous=is_continuous)
        phase, is_contradicted = _phase(candidate, moment)
        day_volume = self._day_volume(candidate, state) if phase == "regular" else None
        standing = self._stand(candidate, state, price, width=moment.width)
        if standing == "outside":
            detail = f"{candidate.price} is too far from {state.level.text}, where the newest prices are"
            return _refuse(candidate, "spike", detail, is_continuous=is_continuous)
        state.accept(candidate)
        return self._tick(
            candidate,
            state,
            price,
            phase=phase,
            day_volume=day_volume,
            previous_close=previous_close,
            is_suspect=is_contradicted or standing != "inside",
            is_continuous=is_continuous,
        )

    def _day_volume(self, candidate: Candidate, state: SymbolState) -> int | None:
        """Cumulative volume with this tick. A vendor's is published as it came; its course is only watched."""
        if candidate.day_volume is None:
            if self._is_live or candidate.size is None:
                return None
            state.volume += candidate.size
            return state.volume
        if state.is_in_order(candidate):
            course = state.follow_volume(candidate.day_volume)
            self.counts.volume_backwards += course == "backwards"
            self.counts.volume_resets += course == "reset"
        return candidate.day_volume

    def _stand(self, candidate: Candidate, state: SymbolState, price: int, *, width: int) -> Standing:
        """What the level says; a late price is compared with it, but does not move it."""
        if state.is_late(candidate):
            if not state.level.allows(price, width=_LATE_WIDTH * width):
                return "outside"
            self.counts.late += 1
            return "inside"
        standing = state.level.judge(price, width=width)
        self.counts.level_shifts += standing == "shift"
        return standing

    def _tick(
        self,
        candidate: Candidate,
        state: SymbolState,
        price: int,
        *,
        phase: Phase,
        day_volume: int | None,
        previous_close: Decimal | None,
        is_suspect: bool,
        is_continuous: bool,
    ) -> Tick:
        return Tick(
            candidate.symbol,
            from_millionths(price),
            day_volume,
            candidate.size,
            candidate.ts_event,
            candidate.ts_recv,
            phase,
            state.instrument.currency,
            previous_close,
            self._source,
            self._line,
            candidate.line_seq,
            is_suspect,
            is_continuous,
        )


def _refuse(candidate: Candidate, reason: str, detail: str, *, is_continuous: bool = False) -> Refusal:
    return Refusal(reason, detail, candidate.ts_recv, candidate.line_seq, candidate.payload, is_continuous)


def _problem(candidate: Candidate, state: SymbolState) -> tuple[str, str] | None:
    """What is wrong with the message, whatever the time."""
    if (candidate.day_volume or 0) < 0 or (candidate.size or 0) < 0:
        return "volume_invalid", f"day volume {candidate.day_volume}, size {candidate.size}: expected none or >= 0"
    if candidate.currency is not None and candidate.currency != state.instrument.currency:
        return "unit_mismatch", f"the frame says {candidate.currency}, the watchlist {state.instrument.currency}"
    return None


def _phase(candidate: Candidate, moment: Moment) -> tuple[Phase, bool]:
    """Phase, and whether vendor and calendar contradict each other: then it is not regular, and makes no bar."""
    agreeing = None if candidate.vendor_phase is None or moment.is_always_open else _AGREEING.get(candidate.vendor_phase)
    if agreeing is None or moment.phase in agreeing:
        return moment.phase, False
    return _VENDOR_PHASE[candidate.vendor_phase or 0] if moment.phase == "regular" else moment.phase, True
