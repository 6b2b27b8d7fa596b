"""Intraday aggregates brought up to date where bars have changed: the same tables as made whole, on a real Postgres."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import dagster as dg
import psycopg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.contracts.runs import INTRADAY_STEP
from stock_platform.defs.aggregate import aggregate_assets, mend_touched, refreshed
from stock_platform.defs.aggregate_registry import INTRADAY, PROVENANCE
from stock_platform.defs.certify import GATE
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform_tests.staged import CLOSE, DAY, OPEN

MINUTE = timedelta(minutes=1)
TABLES = [aggregate.record.address for aggregate in INTRADAY]
_BAR = """
INSERT INTO market.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source,
    kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict,
    dagster_run_id, ts_accepted
)
VALUES (
    %(symbol)s, %(start)s, %(end)s, %(close)s, %(close)s + 1, %(close)s - 1, %(close)s, %(volume)s, %(close)s, 1, %(start)s,
    %(start)s, 'tape', 0, 0, 0, 'job', TRUE, %(day)s, 1, 'passed', 'run', %(end)s
)
ON CONFLICT (symbol, ts_start) DO UPDATE SET
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
    vwap = excluded.vwap, revision = market.bar_1m.revision + 1
"""


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Three symbols and one session without bars."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            f"TRUNCATE market.bar_1m, reference.instrument, reference.session, ops.touched_bar, ops.alert, {', '.join(TABLES)}"  # type: ignore[arg-type]
        )
        for symbol in "ABC":
            connection.execute("INSERT INTO reference.instrument VALUES (%s, 'x', 'Energy', 'USD', 'XNYS', 'yahoo')", (symbol,))
        connection.execute(
            "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (DAY, OPEN, CLOSE, OPEN, CLOSE)
        )
        yield connection


def put(admin: Connection, symbol: str, minute: int, close: int = 100, volume: int = 100) -> None:
    """A certified bar, or another version of it."""
    start = OPEN + minute * MINUTE
    admin.execute(_BAR, {"symbol": symbol, "start": start, "end": start + MINUTE, "close": close, "volume": volume, "day": DAY})


def take_out(admin: Connection, symbol: str, minute: int) -> None:
    admin.execute("DELETE FROM market.bar_1m WHERE symbol = %s AND ts_start = %s", (symbol, OPEN + minute * MINUTE))


def rows(admin: Connection) -> dict[str, list[Any]]:
    """All that the tables say, but for who wrote it when."""
    names = {each.record.address: [name for name in each.record.names if name not in PROVENANCE] for each in INTRADAY}
    return {
        table: sorted(admin.execute(f"SELECT {', '.join(names[table])} FROM {table}").fetchall(), key=repr)  # type: ignore[arg-type]
        for table in TABLES
    }


def world(database: Settings) -> World:
    return World(database, SystemClock())


def test_mended_tables_are_those_made_whole_after_any_changes(database: Settings, admin: Connection) -> None:
    """Thirty rounds of new, revised and withdrawn bars, each mended; now and then a run dies before it has written."""
    draw = Random(7)
    for number in range(30):
        for _ in range(draw.randrange(6)):
            symbol, minute = draw.choice("ABC"), draw.randrange(390)
            if draw.random() < 0.3:
                take_out(admin, symbol, minute)
            else:
                put(admin, symbol, minute, close=draw.randrange(50, 150), volume=draw.randrange(1, 999))
        if draw.random() < 0.2:
            continue
        mend_touched(world(database), f"run-{number}", DAY)
    mend_touched(world(database), "last", DAY)
    mended = rows(admin)
    assert len(mended["aggregates.bar_5m"]) > 40

    admin.execute(f"TRUNCATE {', '.join(TABLES)}")  # type: ignore[arg-type]
    assert list(refreshed(world(database), "whole", DAY, INTRADAY))
    assert rows(admin) == mended


def test_one_more_bar_writes_the_rows_that_hold_it_and_the_symbols_shares(database: Settings, admin: Connection) -> None:
    for symbol in "AB":
        for minute in (0, 7, 70):
            put(admin, symbol, minute)
    mend_touched(world(database), "run-1", DAY)
    put(admin, "A", 8)

    done = mend_touched(world(database), "run-2", DAY)

    written = {
        table: admin.execute(f"SELECT count(*) FROM {table} WHERE dagster_run_id = 'run-2'").fetchone()  # type: ignore[arg-type]
        for table in TABLES
    }
    # One row of five minutes, a quarter and the hour; both half hours, as the share of the first changes; the day.
    assert [written[table] for table in TABLES] == [(1,), (1,), (1,), (2,), (1,)]
    assert [each["changed"] for each in done] == [1, 1, 1, 2, 1]
    assert admin.execute("SELECT count(*) FROM ops.touched_bar").fetchone() == (0,)


def test_rows_of_which_no_bar_is_left_go(database: Settings, admin: Connection) -> None:
    for minute in (0, 70):
        put(admin, "A", minute)
    put(admin, "B", 70)
    mend_touched(world(database), "run-1", DAY)
    take_out(admin, "A", 70)
    mend_touched(world(database), "run-2", DAY)
    starts = admin.execute(
        "SELECT symbol, (extract(epoch FROM ts_start - %s) / 60)::int FROM aggregates.bar_1h ORDER BY 1, 2", (OPEN,)
    )
    assert starts.fetchall() == [("A", 0), ("B", 60)]
    take_out(admin, "A", 0)
    mend_touched(world(database), "run-3", DAY)
    for table in TABLES:
        assert admin.execute(f"SELECT DISTINCT symbol FROM {table}").fetchall() == [("B",)]  # type: ignore[arg-type]


def test_run_that_dies_leaves_its_changes_to_the_next(database: Settings, admin: Connection) -> None:
    """The last table cannot be written: no other is, and the claim is given back."""
    put(admin, "A", 0)
    admin.execute("ALTER TABLE aggregates.bar_1d ADD CONSTRAINT broken CHECK (dagster_run_id <> 'dies')")
    try:
        with pytest.raises(psycopg.errors.CheckViolation):
            mend_touched(world(database), "dies", DAY)
    finally:
        admin.execute("ALTER TABLE aggregates.bar_1d DROP CONSTRAINT broken")
    assert not any(rows(admin).values())
    mend_touched(world(database), "next", DAY)
    assert all(len(found) == 1 for found in rows(admin).values())


def materialized(database: Settings, **options: Any) -> dg.ExecuteInProcessResult:
    asset, *_ = aggregate_assets(session_partitions(DAY))
    resource: Any = dg.ResourceDefinition.hardcoded_resource(world(database))
    return dg.materialize([asset], partition_key=DAY.isoformat(), resources={"world": resource}, **options)


def told(done: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """What the run's events say, by table without schema."""
    events = [event.materialization for event in done.get_asset_materialization_events()]
    return {each.asset_key.path[-1]: {name: value.value for name, value in each.metadata.items()} for each in events}


