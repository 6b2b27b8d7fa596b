"""One feed line: source → validation → publisher, with a heartbeat. Blocking; one worker runs one line.

Not here: who starts it and where heartbeats go (the caller), how each step works, what a stream's line carries (member).
After a crash a tape goes on at the first tick that Kafka has not acknowledged; a stream goes on with what the vendor
sends, and says so in the ticks and as a gap."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka import partition_of
from stock_platform.errors import PlatformError
from stock_platform.feed.member import Member, StreamMember, TapeMember
from stock_platform.feed.plan import Heartbeat, LineState, Plan, StreamPlan
from stock_platform.feed.publisher import Acknowledged, Publisher
from stock_platform.feed.tape import Tape
from stock_platform.feed.tick import Candidate, Refusal, Tick, from_epoch_ms
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument

BEAT_EVERY = timedelta(seconds=2)
_READ_WITHIN = timedelta(milliseconds=200)
_FLUSH_WITHIN = timedelta(milliseconds=500)
_DRAIN_WITHIN = timedelta(seconds=30)
_DRAIN_COUNT = 100_000
"""Most that is taken before a heartbeat: the source's whole queue twice."""


def run_line(
    plan: Plan,
    *,
    publisher: Publisher,
    heartbeat: Heartbeat,
    clock: Clock,
    should_stop: Callable[[], bool],
) -> LineState:
    """Run the line until it is over, told to stop, or owned by somebody else; gives its last state.

    Raises:
        TapeUnreadable, TopicMissing, WatchlistInvalid: it cannot begin.
        DeliveryFailed: Kafka was away for too long; start the line again.
    """
    begun = LineState(line=plan.line, source=plan.source)
    if not heartbeat(begun).is_ours:
        return replace(begun, state="stopped")
    try:
        return _begin(plan, begun, publisher=publisher, heartbeat=heartbeat, clock=clock).run(should_stop)
    except PlatformError as error:
        heartbeat(replace(begun, state="failed", last_error=str(error)))
        raise


def _begin(plan: Plan, begun: LineState, *, publisher: Publisher, heartbeat: Heartbeat, clock: Clock) -> "_Line":
    if isinstance(plan, StreamPlan):
        acknowledged, member = Acknowledged(), StreamMember(plan, clock=clock)
        instruments: Sequence[Instrument] = member.instruments
    else:
        acknowledged, tape = publisher.acknowledged(), Tape(plan.path)
        instruments = plan.instruments(tape)
        member = TapeMember(plan, tape, instruments, acknowledged=acknowledged, clock=clock)
    validator = Validator(line=plan.line, source=plan.source, instruments=instruments)
    reached, newest = _reached(acknowledged, instruments)
    state = replace(begun, state="running", ts_clock=reached, ts_event_last=newest)
    return _Line(state, member, validator, acknowledged=acknowledged, publisher=publisher, heartbeat=heartbeat, clock=clock)


class _Line:
    def __init__(
        self,
        state: LineState,
        member: Member,
        validator: Validator,
        *,
        acknowledged: Acknowledged,
        publisher: Publisher,
        heartbeat: Heartbeat,
        clock: Clock,
    ) -> None:
        self._state = state
        self._member = member
        self._validator = validator
        self._acknowledged = acknowledged
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._clock = clock
        self._ts_beat = clock.now()
        self._ts_event_last = state.ts_event_last
        self._tick_count = 0
        self._reject_count = 0

    def run(self, should_stop: Callable[[], bool]) -> LineState:
        try:
            is_ours = self._beat()
            while is_ours and self._member.outcome is None and not should_stop():
                self._step()
                is_ours = self._clock.now() - self._ts_beat < BEAT_EVERY or self._beat()
        finally:
            self._member.close()
        return self._finish() if is_ours else self._give_up()

    def _step(self) -> None:
        if self._publisher.is_full:
            self._publisher.flush(_FLUSH_WITHIN)
        else:
            self._take(self._member.read(_READ_WITHIN))

    def _take(self, batch: Sequence[Candidate | Refusal | Tick]) -> None:
        for item in batch:
            verdict = self._validator.judge(item) if isinstance(item, Candidate) else item
            if isinstance(verdict, Refusal):
                self._refuse(verdict)
            elif verdict is not None:
                self._publish(verdict, is_published=isinstance(item, Candidate) and item.is_published)

    def _publish(self, tick: Tick, *, is_published: bool) -> None:
        if not is_published:
            self._publisher.publish(tick)
            self._tick_count += 1
        self._ts_event_last = max(tick.ts_event, self._ts_event_last or tick.ts_event)

    def _refuse(self, refusal: Refusal) -> None:
        if refusal.line_seq > self._acknowledged.refusal_seq:
            self._publisher.refuse(refusal)
            self._reject_count += 1

    def _take_all(self) -> None:
        """What has come until now, but not for ever."""
        count = 0
        while count < _DRAIN_COUNT and (batch := self._member.read(timedelta(0))):
            self._take(batch)
            count += len(batch)

    def _beat(self) -> bool:
        """Confirm what can be confirmed, say so, and do one's part."""
        now = self._ts_beat = self._clock.now()
        covered = self._member.covered_until(now)
        self._take_all()
        self._tell(covered if self._publisher.flush(_FLUSH_WITHIN) else None)
        standing = self._heartbeat(self._state)
        if standing.is_ours:
            self._member.settle(standing, self._validator, now)
        return standing.is_ours

    def _tell(self, covered: datetime | None) -> None:
        """Bring the state up to date; its clock never goes back."""
        known = [ts for ts in (self._state.ts_clock, covered) if ts is not None]
        counts = self._validator.counts
        state = replace(
            self._state,
            ts_clock=max(known, default=None),
            ts_event_last=self._ts_event_last,
            tick_count=self._tick_count,
            reject_count=self._reject_count,
            suspect_count=counts.suspects,
            duplicate_count=counts.duplicates,
            late_count=counts.late,
        )
        self._state = self._member.describe(state)

    def _finish(self) -> LineState:
        """Publish what has been read, wait for Kafka, say goodbye."""
        covered = self._member.covered_until(self._clock.now())
        self._take_all()
        is_confirmed = self._publisher.flush(_DRAIN_WITHIN)
        outcome = self._member.outcome if is_confirmed else None
        self._tell(covered if is_confirmed else None)
        self._state = replace(self._state, state=outcome or "stopped")
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
