"""A blocked batch: the truth stays, an alert is raised, other runs are held, and the next good batch ends it without help."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.aggregate import aggregate_assets, refreshed
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform_tests.staged import DAY, empty_market, run_gate, stage


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE ops.alert, aggregates.bar_5m")
        yield connection


def materialize(database: Settings) -> dg.ExecuteInProcessResult:
    """What is made of the day's minutes, in a run of its own."""
    asset, *_ = aggregate_assets(session_partitions(date(2026, 1, 1)))
    world: Any = dg.ResourceDefinition.hardcoded_resource(World(database, SystemClock()))
    return dg.materialize([asset], partition_key=DAY.isoformat(), resources={"world": world}, raise_on_error=False)


def alerts(admin: Connection) -> list[Any]:
    query = "SELECT alert_name, session_date, detail, dagster_run_id, cleared_by_run FROM ops.alert ORDER BY alert_id"
    return admin.execute(query).fetchall()


def bars(admin: Connection) -> tuple[list[Any], list[Any]]:
    certified = admin.execute("SELECT ts_start, volume, dagster_run_id FROM market.bar_1m ORDER BY 1").fetchall()
    return certified, admin.execute("SELECT ts_start, volume, ts_updated FROM aggregates.bar_5m ORDER BY 1").fetchall()


def spoil(admin: Connection, count: int) -> None:
    """Twenty bars behind the first three, the first ones without a tick."""
    for minute in range(3, 23):
        is_bad = minute < 3 + count
        stage(admin, minute, first=100 * minute + 50, last=100 * minute + 100, tick_count=0 if is_bad else 2)


def test_blocked_batch_holds_the_session_until_a_good_one_comes(database: Settings, admin: Connection) -> None:
    for minute in range(3):
        stage(admin, minute, first=100 * minute + 50, last=100 * minute + 100)
    run_gate(database, "run-1")
    assert materialize(database).success
    before = bars(admin)
    assert len(before[0]) == 3
    assert alerts(admin) == []

    spoil(admin, 8)
    run_gate(database, "run-2")
    run_gate(database, "run-3")

    detail = "quarantine_share (8 of 20 bars broke a rule; look upstream before releasing them)"
    assert alerts(admin) == [("batch_blocked", DAY, detail, "run-2", None)]
    held = materialize(database)
    assert not held.success
    (failure,) = [event for event in held.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert "Session 2026-11-20 is held since" in str(failure.step_failure_data.user_failure_data.description)
    assert "gate run run-2 was blocked by quarantine_share" in str(failure.step_failure_data.user_failure_data.description)
    assert list(refreshed(World(database, SystemClock()), "restatement", DAY)) == []
    assert bars(admin) == before

    spoil(admin, 0)
    run_gate(database, "run-4")

    assert alerts(admin) == [("batch_blocked", DAY, detail, "run-2", "run-4")]
    assert len(bars(admin)[0]) == 23
    assert materialize(database).success
    assert len(bars(admin)[1]) == 5


def test_person_lets_a_blocked_batch_through_and_what_is_refused_waits_in_quarantine(database: Settings, admin: Connection) -> None:
    spoil(admin, 8)
    run_gate(database, "run-1")
    assert bars(admin)[0] == []

    done = run_gate(database, "run-2", overruled="ada: the exchange sent them so")

    assert (done.inserted, done.quarantined) == (12, 8)
    kept = admin.execute("SELECT cleared_by_run, cleared_reason FROM ops.alert").fetchall()
    assert kept == [("run-2", "ada: the exchange sent them so")]
    assert materialize(database).success