def test_run_that_mends_tells_how_many_rows_the_session_has(database: Settings, admin: Connection) -> None:
    for symbol in "AB":
        for minute in (0, 7, 70):
            put(admin, symbol, minute)
    materialized(database, tags={GATE: "1"})
    put(admin, "A", 8)
    counts = {"bar_5m": 6, "bar_15m": 4, "bar_1h": 4, "liquidity_30m": 4, "bar_1d": 2}
    changed = {"bar_5m": 1, "bar_15m": 1, "bar_1h": 1, "liquidity_30m": 2, "bar_1d": 1}
    mended = told(materialized(database, tags={GATE: "1"}))
    assert mended == {table: {"dagster/row_count": counts[table], "changed": changed[table]} for table in counts}
    idle = told(materialized(database, tags={GATE: "1"}))
    assert idle == {table: {"dagster/row_count": counts[table], "changed": 0} for table in counts}
    of_one = told(materialized(database, run_config={"ops": {INTRADAY_STEP: {"config": {"symbols": ["A"]}}}}))
    assert of_one == {table: {"dagster/row_count": counts[table], "changed": 0, "symbols": "A"} for table in counts}


def test_gate_run_mends_and_a_person_s_run_makes_all_anew(database: Settings, admin: Connection) -> None:
    """A row that is wrong without that its bars have changed."""
    put(admin, "A", 0)
    materialized(database, tags={GATE: "1"})
    spoil = "UPDATE aggregates.bar_5m SET volume = 7"
    volume = "SELECT volume FROM aggregates.bar_5m"
    admin.execute(spoil)
    assert materialized(database, tags={GATE: "1"}).success
    assert admin.execute(volume).fetchone() == (7,)
    assert materialized(database).success
    assert admin.execute(volume).fetchone() == (100,)


def test_run_of_some_symbols_leaves_the_others_alone(database: Settings, admin: Connection) -> None:
    put(admin, "A", 0)
    put(admin, "B", 0)
    materialized(database)
    admin.execute("UPDATE aggregates.bar_5m SET volume = 7")
    put(admin, "B", 10)
    materialized(database, run_config={"ops": {INTRADAY_STEP: {"config": {"symbols": ["A"]}}}})
    assert admin.execute("SELECT symbol, volume FROM aggregates.bar_5m ORDER BY 1").fetchall() == [("A", 100), ("B", 7)]
    assert admin.execute("SELECT DISTINCT symbol FROM ops.touched_bar").fetchall() == [("B",)]
