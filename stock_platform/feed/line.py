"""One feed line: source → validation → publisher, with a heartbeat. Blocking; one worker runs one line.

Not here: who starts it and where heartbeats go (the caller), how each step works. After a crash a tape goes on at the
first tick that Kafka has not acknowledged; a stream goes on with what the vendor sends, and says so in the ticks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka import partition_of
from stock_platform.calendars import calendar
from stock_platform.errors import PlatformError
from stock_platform.feed.plan import LineState, StreamPlan, TapePlan
from stock_platform.feed.publisher import Acknowledged, Publisher
from stock_platform.feed.tape import Tape, TapeSource
from stock_platform.feed.tick import Candidate, Refusal, Tick, from_epoch_ms
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.source import StreamSource

BEAT_EVERY = timedelta(seconds=2)
_READ_WITHIN = timedelta(milliseconds=200)
_FLUSH_WITHIN = timedelta(milliseconds=500)
_DRAIN_WITHIN = timedelta(seconds=30)
_STREAM_DELAY = timedelta(seconds=2)
"""A stream's tick is ours this long after it happened: Yahoo's grid of whole seconds, and the way."""

Heartbeat = Callable[[LineState], bool]
"""Takes the state; False: another run owns this line."""


class Source(Protocol):
    """What a line reads."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will ever come again."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether what happens now will come."""
        ...

    @property
    def last_error(self) -> str | None:
        """Newest problem, for a person."""
        ...

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal]:
        """What has come; waits for the first no longer than told."""
        ...

    def close(self) -> None:
        """Bring nothing new; what has come can still be read."""
        ...


@dataclass(frozen=True)
class _Parts:
    """What a plan comes down to.

    Args:
        ts_over: Event time that is reached when the source is over: the end of its last session's day.
    """

    source: Source
    instruments: Sequence[Instrument]
    acknowledged: Acknowledged
    ts_over: Callable[[datetime], datetime]


def run_line(
    plan: StreamPlan | TapePlan,
    *,
    publisher: Publisher,
    heartbeat: Heartbeat,
    clock: Clock,
    should_stop: Callable[[], bool],
) -> LineState:
    """Run the line until it is over, told to stop, or owned by somebody else; gives its last state.

    Raises:
        TapeUnreadable, TopicMissing: it cannot begin.
        DeliveryFailed: Kafka was away for too long; start the line again.
    """
    begun = LineState(line=plan.line, source=plan.source)
    if not heartbeat(begun):
        return replace(begun, state="stopped")
    try:
        line = _Line(begun, _assemble(plan, publisher, clock), publisher=publisher, heartbeat=heartbeat, clock=clock)
        return line.run(should_stop)
    except PlatformError as error:
        heartbeat(replace(begun, state="failed", last_error=str(error)))
        raise


def _assemble(plan: StreamPlan | TapePlan, publisher: Publisher, clock: Clock) -> _Parts:
    if isinstance(plan, StreamPlan):
        source = StreamSource(plan.url, plan.instruments, clock=clock, patience=plan.patience)
        return _Parts(source, plan.instruments, Acknowledged(), lambda ts: ts)
    tape, acknowledged = Tape(plan.path), publisher.acknowledged()
    instruments = plan.instruments(tape)
    player = TapeSource(tape, speed=plan.speed, is_as_live=plan.is_as_live, acknowledged=acknowledged, clock=clock)
    return _Parts(player, instruments, acknowledged, lambda ts: _end_of_day(ts, instruments))


def _end_of_day(ts: datetime, instruments: Sequence[Instrument]) -> datetime:
    """When the last session's day is over; where the market never closes, two minutes later: the last bar is closed."""
    exchanges = [calendar(name) for name in {each.calendar for each in instruments} - {"24/7"}]
    ends = [each.session_latest(ts).ts_post_end for each in exchanges]
    return max(ts, *ends) if ends else ts + timedelta(minutes=2)


