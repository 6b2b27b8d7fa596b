"""What the sensors of bars and of ended sessions ask for, over a real Postgres, a real Kafka and Dagster's own run records."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.aggregate_registry import AT_CLOSE
from stock_platform.defs.archive import ARCHIVE, archive_job, certified_sessions_sensor
from stock_platform.defs.certify import CLOSES_AT, GATE
from stock_platform.defs.close import close_job, session_closed_sensor
from stock_platform.defs.closed_bars import closed_bars_sensor
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform_tests.broker import empty_topics, running_broker
from stock_platform_tests.idle_sensors import StoppedClock
from stock_platform_tests.staged import CLOSE, DAY, OPEN, empty_market, stage

KEY = DAY.isoformat()
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
PARTITIONS = session_partitions(date(2026, 11, 16), DAY)
STATUS = dg.DagsterRunStatus
_EMPTY = "TRUNCATE quality.gap, quality.gate_run, ops.feed_gap, ops.feed_line, aggregates.bar_1d"


@dg.job(name="certify_bars", tags={GATE: "1"})
def gate() -> None:
    """Stands for the gate's job."""


@dg.job(name="archive_session")
def archive() -> None:
    """Stands for the archive's job."""


@dg.job(name="close_session")
def close() -> None:
    """Stands for what is made at the close."""


CLOSED_BARS = closed_bars_sensor(gate, PARTITIONS)
CERTIFIED = certified_sessions_sensor(archive_job(PARTITIONS), PARTITIONS)
CLOSED = session_closed_sensor(close_job(PARTITIONS), PARTITIONS)


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Kafka with empty topics: nothing holds the feed's clock back."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker, empty_topics(broker.bootstrap):
        yield broker.bootstrap


