"""Staging to market on a real Postgres: volume at the boundary, promotion, repeats, corrections, quarantine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.adapters.postgres import Connection, connect, read_frame
from stock_platform.config import Settings
from stock_platform.gate.batch import read_batch
from stock_platform.gate.pending import pending_sessions
from stock_platform.gate.promote import Promotion
from stock_platform_tests.staged import DAY, OPEN, empty_market, run_gate, stage

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """An empty market of one symbol, with one session."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        yield connection


def certified(connection: Connection) -> list[tuple[Any, ...]]:
    query = "SELECT ts_start, volume, vwap, verdict, revision FROM market.bar_1m ORDER BY ts_start"
    return [(int((row[0] - OPEN).total_seconds()) // 60, *row[1:]) for row in connection.execute(query).fetchall()]


def test_bar_of_an_exchange_that_the_vendor_brings_late_closes_later(database: Settings, admin: Connection) -> None:
    admin.execute(
        "INSERT INTO reference.vendor_instrument (symbol, instrument_type, delay_s, source, ts_recv) "
        "VALUES ('A', 'EQUITY', 900, 'yahoo', %s)",
        (OPEN,),
    )
    stage(admin, 0, first=100, last=300)
    end = OPEN + timedelta(minutes=1, seconds=900)
    with connect(database.dsn("gate_owner")) as connection:
        assert [each.ts_end_first for each in pending_sessions(connection, LONG_AGO)] == [end]
        assert read_batch(connection, DAY, end - timedelta(seconds=1)).bars.height == 0
        assert read_batch(connection, DAY, end).bars.height == 1


def test_volume_is_closed_at_the_boundary(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    stage(admin, 2, first=350, last=400)
    stage(admin, 3, first=900, last=1000, is_continuous=False)

    assert run_gate(database, "run-1") == Promotion(3, 0, 0)

    assert certified(admin) == [
        # 0 → 100 at 10, 100 → 300 at 11
        (0, 300, Decimal("10.666667"), "passed", 1),
        # 300 → 350 at 10, 350 → 400 at 11
        (2, 100, Decimal("10.500000"), "passed", 1),
        # what lies before 900 is not known
        (3, 100, Decimal("11.000000"), "suspect", 1),
    ]


def test_bars_without_cumulative_volume_pass_with_volume_and_vwap_null(database: Settings, admin: Connection) -> None:
    none = dict.fromkeys(("day_volume_first", "day_volume_last", "price_first", "notional_inside"))
    for minute in (0, 1, 5):
        stage(admin, minute, first=0, last=0, **none)
    assert run_gate(database, "run-1") == Promotion(3, 0, 0)
    assert certified(admin) == [(minute, None, None, "passed", 1) for minute in (0, 1, 5)]


def test_repeat_changes_nothing(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    run_gate(database, "run-1")
    before = read_frame(admin, "SELECT * FROM market.bar_1m")

    assert run_gate(database, "run-2") == Promotion(0, 0, 0)
    assert read_frame(admin, "SELECT * FROM market.bar_1m").equals(before)
    assert pending_sessions(admin, LONG_AGO) == []


def test_open_bar_waits(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    assert run_gate(database, "run-1", until=OPEN + timedelta(seconds=59)) == Promotion(0, 0, 0)
    assert [entry.session_date for entry in pending_sessions(admin, LONG_AGO)] == [DAY]


def test_late_tick_makes_a_revision_and_keeps_the_one_before(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    stage(admin, 1, first=400, last=500)
    run_gate(database, "run-1")
    stage(admin, 0, first=100, last=350, tick_count=3)

    # The late tick moves the boundary of the bar after it, too.
    assert run_gate(database, "run-2") == Promotion(0, 2, 0)

    assert [(row[0], row[1], row[4]) for row in certified(admin)] == [(0, 350, 2), (1, 150, 2)]
    query = "SELECT volume, ts_valid_to IS NULL AS is_current FROM market.bar_1m_revision ORDER BY ts_start, revision"
    revisions = read_frame(admin, query)
    assert revisions.rows() == [(300, False), (350, True), (200, False), (150, True)]


def test_smaller_bar_of_a_job_that_lost_its_state_is_not_taken(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, tick_count=10)
    stage(admin, 0, first=300, last=300, tick_count=1)
    run_gate(database, "run-1")
    assert certified(admin)[0][1] == 300


def test_bad_bar_is_quarantined_and_promoted_when_it_heals(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, high=Decimal("10.5"))
    assert run_gate(database, "run-1") == Promotion(0, 0, 1)
    assert run_gate(database, "run-2") == Promotion(0, 0, 0)
    assert admin.execute("SELECT rules, dagster_run_id FROM quality.quarantine").fetchall() == [
        ("high_is_highest,vwap_not_above_high", "run-1")
    ]

    stage(admin, 0, first=100, last=300, tick_count=3)
    assert run_gate(database, "run-3") == Promotion(1, 0, 0)
    assert admin.execute("SELECT count(*) FROM quality.quarantine").fetchone() == (0,)


def test_bar_outside_any_session_is_quarantined(database: Settings, admin: Connection) -> None:
    stage(admin, -60, first=100, last=300)
    assert run_gate(database, "run-1") == Promotion(0, 0, 1)
    assert admin.execute("SELECT rules FROM quality.quarantine").fetchall() == [("inside_session",)]


def test_blocked_batch_leaves_everything_as_it_was(database: Settings, admin: Connection) -> None:
    for minute in range(20):
        stage(admin, minute, first=100 * minute + 50, last=100 * minute + 100, tick_count=0 if minute < 5 else 2)
    assert run_gate(database, "run-1") == Promotion(0, 0, 0)
    assert certified(admin) == []
    failed = admin.execute(
        "SELECT check_name FROM quality.check_result WHERE NOT is_passed AND severity <> 'suspect' ORDER BY 1"
    ).fetchall()
    assert failed == [("has_ticks",), ("quarantine_share",)]


def test_as_of_answers_what_was_certified_then(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    run_gate(database, "run-1")
    admin.execute("UPDATE market.bar_1m_revision SET ts_valid_from = %s", (OPEN,))
    count = "SELECT count(*) FROM market.bar_1m_as_of(%s)"
    assert admin.execute(count, (OPEN - timedelta(seconds=1),)).fetchone() == (0,)
    assert admin.execute(count, (OPEN,)).fetchone() == (1,)
