"""Bounded size: days of runs, events, checks and ticks, written by Dagster's own API into a real Postgres, forgotten day by day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import uuid4

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dagster_storage import Ages, Purged, purge, sizes
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.retention import RETENTION, forget_rows, ops_retention
from stock_platform.defs.world import World
from stock_platform_tests.dagster_history import BAR, CHECK, TICKS, a_day_passes, a_days_runs, beat, certify_bars, line_run, run
from stock_platform_tests.dagster_instance import postgres_instance

RUNS_A_DAY = 300
EVENTS_A_RUN = 7
KEPT_DAYS = 2


@dg.job(name="archive_session")
def archive_session() -> None:
    """Stands for a job that comes once a session."""


@pytest.fixture
def instance(database: Settings) -> Iterator[dg.DagsterInstance]:
    with postgres_instance(database) as instance:
        yield instance


@pytest.fixture
def storage(database: Settings, instance: dg.DagsterInstance) -> Iterator[Connection]:
    assert instance.run_storage, "the tables are there once the instance is"
    with connect(database.dsn("dagster", "dagster"), autocommit=True) as connection:
        yield connection


def forget(storage: Connection, *, frequent_days: float = KEPT_DAYS, days: float = 4) -> Purged:
    now = SystemClock().now()
    return purge(storage, Ages(["certify_bars"], ["feed_line"], now - timedelta(days=frequent_days), now - timedelta(days=days)))


def count(storage: Connection, table: LiteralString) -> int:
    row = storage.execute("SELECT count(*) FROM " + table).fetchone()
    assert row is not None
    return int(row[0])


def test_week_of_runs_takes_no_more_room_than_the_days_that_are_kept(instance: dg.DagsterInstance, storage: Connection) -> None:
    bytes_by_day: list[int] = []
    events_by_day: list[int] = []
    for day in range(8):
        a_days_runs(instance, storage, f"2026-11-{day + 1:02d}", runs=RUNS_A_DAY)
        a_day_passes(storage)
        forget(storage, days=KEPT_DAYS)
        storage.execute("VACUUM")
        bytes_by_day.append(sum(each.byte_count for each in sizes(storage)))
        events_by_day.append(count(storage, "event_logs"))
    of_a_day = EVENTS_A_RUN * RUNS_A_DAY
    assert events_by_day[0] == of_a_day
    # What is left of the days before is one materialisation a session; the two newest days are whole.
    assert events_by_day[-1] <= KEPT_DAYS * of_a_day + 8
    grown = bytes_by_day[-1] - bytes_by_day[KEPT_DAYS]
    assert bytes_by_day[KEPT_DAYS] > 10_000_000
    assert grown < 0.25 * bytes_by_day[KEPT_DAYS], bytes_by_day
    assert count(storage, "job_ticks") <= KEPT_DAYS * RUNS_A_DAY
    assert count(storage, "asset_check_executions") <= KEPT_DAYS * RUNS_A_DAY
    assert instance.get_materialized_partitions(BAR) == {f"2026-11-{day + 1:02d}" for day in range(8)}


def test_newest_word_on_each_partition_and_check_stays_with_its_run(instance: dg.DagsterInstance, storage: Connection) -> None:
    first, second = (run(instance, certify_bars, "2026-11-20") for _ in range(2))
    other = run(instance, certify_bars, "2026-11-21")
    for _ in range(3):
        a_day_passes(storage)
    purged = forget(storage)
    assert set(purged.runs) == {first, second, other}
    assert purged.kept == 2
    assert instance.get_run_by_id(first) is None
    assert instance.get_run_by_id(second) is not None
    assert [each.dagster_event_type.value for each in instance.all_logs(second) if each.dagster_event_type] == [
        "ASSET_MATERIALIZATION"
    ]
    newest = instance.get_latest_materialization_event(BAR)
    assert newest is not None
    assert newest.run_id == other
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([dg.AssetCheckKey(BAR, CHECK)])
    assert [each.run_id for each in checks.values()] == [other]
    again = forget(storage)
    assert (again.events, again.checks, again.ticks) == (0, 0, 0)


def test_run_under_way_is_never_touched_however_old(instance: dg.DagsterInstance, storage: Connection) -> None:
    alive = run(instance, certify_bars, "2026-11-20", is_ended=False)
    for _ in range(40):
        a_day_passes(storage)
    assert forget(storage).runs == ()
    assert len(instance.all_logs(alive)) == 6


def kinds(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """What a run has said, oldest first; a plain message by its text."""
    entries = instance.all_logs(run_id)
    return [each.dagster_event_type.value if each.dagster_event_type else each.user_message for each in entries]


def test_feed_line_that_never_ends_keeps_its_start_its_process_and_its_newest_days(
    instance: dg.DagsterInstance, storage: Connection
) -> None:
    line = line_run(instance)
    started = ["PIPELINE_START", "ENGINE_EVENT", "STEP_START"]
    for day in range(5):
        beat(instance, line, said=f"gap of day {day}")
        a_day_passes(storage)
    purged = forget(storage, frequent_days=2.5)
    # Days 0 to 2 are 5, 4 and 3 days old: a message and a materialisation each.
    assert (purged.runs, purged.events) == ((), 6)
    assert kinds(instance, line) == [*started, "gap of day 3", "ASSET_MATERIALIZATION", "gap of day 4", "ASSET_MATERIALIZATION"]
    assert count(storage, "asset_event_tags") == 2
    (worker,) = instance.all_logs(line, of_type=dg.DagsterEventType.ENGINE_EVENT)
    assert worker.get_dagster_event().engine_event_data.metadata["pid"] == dg.MetadataValue.text("4711")
    assert forget(storage, frequent_days=2.5).events == 0


def test_newest_materialisation_stays_however_long_its_feed_line_is_silent(
    instance: dg.DagsterInstance, storage: Connection
) -> None:
    silent, newer = line_run(instance), line_run(instance)
    beat(instance, silent, said="gap")
    beat(instance, newer, said="gap")
    for _ in range(40):
        a_day_passes(storage)
    assert forget(storage).events == 3
    assert "ASSET_MATERIALIZATION" not in kinds(instance, silent)
    assert kinds(instance, newer)[-1] == "ASSET_MATERIALIZATION"
    latest = instance.get_latest_materialization_event(TICKS)
    assert latest is not None
    assert latest.run_id == newer
    (record,) = instance.fetch_materializations(TICKS, limit=5).records
    assert record.run_id == newer


def test_rare_runs_are_kept_longer_than_those_of_every_minute(instance: dg.DagsterInstance, storage: Connection) -> None:
    gate, archive = run(instance, certify_bars, "2026-11-20"), run(instance, archive_session, "2026-11-20")
    for _ in range(3):
        a_day_passes(storage)
    assert forget(storage).runs == (gate,)
    for _ in range(2):
        a_day_passes(storage)
    assert archive in forget(storage).runs


def test_answers_of_sensors_belong_to_no_run_and_go_but_for_the_newest(instance: dg.DagsterInstance, storage: Connection) -> None:
    for passed in (True, False, True):
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(asset_key=BAR, check_name=CHECK, passed=passed, metadata={}))
    for _ in range(5):
        a_day_passes(storage)
    purged = forget(storage)
    assert (purged.events, purged.checks) == (2, 2)
    (newest,) = instance.event_log_storage.get_latest_asset_check_execution_by_key([dg.AssetCheckKey(BAR, CHECK)]).values()
    assert newest.status.value == "SUCCEEDED"


def test_asset_forgets_and_tells_how_much_is_left(database: Settings, instance: dg.DagsterInstance, storage: Connection) -> None:
    run(instance, certify_bars, "2026-11-20")
    for _ in range(9):
        a_day_passes(storage)
    run(instance, certify_bars, "2026-11-20")
    done = dg.materialize([ops_retention], resources={"world": World(database, SystemClock())}, instance=instance)
    (told,) = done.asset_materializations_for_node("ops__retention")
    assert told.asset_key == RETENTION
    assert (told.metadata["runs"].value, told.metadata["events"].value) == (1, 7)
    assert isinstance(told.metadata["dagster_public_bytes"].value, int)
    assert told.metadata["dagster_public_bytes"].value > 100_000
    assert "market_rows" in told.metadata


def test_old_rows_of_ours_go_and_newer_ones_stay(database: Settings) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    row = (str(uuid4()), now - timedelta(days=91)), (str(uuid4()), now - timedelta(days=89))
    with connect(database.dsn("gate_owner")) as connection:
        for run_id, ts in row:
            connection.execute(
                "INSERT INTO quality.check_result VALUES (%s, 'rule', 'block', %s, TRUE, 1, 0, '', %s)", (run_id, ts.date(), ts)
            )
            connection.execute(
                "INSERT INTO ops.latency_minute VALUES (%s, 'event_to_received', 1, 1, 1, 1, 1, 'run', %s)", (ts, ts)
            )
            page_age = timedelta(days=84)  # its row is 91 or 89 days old, its page 7 or 5
            connection.execute(
                "INSERT INTO quality.validation_page VALUES (%s, %s, 'page', %s)", (run_id, ts.date(), ts + page_age)
            )
        gone = forget_rows(connection, now - timedelta(days=90), frequent_before=now - timedelta(days=6))
        left = connection.execute("SELECT dagster_run_id FROM quality.check_result WHERE check_name = 'rule'").fetchall()
        pages = connection.execute("SELECT dagster_run_id FROM quality.validation_page WHERE page = 'page'").fetchall()
        connection.rollback()
    assert gone["quality.validation_page"] == 1
    assert gone["quality.check_result"] == 1
    assert gone["ops.latency_minute"] == 1
    assert left == pages == [(row[1][0],)]
