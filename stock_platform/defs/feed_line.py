"""One Dagster run per feed line: vendor to Kafka, with a heartbeat in ops.feed_line. Not here: who starts it (feed_supervisor).

The run owns its line as long as ops.feed_line names it: a newer run takes the row over, and the older one ends itself."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import dagster as dg
import psycopg

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.postgres import Connection
from stock_platform.defs.external import TICKS
from stock_platform.defs.world import World
from stock_platform.feed.choice import plan_of
from stock_platform.feed.corporate_actions import load_splits
from stock_platform.feed.line import run_line
from stock_platform.feed.plan import Heartbeat, LineState, Plan, Standing, StreamPlan
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.shards import shard_named
from stock_platform.feed.splits import Splits
from stock_platform.feed.yahoo.fallback import Poll
from stock_platform.feed.yahoo.stream import Gap

_LOG = logging.getLogger(__name__)

LINE = "stock_platform/line"
"""Run tag: name of the feed line."""

_ALIVE_WITHIN = timedelta(seconds=10)
"""A line beats every 2 s; one that was heard within this time carries what it says."""
_EVENT_EVERY = timedelta(seconds=60)

_BEFORE = "SELECT state, ts_clock FROM ops.feed_line WHERE line = %s"
_WENT_WELL = ("drained", "retired", "ended")
"""States after which nothing was missed."""

_TAKE_OVER = """
INSERT INTO ops.feed_line
    (line, shard, dagster_run_id, source, state, ts_started, ts_heartbeat, tick_count, reject_count)
VALUES (%(line)s, %(shard)s, %(run)s, %(source)s, 'starting', %(now)s, %(now)s, 0, 0)
ON CONFLICT (line) DO UPDATE SET
    ts_clock = CASE WHEN feed_line.state IN ('drained', 'retired') THEN NULL ELSE feed_line.ts_clock END,
    dagster_run_id = excluded.dagster_run_id, source = excluded.source, state = excluded.state, ts_started = excluded.ts_started,
    ts_heartbeat = excluded.ts_heartbeat, symbols = '', tick_count = 0, reject_count = 0, suspect_count = 0, duplicate_count = 0,
    late_count = 0, polled_count = 0, unknown_fields = '', last_error = NULL
"""

_BEAT = """
UPDATE ops.feed_line SET
    state = %(state)s, ts_heartbeat = %(now)s, ts_clock = coalesce(%(ts_clock)s, ts_clock),
    ts_event_last = coalesce(%(ts_event_last)s, ts_event_last), ts_recv_last = coalesce(%(ts_recv_last)s, ts_recv_last),
    tick_count = %(tick_count)s, reject_count = %(reject_count)s, suspect_count = %(suspect_count)s,
    duplicate_count = %(duplicate_count)s, late_count = %(late_count)s, polled_count = %(polled_count)s,
    unknown_fields = %(unknown_fields)s, symbols = %(symbols)s, last_error = %(last_error)s
WHERE line = %(line)s AND dagster_run_id = %(run)s
"""

_GAP = """
INSERT INTO ops.feed_gap (line, ts_gap_start, ts_gap_end, symbols, shard, redundancy, detail)
VALUES (%(line)s, %(start)s, %(end)s, %(symbols)s, %(shard)s, %(redundancy)s, %(detail)s)
ON CONFLICT (line, ts_gap_start, symbols) DO UPDATE SET ts_gap_end = excluded.ts_gap_end, detail = excluded.detail
"""
_NEWEST_GAP = """
UPDATE ops.feed_line SET gap_count = gap_count + 1, ts_gap_start = %(start)s, ts_gap_end = %(end)s WHERE line = %(line)s
"""

_CARRIED = "SELECT line, symbols FROM ops.feed_line WHERE line <> %s AND state = 'running' AND ts_heartbeat >= %s"


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


def take_over(world: World, plan: Plan, run_id: str) -> datetime | None:
    """Make this run the owner of the line; gives up to when the earlier one has heard everything, if it broke off."""
    shard = shard_named(plan.line) if isinstance(plan, StreamPlan) else 0
    values = {"line": plan.line, "shard": shard, "run": run_id, "source": plan.source, "now": world.clock.now()}
    with world.database("feed_writer") as connection:
        before = connection.execute(_BEFORE, (plan.line,)).fetchone()
        connection.execute(_TAKE_OVER, values)
    return before[1] if before and before[0] not in _WENT_WELL else None


def beat(world: World, state: LineState, run_id: str) -> Standing:
    """Write the line's state and gaps; what the others carry. Not ours any more: nothing is written."""
    now = world.clock.now()
    values = {
        **{name: getattr(state, name) for name in _WRITTEN},
        "symbols": " ".join(state.symbols),
        "now": now,
        "run": run_id,
    }
    with world.database("feed_writer") as connection:
        if connection.execute(_BEAT, values).rowcount != 1:
            return Standing(is_ours=False)
        for gap in state.gaps:
            _record_gap(connection, state, gap)
        others = connection.execute(_CARRIED, (state.line, now - _ALIVE_WITHIN)).fetchall()
    return Standing(carried={line: frozenset(symbols.split()) for line, symbols in others})


_WRITTEN = (
    "line state ts_clock ts_event_last ts_recv_last tick_count reject_count suspect_count duplicate_count late_count "
    "polled_count unknown_fields last_error"
).split()


def _record_gap(connection: Connection, state: LineState, gap: Gap) -> None:
    values = {
        "line": state.line,
        "shard": shard_named(state.line),
        "redundancy": state.redundancy,
        "start": gap.ts_start,
        "end": gap.ts_end,
        "symbols": " ".join(gap.symbols),
        "detail": gap.detail,
    }
    connection.execute(_GAP, values)
    connection.execute(_NEWEST_GAP, values)


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
