"""One Dagster run per feed line, and the supervisor that keeps it alive.

The run owns its line as long as ops.feed_line names it: a newer run takes the row over, and the older one ends itself."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg
import psycopg

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.defs.external import TICKS
from stock_platform.defs.world import World
from stock_platform.feed.choice import plan_of
from stock_platform.feed.line import run_line
from stock_platform.feed.plan import LineState, StreamPlan, TapePlan
from stock_platform.feed.publisher import Publisher

Plan = StreamPlan | TapePlan

LINE = "stock_platform/line"
"""Run tag: name of the feed line."""

_SILENT_AFTER = timedelta(seconds=30)
"""A line beats every 2 s; a launch takes some 10 s."""
_LAUNCH_WITHIN = timedelta(seconds=90)
_EVENT_EVERY = timedelta(seconds=60)
_MAX_BACKOFF = timedelta(minutes=2)
_HEALTHY_AFTER_S = 60

_TAKE_OVER = """
INSERT INTO ops.feed_line
    (line, dagster_run_id, source, state, ts_started, ts_heartbeat, ts_clock, ts_event_last, tick_count, reject_count, last_error)
VALUES (%(line)s, %(run)s, %(source)s, 'starting', %(now)s, %(now)s, NULL, NULL, 0, 0, NULL)
ON CONFLICT (line) DO UPDATE SET
    dagster_run_id = excluded.dagster_run_id, source = excluded.source, state = excluded.state, ts_started = excluded.ts_started,
    ts_heartbeat = excluded.ts_heartbeat, ts_clock = NULL, tick_count = 0, reject_count = 0, last_error = NULL
"""

_BEAT = """
UPDATE ops.feed_line SET
    state = %(state)s, ts_heartbeat = %(now)s, ts_clock = coalesce(%(ts_clock)s, ts_clock),
    ts_event_last = coalesce(%(ts_event_last)s, ts_event_last), tick_count = %(tick_count)s, reject_count = %(reject_count)s,
    last_error = %(last_error)s
WHERE line = %(line)s AND dagster_run_id = %(run)s
"""


@dg.op(description="Run the feed line until its source ends, another run takes the line over, or the run is cancelled.")
def publish_ticks(context: dg.OpExecutionContext, world: dg.ResourceParam[World]) -> None:
    """Vendor to Kafka. Delivery: at least once; a tape resumes at the first tick that Kafka has not acknowledged."""
    settings = world.settings
    plan = plan_of(settings)
    take_over(world, plan, context.run_id)
    producer = KafkaProducer(settings.kafka_bootstrap, client_id=plan.line)
    state = _run_until_ended(plan, Publisher(producer, line=plan.line), _heartbeat(context, world), world)
    context.log.info("feed line ended", extra={"state": state.state, "tick_count": state.tick_count})
    _materialize(context, state)


def take_over(world: World, plan: Plan, run_id: str) -> None:
    """Make this run the owner of the line."""
    with world.database("feed_writer") as connection:
        values = {"line": plan.line, "run": run_id, "source": plan.source, "now": world.clock.now()}
        connection.execute(_TAKE_OVER, values)


def beat(world: World, state: LineState, run_id: str) -> bool:
    """Write the line's state; False when another run owns the line."""
    values = {
        "line": state.line,
        "run": run_id,
        "state": state.state,
        "now": world.clock.now(),
        "ts_clock": state.ts_clock,
        "ts_event_last": state.ts_event_last,
        "tick_count": state.tick_count,
        "reject_count": state.reject_count,
        "last_error": state.last_error,
    }
    with world.database("feed_writer") as connection:
        return connection.execute(_BEAT, values).rowcount == 1


def _heartbeat(context: dg.OpExecutionContext, world: World) -> Callable[[LineState], bool]:
    last_event = world.clock.now()

    def on_heartbeat(state: LineState) -> bool:
        nonlocal last_event
        if world.clock.now() - last_event >= _EVENT_EVERY:
            last_event = world.clock.now()
            _materialize(context, state)
        try:
            is_ours = beat(world, state, context.run_id)
        except psycopg.OperationalError as error:
            # Ticks flow to Kafka without Postgres; a line that is silent for long is replaced by the supervisor.
            context.log.warning(f"heartbeat not written: {error}")
            return True
        return is_ours

    return on_heartbeat


