"""A coin trades on and makes the day's partition anew each minute: it must not hide that New York is dead."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.contracts.bar import BAR
from stock_platform.defs.freshness import OF_SESSION, freshness_results
from stock_platform.defs.open_markets import Hours, Market, read_open_markets
from stock_platform.defs.world import World, key_of
from stock_platform_tests.idle_sensors import StoppedClock
from stock_platform_tests.staged import CLOSE, DAY, OPEN, empty_market

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
DAY_LONG = timedelta(days=1)
NEW_YORK = Hours(DAY, OPEN, CLOSE)
COIN = Hours(DAY, MIDNIGHT, MIDNIGHT + DAY_LONG)
TOKYO = Hours(DAY, MIDNIGHT, OPEN + timedelta(hours=3), MIDNIGHT + timedelta(hours=2), MIDNIGHT + timedelta(hours=3))
NOON = OPEN + timedelta(minutes=60)
_BAR = """
INSERT INTO market.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, source, kafka_partition,
    kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict, dagster_run_id, ts_accepted
)
VALUES (%(symbol)s, %(start)s, %(start)s + interval '1 minute', 1, 1, 1, 1, 1, %(start)s, %(start)s, 'tape', 0, 0, 0, 'job', TRUE,
    %(day)s, 1, 'passed', 'run', %(start)s)
"""


@pytest.fixture
def market(database: Settings) -> Iterator[Connection]:
    """A is of New York, B is a coin, T is of Tokyo and shown 15 minutes late; a feed line has run since midnight."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE ops.feed_line")
        for symbol, calendar in (("B", "24/7"), ("T", "XTKS")):
            connection.execute("INSERT INTO reference.instrument VALUES (%s, 'x', 'x', 'USD', %s, 'yahoo')", (symbol, calendar))
        for calendar, each in (("24/7", COIN), ("XTKS", TOKYO)):
            hours = (calendar, DAY, each.opens, each.closes, each.opens, each.closes, each.break_start, each.break_end)
            connection.execute("INSERT INTO reference.session VALUES (%s, %s, %s, %s, %s, %s, %s, %s, FALSE)", hours)
        connection.execute(
            "INSERT INTO reference.vendor_instrument (symbol, instrument_type, delay_s, source, ts_recv) "
            "VALUES ('T', 'EQUITY', 900, 'yahoo', %s)",
            (MIDNIGHT,),
        )
        connection.execute(
            "INSERT INTO ops.feed_line (line, dagster_run_id, source, state, ts_started, ts_heartbeat, tick_count, reject_count) "
            "VALUES ('line-0a', 'run', 'tape', 'running', %s, %s, 0, 0)",
            (MIDNIGHT, NOON),
        )
        yield connection


def certified(connection: Connection, symbol: str, *ends: datetime) -> None:
    for end in ends:
        connection.execute(_BAR, {"symbol": symbol, "start": end - timedelta(minutes=1), "day": DAY})


def answer(instance: dg.DagsterInstance, database: Settings, now: datetime) -> dg.AssetCheckResult:
    """What is said of certified bars; all else is fresh."""
    results = freshness_results(instance, World(database, StoppedClock(now)))
    (found,) = (each for each in results if each.asset_key == key_of(BAR.address))
    assert all(each.passed for each in results if each is not found)
    return found


def test_each_open_calendar_has_its_newest_bar(database: Settings, market: Connection) -> None:
    certified(market, "A", OPEN + timedelta(minutes=4), OPEN + timedelta(minutes=5))
    certified(market, "B", NOON - timedelta(minutes=1))
    with connect(database.dsn("gate_owner")) as connection:
        assert read_open_markets(connection, NOON) == [
            Market("24/7", COIN, NOON - timedelta(minutes=1)),
            Market("XNYS", NEW_YORK, OPEN + timedelta(minutes=5)),
            Market("XTKS", TOKYO, None, timedelta(minutes=15)),
        ]
        assert [each.calendar for each in read_open_markets(connection, CLOSE)] == ["24/7"]


def test_coin_does_not_hide_that_new_york_is_dead(database: Settings, market: Connection) -> None:
    certified(market, "A", OPEN + timedelta(minutes=5))
    certified(market, "B", NOON - timedelta(minutes=1))
    certified(market, "T", NOON - timedelta(minutes=20))
    with dg.DagsterInstance.ephemeral() as instance:
        for key in OF_SESSION:
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=DAY.isoformat()))
        found = answer(instance, database, NOON)
        certified(market, "A", NOON - timedelta(minutes=2))
        later = answer(instance, database, NOON)
    assert (found.passed, later.passed) == (False, True)
    assert found.description == (
        "1 of 3 open markets are stale. The stalest is XNYS: of its session 2026-11-20 its newest bar ends at 2026-11-20 14:35Z; "
        "at most 10 min may pass."
    )
