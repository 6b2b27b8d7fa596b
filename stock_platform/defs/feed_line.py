"""One Dagster run per feed line: vendor to Kafka, with a heartbeat in ops.feed_line. Not here: who starts it (feed_supervisor).

The run owns its line as long as ops.feed_line names it: a newer run takes the row over, and the older one ends itself."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import dagster as dg
import psycopg

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.defs.external import TICKS
from stock_platform.defs.heartbeat import beat, take_over
from stock_platform.defs.world import World
from stock_platform.feed.choice import plan_of
from stock_platform.feed.corporate_actions import load_splits
from stock_platform.feed.plan import Heartbeat, LineState, Plan, Standing, StreamPlan
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.splits import Splits
from stock_platform.feed.yahoo.fallback import Poll
from stock_platform.feed.yahoo.stream import Gap

_LOG = logging.getLogger(__name__)

LINE = "stock_platform/line"
"""Run tag: name of the feed line."""

_EVENT_EVERY = timedelta(seconds=60)


class FeedLine(dg.Config):
    """Which line a run is."""

    line: str = "line-0a"


@dg.op(description="Run the feed line until its source ends, its markets close, another run takes it over, or it is cancelled.")
def publish_ticks(context: dg.OpExecutionContext, config: FeedLine, world: dg.ResourceParam[World]) -> None:
    """Vendor to Kafka. Delivery: at least once; a tape resumes at the first tick that Kafka has not acknowledged."""
    plan = _equipped(plan_of(world.settings, config.line), world)
    ts_lost = take_over(world, plan, context.run_id)
    if isinstance(plan, StreamPlan):
        plan = replace(plan, ts_lost=ts_lost)
    producer = KafkaProducer(world.settings.kafka_bootstrap, client_id=plan.line)
    state = _run_until_ended(plan, Publisher(producer, line=plan.line), _Beats(context, world).beat, world)
    context.log.info("feed line ended", extra={"state": state.state, "tick_count": state.tick_count})
    _materialize(context, state)


def _equipped(plan: Plan, world: World) -> Plan:
    """The plan with its doors: known splits, and prices by request while the stream is silent."""
    if not isinstance(plan, StreamPlan):
        return plan
    return replace(plan, splits=_KnownSplits(world).of, poll=partial(_poller, world))


class _KnownSplits:
    """Splits as the database has them; while it is away, as it last had them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: Splits = {}

    def of(self, symbols: tuple[str, ...]) -> Splits:
        try:
            with self._world.database("feed_writer") as connection:
                self._known = load_splits(connection, symbols)
        except psycopg.OperationalError as error:
            _LOG.warning("splits not read: %s", error)
        return self._known


def _poller(world: World, sequence: Iterator[int]) -> Poll:
    from stock_platform.feed.yahoo.polling import QuotePoller  # noqa: PLC0415 - yfinance costs 1 s, and most lines never ask

    return QuotePoller(world.settings, clock=world.clock, sequence=sequence)


class _Beats:
    """The run's heartbeat: into the table each time, into Dagster's events once a minute; gaps are kept until written."""

    def __init__(self, context: dg.OpExecutionContext, world: World) -> None:
        self._context = context
        self._world = world
        self._ts_event = world.clock.now()
        self._unwritten: tuple[Gap, ...] = ()

    def beat(self, state: LineState) -> Standing:
        """Say it; a database that is away does not stop the line."""
        self._unwritten += state.gaps
        try:
            standing = beat(self._world, replace(state, gaps=self._unwritten), self._context.run_id)
        except psycopg.OperationalError as error:
            # Ticks flow to Kafka without Postgres; a line that is silent for long is replaced by the supervisor.
            _LOG.warning("heartbeat of %s not written: %s", state.line, error)
            return Standing()
        told, self._unwritten = self._unwritten, ()
        self._tell(state, told)
        return standing

    def _tell(self, state: LineState, gaps: Sequence[Gap]) -> None:
        """What the run's page shows; Dagster's storage may have gone away since the heartbeat."""
        try:
            for gap in gaps:
                self._context.log.warning(_sentence(state.line, gap))
            if self._world.clock.now() - self._ts_event >= _EVENT_EVERY:
                self._ts_event = self._world.clock.now()
                _materialize(self._context, state)
        except Exception as error:  # noqa: BLE001 - whatever its storage raises must not end the line
            _LOG.warning("run of %s not told: %s", state.line, error)


def _sentence(line: str, gap: Gap) -> str:
    length = (gap.ts_end - gap.ts_start).total_seconds()
    return (
        f"Feed gap of {length:.1f} s on {line}: {len(gap.symbols)} symbols from {gap.ts_start.isoformat()} "
        f"to {gap.ts_end.isoformat()}. {gap.detail}"
    )


def _materialize(context: dg.OpExecutionContext, state: LineState) -> None:
    """One event a minute, never one a tick."""
    metadata = {
        "line": state.line,
        "symbols": len(state.symbols),
        "tick_count": state.tick_count,
        "reject_count": state.reject_count,
        "suspect_count": state.suspect_count,
    }
    context.log_event(dg.AssetMaterialization(TICKS, metadata=metadata))


def _run_until_ended(plan: Plan, publisher: Publisher, heartbeat: Heartbeat, world: World) -> LineState:
    """Run the line in a thread, so that a cancelled run can ask it to drain and wait for that."""
    from stock_platform.feed.line import run_line  # noqa: PLC0415 - protobuf costs 0.2 s, and other runs read no frames

    stop = threading.Event()
    outcome: list[LineState | BaseException] = []

    def work() -> None:
        try:
            outcome.append(run_line(plan, publisher=publisher, heartbeat=heartbeat, clock=world.clock, should_stop=stop.is_set))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            outcome.append(error)

    worker = threading.Thread(target=work, name=plan.line)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(0.5)
    finally:
        stop.set()
        worker.join(30)
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


@dg.job(description="One feed line: vendor to Kafka, until its source ends or its markets close.")
def feed_line() -> None:
    """One step."""
    publish_ticks()