class _Line:
    def __init__(self, begun: LineState, parts: _Parts, *, publisher: Publisher, heartbeat: Heartbeat, clock: Clock) -> None:
        reached, newest = _reached(parts.acknowledged, parts.instruments)
        self._state = replace(begun, state="running", ts_clock=reached, ts_event_last=newest)
        self._ts_taken: datetime | None = None
        self._source = parts.source
        self._acknowledged = parts.acknowledged
        self._ts_over = parts.ts_over
        self._validator = Validator(line=begun.line, source=begun.source, instruments=parts.instruments)
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._clock = clock
        self._ts_beat = clock.now()

    def run(self, should_stop: Callable[[], bool]) -> LineState:
        try:
            is_ours = self._beat()
            while is_ours and not self._source.is_over and not should_stop():
                self._step()
                is_ours = self._beat_when_due()
        finally:
            self._source.close()
        return self._finish() if is_ours else self._give_up()

    def _step(self) -> None:
        if self._publisher.is_full:
            self._publisher.flush(_FLUSH_WITHIN)
        else:
            self._take(self._source.read(_READ_WITHIN))

    def _take(self, batch: Sequence[Candidate | Refusal]) -> None:
        for item in batch:
            verdict = item if isinstance(item, Refusal) else self._validator.judge(item)
            if isinstance(verdict, Refusal):
                self._refuse(verdict)
            else:
                self._publish(verdict, is_published=isinstance(item, Candidate) and item.is_published)

    def _publish(self, tick: Tick, *, is_published: bool) -> None:
        if not is_published:
            self._publisher.publish(tick)
        self._ts_taken = tick.ts_event
        newest = max(tick.ts_event, self._state.ts_event_last or tick.ts_event)
        count = self._state.tick_count + (not is_published)
        self._state = replace(self._state, ts_event_last=newest, tick_count=count)

    def _refuse(self, refusal: Refusal) -> None:
        if refusal.line_seq > self._acknowledged.refusal_seq:
            self._publisher.refuse(refusal)
            self._state = replace(self._state, reject_count=self._state.reject_count + 1)

    def _beat_when_due(self) -> bool:
        if self._clock.now() - self._ts_beat < BEAT_EVERY:
            return True
        return self._beat()

    def _beat(self) -> bool:
        """Confirm what can be confirmed, and say so."""
        self._ts_beat = self._clock.now()
        ts_clock = self._confirmed()
        self._state = replace(self._state, ts_clock=ts_clock, last_error=self._source.last_error)
        return self._heartbeat(self._state)

    def _confirmed(self) -> datetime | None:
        was_connected, ts_clock = self._source.is_connected, self._clock.now() - _STREAM_DELAY
        if self._state.source == "tape":
            ts_clock = self._ts_taken
        else:
            while batch := self._source.read(timedelta(0)):
                self._take(batch)
        is_confirmed = self._publisher.flush(_FLUSH_WITHIN) and was_connected and self._source.is_connected
        newest = [ts for ts in (self._state.ts_clock, ts_clock if is_confirmed else None) if ts is not None]
        return max(newest, default=None)

    def _finish(self) -> LineState:
        """Publish what has been read, wait for Kafka, say goodbye."""
        while batch := self._source.read(timedelta(0)):
            self._take(batch)
        is_confirmed = self._publisher.flush(_DRAIN_WITHIN)
        is_over = self._source.is_over and is_confirmed
        ts_last = self._state.ts_event_last
        if is_over and ts_last is not None:
            self._state = replace(self._state, ts_clock=self._ts_over(ts_last))
        self._state = replace(self._state, state="ended" if is_over else "stopped")
        self._heartbeat(self._state)
        return self._state

    def _give_up(self) -> LineState:
        self._publisher.abandon()
        return replace(self._state, state="stopped")


def _reached(acknowledged: Acknowledged, instruments: Sequence[Instrument]) -> tuple[datetime | None, datetime | None]:
    """Event times that a restarted tape had reached: in every partition of its symbols, and in the foremost one."""
    instants = [each.ts_event_ms for each in acknowledged.ticks.values() if each.ts_event_ms is not None]
    if not instants:
        return None, None
    used = {partition_of(each.symbol, acknowledged.partition_count) for each in instruments}
    is_everywhere = used <= acknowledged.ticks.keys()
    return from_epoch_ms(min(instants)) if is_everywhere else None, from_epoch_ms(max(instants))
