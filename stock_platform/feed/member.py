"""A line's source and its part in the whole: what a stream's line carries while watchlist, shards and market hours change.

Not here: judging and publishing (line), the stream itself (yahoo/source), the tape itself (tape)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from stock_platform.adapters.clock import Clock
from stock_platform.calendars import calendar
from stock_platform.errors import WatchlistInvalid
from stock_platform.feed.plan import LineState, Standing, State, StreamPlan, TapePlan
from stock_platform.feed.publisher import Acknowledged
from stock_platform.feed.shards import Change, Share, change_of
from stock_platform.feed.tape import Tape, TapeSource
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.source import StreamSource

_SPLITS_EVERY = timedelta(minutes=10)


class Member(Protocol):
    """A source that knows its line's part in the whole."""

    @property
    def outcome(self) -> State | None:
        """How it has ended; None while it goes on."""
        ...

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal | Tick]:
        """What has come; waits for the first no longer than told."""
        ...

    def covered_until(self, now: datetime) -> datetime | None:
        """Event time before which nothing more will come, once all that can be read now is taken."""
        ...

    def describe(self, state: LineState) -> LineState:
        """The state with what the source knows."""
        ...

    def settle(self, standing: Standing, validator: Validator, now: datetime) -> None:
        """Take on and give away symbols as the watchlist and the other lines say."""
        ...

    def close(self) -> None:
        """Bring nothing new; what has come can still be read."""
        ...


class StreamMember:
    """Carries its share; takes new symbols on at once, gives one away when its new owner carries it."""

    def __init__(self, plan: StreamPlan, *, clock: Clock) -> None:
        self._plan = plan
        self._watch = plan.watch()
        self.instruments = self._watch.share(plan.line).instruments
        self._held = {each.symbol: each for each in self.instruments}
        self._problem: str | None = None
        self._ts_splits: datetime | None = None
        self.outcome: State | None = None
        self._source = StreamSource(
            plan.url,
            self.instruments,
            clock=clock,
            patience=plan.patience,
            canary=plan.canary,
            poll=plan.poll,
            ts_lost=plan.ts_lost,
        )

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal]:
        """What has come; waits for the first no longer than told."""
        return self._source.read(within)

    def covered_until(self, now: datetime) -> datetime | None:
        """Event time before which nothing more will come."""
        return self._source.covered_until(now)

    def describe(self, state: LineState) -> LineState:
        """The state with what the source knows."""
        decoder = self._source.decoder
        unknown = [f"{number}:{count}" for number, count in sorted(decoder.unknown_fields.items())]
        unknown += [f"market_hours={number}:{count}" for number, count in sorted(decoder.unknown_phases.items())]
        return replace(
            state,
            ts_recv_last=self._source.ts_recv_last,
            polled_count=self._source.fallback.polled_count if self._source.fallback else 0,
            unknown_fields=" ".join(unknown),
            symbols=self._source.carried,
            redundancy=self._watch.sharing.redundancy,
            gaps=self._source.gaps(),
            last_error=self._problem or self._source.last_error,
        )

    def settle(self, standing: Standing, validator: Validator, now: datetime) -> None:
        """Take on and give away symbols as the watchlist and the other lines say; end when nothing is left to do."""
        self._look()
        change = change_of(self._plan.line, tuple(self._held), watch=self._watch, carried=standing.carried)
        if change != Change():
            self._apply(change, validator)
        if change.add or self._ts_splits is None or now - self._ts_splits > _SPLITS_EVERY:
            self._ts_splits = now
            validator.update_splits(self._plan.splits(tuple(self._held)))
        if not self._held:
            self.outcome = "retired"
        elif not Share(self._plan.line, 0, tuple(self._held.values())).is_awake(now):
            self.outcome = "drained"

    def close(self) -> None:
        """Leave the vendor."""
        self._source.close()

    def _look(self) -> None:
        """A watchlist that is being edited may be wrong for a while: the last right one counts."""
        try:
            self._watch, self._problem = self._plan.watch(), None
        except WatchlistInvalid as error:
            self._problem = str(error)

    def _apply(self, change: Change, validator: Validator) -> None:
        for symbol in change.drop:
            del self._held[symbol]
        self._held |= {each.symbol: each for each in change.add}
        validator.add(change.add)
        self._source.watch(tuple(self._held.values()))
        validator.remove(change.drop)


class TapeMember:
    """A tape: one line plays all of it."""

    def __init__(
        self, plan: TapePlan, tape: Tape, instruments: Sequence[Instrument], *, acknowledged: Acknowledged, clock: Clock
    ) -> None:
        self._source = TapeSource(tape, speed=plan.speed, is_as_live=plan.is_as_live, acknowledged=acknowledged, clock=clock)
        self._symbols = tuple(sorted(each.symbol for each in instruments))
        self._instruments = instruments
        self._ts_read: datetime | None = None

    @property
    def outcome(self) -> State | None:
        """Ended, when the last row has been read."""
        return "ended" if self._source.is_over else None

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal | Tick]:
        """Rows that are due; waits for the next one no longer than told."""
        batch = self._source.read(within)
        self._ts_read = batch[-1].ts_event if batch else self._ts_read
        return batch

    def covered_until(self, now: datetime) -> datetime | None:
        """What was read; at the tape's end, the end of its last session's day."""
        over = self._source.is_over and self._ts_read is not None
        return _end_of_day(self._ts_read, self._instruments) if over and self._ts_read else self._ts_read

    def describe(self, state: LineState) -> LineState:
        """The state with what the tape trades."""
        return replace(state, symbols=self._symbols)

    def settle(self, standing: Standing, validator: Validator, now: datetime) -> None:
        """Nothing joins or leaves a tape."""

    def close(self) -> None:
        """Read no further."""
        self._source.close()


def _end_of_day(ts: datetime, instruments: Sequence[Instrument]) -> datetime:
    """When the last session's day is over; where a market never closes, two minutes later at least: the last bar is closed."""
    names = {each.calendar for each in instruments}
    ends = [calendar(name).session_latest(ts).ts_post_end for name in names - {"24/7"}]
    return max(ts, *ends, *([ts + timedelta(minutes=2)] if "24/7" in names else []))