@pytest.fixture
def settings(database: Settings, bootstrap: str) -> Settings:
    changes = {"kafka_port": int(bootstrap.rpartition(":")[2]), "gate_grace_s": 2, "gate_lead_s": 4}
    return database.model_copy(update=changes)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """One symbol, one session, no bars; the feed has not spoken."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute(_EMPTY)
        yield connection
        connection.execute(_EMPTY)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def feed_is_at(connection: Connection, clock: datetime) -> None:
    """The only line has sent every tick up to that event time."""
    connection.execute("TRUNCATE ops.feed_line")
    connection.execute(
        "INSERT INTO ops.feed_line (line, dagster_run_id, source, state, ts_started, ts_heartbeat, ts_clock, tick_count, "
        "reject_count) VALUES ('line-0a', 'run', 'yahoo', 'running', %(at)s, %(at)s, %(at)s, 0, 0)",
        {"at": clock},
    )


def session_is_certified(connection: Connection) -> None:
    """It has a daily bar of our own ticks."""
    connection.execute(
        "INSERT INTO aggregates.bar_1d (symbol, ts_start, ts_end, open, high, low, close, tick_count, bar_count, session_date, "
        "dagster_run_id, ts_updated) VALUES ('A', %s, %s, 10, 11, 10, 11, 2, 1, %s, 'gate-1', %s)",
        (OPEN, CLOSE, DAY, CLOSE),
    )


def look(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, settings: Settings, *, at: datetime | None = None
) -> tuple[list[dg.RunRequest], str]:
    """What it asks for, and why not."""
    world = World(settings, StoppedClock(at or datetime.now(UTC)))
    with dg.build_sensor_context(instance=instance, resources={"world": world}) as context:
        done = sensor(context)
    assert isinstance(done, dg.SensorResult)
    skip = done.skip_reason
    return list(done.run_requests or ()), str(skip.skip_message if isinstance(skip, dg.SkipReason) else skip or "")


def run_of(
    instance: dg.DagsterInstance, job: dg.JobDefinition, key: str = KEY, *, status: STATUS = STATUS.STARTED
) -> dg.DagsterRun:
    return instance.create_run_for_job(job, tags={**job.tags, "dagster/partition": key}, status=status)


def test_gate_run_is_asked_for_a_moment_before_the_bar_closes(
    admin: Connection, instance: dg.DagsterInstance, settings: Settings
) -> None:
    """The bar closes at 14:31:00; two seconds of grace, and a run takes four to start."""
    assert look(CLOSED_BARS, instance, settings) == ([], "Every staged bar is judged.")
    stage(admin, 0, first=50, last=100)
    assert look(CLOSED_BARS, instance, settings) == ([], "The feed has not said yet how far it is.")
    feed_is_at(admin, OPEN + 57 * SECOND)
    assert look(CLOSED_BARS, instance, settings) == ([], "The next bar closes at 14:31:00 UTC, in 5 s of event time.")
    feed_is_at(admin, OPEN + 58 * SECOND)
    (request,), _ = look(CLOSED_BARS, instance, settings)
    assert (request.partition_key, request.run_key) == (KEY, None)
    assert request.tags[CLOSES_AT] == "2026-11-20T14:31:00+00:00"


def test_gate_run_waits_for_the_one_before_and_a_minute_after_a_failure(
    admin: Connection, instance: dg.DagsterInstance, settings: Settings
) -> None:
    stage(admin, 0, first=50, last=100)
    feed_is_at(admin, CLOSE)
    other = run_of(instance, gate, "2026-11-19")
    assert look(CLOSED_BARS, instance, settings) == ([], f"Gate run {other.run_id[:8]} is under way.")
    instance.report_run_failed(other)
    assert len(look(CLOSED_BARS, instance, settings)[0]) == 1, "another session's failure"
    failed = run_of(instance, gate)
    instance.report_run_failed(failed)
    asked_at = instance.get_run_records()[0].create_timestamp
    why = f"Gate run {failed.run_id[:8]} of 2026-11-20 failed; the next try comes a minute after it was asked for."
    assert look(CLOSED_BARS, instance, settings, at=asked_at + 59 * SECOND) == ([], why)
    assert len(look(CLOSED_BARS, instance, settings, at=asked_at + 60 * SECOND)[0]) == 1


def test_bar_outside_all_partitions_holds_no_other_back(
    admin: Connection, instance: dg.DagsterInstance, settings: Settings
) -> None:
    feed_is_at(admin, CLOSE)
    stage(admin, -30 * 24 * 60, first=1, last=2)
    why = "Session 2026-10-21 has no partition: it lies before the first session, or in the future."
    assert look(CLOSED_BARS, instance, settings) == ([], why)
    stage(admin, 0, first=50, last=100)
    assert [request.partition_key for request in look(CLOSED_BARS, instance, settings)[0]] == [KEY]


@pytest.mark.parametrize(
    ("sensor", "job", "made", "verb"),
    [
        pytest.param(CERTIFIED, archive, ARCHIVE, "archived", id="certified_sessions"),
        pytest.param(CLOSED, close, AT_CLOSE[0].key, "closed", id="session_closed"),
    ],
)
def test_ended_session_is_asked_for_until_it_is_dealt_with(
    admin: Connection,
    instance: dg.DagsterInstance,
    settings: Settings,
    sensor: dg.SensorDefinition,
    job: dg.JobDefinition,
    made: dg.AssetKey,
    verb: str,
) -> None:
    assert look(sensor, instance, settings) == ([], "The feed has not said yet how far it is.")
    session_is_certified(admin)
    feed_is_at(admin, CLOSE - SECOND)
    nothing = f"No session that was over at 2026-11-20 {{}}Z is still to be {verb}."
    assert look(sensor, instance, settings) == ([], nothing.format("20:59:59"))

    feed_is_at(admin, CLOSE)
    stage(admin, 0, first=50, last=100)
    assert look(sensor, instance, settings) == ([], "Session 2026-11-20: bars of it wait for the gate.")
    admin.execute("TRUNCATE staging.bar_1m")
    (request,), _ = look(sensor, instance, settings)
    assert (request.partition_key, request.run_key) == (KEY, "2026-11-20 first")

    run = run_of(instance, job)
    assert f"un {run.run_id[:8]} is under way." in look(sensor, instance, settings)[1]
    instance.report_run_failed(run)
    failed_at = datetime.fromtimestamp(instance.get_run_records()[0].end_time or 0, UTC)
    why = f"Session 2026-11-20: run {run.run_id[:8]} failed; the next try comes at {failed_at + 30 * MINUTE:%H:%M:%S}Z."
    assert look(sensor, instance, settings, at=failed_at + 29 * MINUTE) == ([], why)
    (request,), _ = look(sensor, instance, settings, at=failed_at + 30 * MINUTE)
    assert request.run_key == f"2026-11-20 after {run.run_id}"

    instance.report_runless_asset_event(dg.AssetMaterialization(made, partition=KEY))
    assert look(sensor, instance, settings, at=failed_at + 30 * MINUTE) == ([], nothing.format("21:00:00"))


def test_session_that_failed_three_times_is_left_to_a_person(
    admin: Connection, instance: dg.DagsterInstance, settings: Settings
) -> None:
    session_is_certified(admin)
    feed_is_at(admin, CLOSE)
    for _ in range(3):
        instance.report_run_failed(run_of(instance, archive))
    newest = instance.get_run_records()[0].dagster_run
    assert look(CERTIFIED, instance, settings, at=datetime.now(UTC) + timedelta(days=3)) == (
        [],
        f"Session 2026-11-20: given up, run {newest.run_id[:8]} is the third in a row to fail. "
        "Mend its cause, then start the job archive_session by hand.",
    )