def _materialize(context: dg.OpExecutionContext, state: LineState) -> None:
    """One event a minute, never one a tick."""
    metadata = {"tick_count": state.tick_count, "reject_count": state.reject_count, "line": state.line}
    context.log_event(dg.AssetMaterialization(TICKS, metadata=metadata))


def _run_until_ended(plan: Plan, publisher: Publisher, heartbeat: Callable[[LineState], bool], world: World) -> LineState:
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


@dg.job(description="One feed line: vendor to Kafka, until its source ends.")
def feed_line() -> None:
    """One step."""
    publish_ticks()


def feed_supervisor_sensor(line: str) -> dg.SensorDefinition:
    """Keep one run of the line alive."""

    @dg.sensor(
        name="feed_supervisor",
        job=feed_line,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps one run per feed line alive; replaces a run that is dead or silent; leaves a tape that is over alone.",
    )
    def feed_supervisor(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SkipReason | dg.RunRequest:
        records = list(context.instance.get_run_records(dg.RunsFilter(tags={LINE: line}), limit=6))
        reason = _running(context.instance, world, line, records) or _over(world, line) or _backing_off(world, records)
        if reason:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={LINE: line, "dagster/priority": "10"})

    return feed_supervisor


def _running(instance: dg.DagsterInstance, world: World, line: str, records: list[dg.RunRecord]) -> str | None:
    """What the line's run is doing; a run that has gone silent is declared dead, and None says that a new one is wanted."""
    active = next((record for record in records if not record.dagster_run.is_finished), None)
    if active is None:
        return None
    run = active.dagster_run
    heard, owner = _last_heartbeat(world, line)
    since = heard if heard and owner == run.run_id else active.create_timestamp
    allowed = _SILENT_AFTER if owner == run.run_id else _LAUNCH_WITHIN
    silence = world.clock.now() - since
    if silence < allowed:
        return f"Line {line} is kept by run {run.run_id[:8]}, last heard {silence.total_seconds():.0f} s ago."
    instance.report_run_failed(run, f"Line {line} was silent for {silence.total_seconds():.0f} s: its run is replaced.")
    return None


def _last_heartbeat(world: World, line: str) -> tuple[datetime | None, str | None]:
    with world.database("feed_writer") as connection:
        row = connection.execute("SELECT ts_heartbeat, dagster_run_id FROM ops.feed_line WHERE line = %s", (line,)).fetchone()
    return (row[0], row[1]) if row else (None, None)


def _over(world: World, line: str) -> str | None:
    with world.database("feed_writer") as connection:
        row = connection.execute("SELECT state FROM ops.feed_line WHERE line = %s", (line,)).fetchone()
    return f"Line {line} has played its tape to the end." if row and row[0] == "ended" else None


def _failed_soon(record: dg.RunRecord) -> bool:
    """Whether the run never got going; one that worked for a while and was cut off says nothing of the next."""
    lasted = (record.end_time or 0.0) - (record.start_time or record.end_time or 0.0)
    return record.dagster_run.status is dg.DagsterRunStatus.FAILURE and lasted < _HEALTHY_AFTER_S


def _backing_off(world: World, records: list[dg.RunRecord]) -> str | None:
    """After repeated failures wait longer each time; the first replacement comes at once."""
    failures = 0
    while failures < len(records) and _failed_soon(records[failures]):
        failures += 1
    if failures < 2:
        return None
    ended = records[0].end_time or 0.0
    since = timedelta(seconds=world.clock.now().timestamp() - ended)
    pause = min(_MAX_BACKOFF, timedelta(seconds=5 * 2**failures))
    if since >= pause:
        return None
    return f"The last {failures} runs failed; the next try comes in {(pause - since).total_seconds():.0f} s."
