"""The gap ledger over a real Postgres and a real Kafka; bars, ticks and feed gaps are put there by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.postgres import Connection, connect, open_pool
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.store import GapQuery
from stock_platform.config import Settings
from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.tick import Refusal, Tick
from stock_platform.market.gaps.facts import read_until
from stock_platform.market.gaps.ledger import Wanted, read_newest
from stock_platform.market.gaps.rows import Row
from stock_platform.repair.look import Found, look_at
from stock_platform_tests.broker import empty_topics, running_broker
from stock_platform_tests.staged import DAY, OPEN, empty_market, run_gate, stage

MINUTE = timedelta(minutes=1)
NOW = OPEN + timedelta(hours=3)
SYMBOLS = ("A", "B", "C")
LOOKED = OPEN + 40 * MINUTE
"""The session is forty minutes old."""
EMPTY = "TRUNCATE quality.gap, quality.gate_run, ops.feed_gap, ops.feed_line, staging.vendor_bar_1m"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running.bootstrap


@pytest.fixture(scope="module")
def topics(broker: str) -> Iterator[str]:
    with empty_topics(broker):
        yield broker


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Three symbols of one exchange; no bars."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute(EMPTY)
        for symbol in SYMBOLS[1:]:
            connection.execute("INSERT INTO reference.instrument VALUES (%s, 'x', 'Technology', 'USD', 'XNYS', 'yahoo')", (symbol,))
        yield connection


def fill(connection: Connection, symbol: str, *, missing: Any = (), ticks: int = 20, since: int = 0, until: int = 40) -> None:
    """Staged bars of the symbol's minutes, but for the missing ones."""
    for minute in range(since, until):
        if minute not in set(missing):
            stage(connection, minute, first=100 * minute + 50, last=100 * minute + 100, symbol=symbol, tick_count=ticks)


def unheard(connection: Connection, first: float, last: float, symbols: str) -> None:
    """The only line of a shard could not hear these, in minutes from the open."""
    start, end = OPEN + first * MINUTE, OPEN + last * MINUTE
    connection.execute("INSERT INTO ops.feed_gap VALUES ('line-0a', %s, %s, %s, 0, 1, 'cut')", (start, end, symbols))


def judged_and_looked(
    database: Settings, bootstrap: str, run_id: str = "gate-1", *, until: datetime = LOOKED, now: datetime = NOW
) -> Found:
    """What a gate run does."""
    run_gate(database, run_id, until=until)
    with connect(database.dsn("gate_owner")) as connection:
        closed_until = read_until(connection, DAY)
        assert closed_until is not None
        return look_at(connection, bootstrap, DAY, closed_until, run_id=run_id, now=now)


def told(row: Row) -> tuple[str, int, int, str, str, str | None]:
    return row.symbol, row.minutes.start - OPEN_MINUTE, row.minute_count, row.gap_class, row.state, row.closed_by_run


OPEN_MINUTE = int(OPEN.timestamp()) // 60


def published(bootstrap: str, *ticks: Tick | Refusal) -> None:
    producer = KafkaProducer(bootstrap, client_id="line-0a")
    publisher = Publisher(producer, line="line-0a")
    for each in ticks:
        publisher.publish(each) if isinstance(each, Tick) else publisher.refuse(each)
    assert publisher.flush(timedelta(seconds=20))


def tick(symbol: str, minute: float, **changes: Any) -> Tick:
    ts_event = OPEN + minute * MINUTE
    values: dict[str, Any] = {
        "symbol": symbol,
        "price": Decimal("10"),
        "day_volume": int(100 * minute),
        "size": 1,
        "ts_event": ts_event,
        "ts_recv": ts_event + timedelta(seconds=1),
        "session_phase": "regular",
        "currency": "USD",
        "previous_close": None,
        "source": "yahoo",
        "line": "line-0a",
        "line_seq": 0,
        "is_suspect": False,
        "is_continuous": True,
    }
    return Tick(**{**values, **changes})


def test_whole_session_has_no_gap_and_what_came_before_the_first_tick_is_none(
    database: Settings, admin: Connection, topics: str
) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, since=15)
    found = judged_and_looked(database, topics)
    assert (found.rows, found.expected_count) == ((), 3 * 25)


def test_symbol_that_never_ticked_is_missed_from_its_lines_first_full_minute(
    database: Settings, admin: Connection, topics: str
) -> None:
    fill(admin, "A", since=10)
    started = OPEN + 12 * MINUTE + timedelta(seconds=20)
    admin.execute(
        "INSERT INTO ops.feed_line (line, dagster_run_id, source, state, ts_started, ts_heartbeat, tick_count, reject_count, "
        "symbols) VALUES ('line-0a', 'run', 'yahoo', 'running', %s, %s, 0, 0, 'A B')",
        (started, started),
    )
    found = judged_and_looked(database, topics)
    assert [told(row) for row in found.rows] == [("B", 13, 27, "no_trade", "explained", None)]
    assert "no earlier minute of it" in found.rows[0].evidence
    assert found.expected_count == 30 + 27


def test_outage_halt_and_idle_symbol_have_one_row_each_of_the_right_class(
    database: Settings, admin: Connection, topics: str
) -> None:
    fill(admin, "A", missing=[*range(5, 8), *range(30, 34)])
    fill(admin, "B", missing=range(5, 8))
    fill(admin, "C", missing=[*range(5, 8), *range(20, 23)], ticks=1)
    unheard(admin, 4.5, 8.25, "A B C")
    found = judged_and_looked(database, topics)
    assert [told(row) for row in found.rows] == [
        ("A", 5, 3, "feed_gap", "open", None),
        ("A", 30, 4, "halt", "explained", None),
        ("B", 5, 3, "feed_gap", "open", None),
        ("C", 5, 3, "feed_gap", "open", None),
        ("C", 20, 3, "no_trade", "explained", None),
    ]
    assert found.rows[0].evidence == "No feed line heard it from 14:34:30 to 14:38:15 UTC (225 s)."
    assert found.rows[1].evidence.startswith("No tick for 4 min at 20 a minute before, while 2 of 2 peers of XNYS traded")
    certified = admin.execute("SELECT count(*) FROM market.bar_1m").fetchone()
    assert certified == (found.expected_count - sum(row.minute_count for row in found.rows),)


def test_second_look_at_the_same_state_writes_nothing(database: Settings, admin: Connection, topics: str) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(12, 13) if symbol == "A" else ())
    judged_and_looked(database, topics)
    before = admin.execute("SELECT gap.*::text, gap.xmin::text FROM quality.gap AS gap").fetchall()
    again = judged_and_looked(database, topics, "gate-2", now=NOW + MINUTE)
    assert again.changed_count == 0
    assert admin.execute("SELECT gap.*::text, gap.xmin::text FROM quality.gap AS gap").fetchall() == before


def test_gap_that_goes_on_extends_its_row_and_becomes_a_halt(database: Settings, admin: Connection, topics: str) -> None:
    """Eight ticks a minute: one silent minute is usual (exp(-8)), two are not (exp(-16))."""
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=range(20, 40) if symbol == "A" else (), ticks=8)
    first = judged_and_looked(database, topics, until=OPEN + 21 * MINUTE)
    assert [told(row)[1:4] for row in first.rows] == [(20, 1, "no_trade")]
    second = judged_and_looked(database, topics, "gate-2", until=OPEN + 22 * MINUTE, now=NOW + MINUTE)
    assert [told(row)[1:4] for row in second.rows] == [(20, 2, "halt")]
    assert (second.rows[0].ts_found, second.rows[0].dagster_run_id) == (NOW, "gate-1")


def test_gap_closes_by_itself_when_bars_came_late(database: Settings, admin: Connection, topics: str) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(12, 13) if symbol == "A" else ())
    assert [told(row)[3] for row in judged_and_looked(database, topics).rows] == ["halt"]
    stage(admin, 13, first=1350, last=1400)
    found = judged_and_looked(database, topics, "gate-2", now=NOW + MINUTE)
    assert [told(row) for row in found.rows] == [
        ("A", 12, 1, "halt", "explained", None),
        ("A", 13, 1, "halt", "repaired", "gate-2"),
    ]
    assert found.rows[1].closed_reason == "its bar was accepted by run gate-2"


def test_feed_gap_that_is_told_later_changes_what_was_taken_for_a_halt(database: Settings, admin: Connection, topics: str) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=range(30, 34) if symbol == "A" else ())
    judged_and_looked(database, topics)
    unheard(admin, 30, 34, "A")
    (row,) = judged_and_looked(database, topics, "gate-2").rows
    assert (row.gap_class, row.state, row.ts_closed) == (GapClass.FEED_GAP, GapState.OPEN, None)


def test_refused_bar_is_held_until_it_leaves_the_quarantine(database: Settings, admin: Connection, topics: str) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(12,) if symbol == "A" else ())
    stage(admin, 12, first=1150, last=1150)
    (row,) = judged_and_looked(database, topics).rows
    assert told(row) == ("A", 12, 1, "held", "open", None)
    assert "1 bar that broke volume_not_negative" in row.evidence
    stage(admin, 12, first=1250, last=1300, tick_count=3)
    (row,) = judged_and_looked(database, topics, "gate-2").rows
    assert told(row) == ("A", 12, 1, "held", "repaired", "gate-2")


def test_ticks_in_kafka_without_a_bar_are_a_pipeline_gap_and_refused_ones_its_evidence(
    database: Settings, admin: Connection, topics: str
) -> None:
    """Two lines bring the same tick: it counts once. A pre-market tick and one of another minute do not count."""
    published(
        topics,
        tick("A", 30.1),
        tick("A", 30.1, line="line-0b"),
        tick("A", 30.5),
        tick("A", 31.5),
        tick("A", 29.9),
        tick("B", 31.5),
    )
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(30, 31) if symbol == "A" else ())
    (row,) = judged_and_looked(database, topics).rows
    assert told(row) == ("A", 30, 2, "pipeline_gap", "open", None)
    assert row.evidence == "Kafka has 3 ticks of these 2 min, and no bar was made of them."
    assert judged_and_looked(database, topics, "gate-2").changed_count == 0


def test_messages_that_the_feed_refused_are_evidence_against_a_halt(database: Settings, admin: Connection, topics: str) -> None:
    refusal = Refusal("spike", "too far", OPEN + 35.5 * MINUTE, 0, lambda: b'{"symbol": "B"}')
    published(topics, refusal)
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(35,) if symbol == "B" else ())
    (row,) = judged_and_looked(database, topics).rows
    assert told(row) == ("B", 35, 1, "no_trade", "explained", None)
    assert row.evidence.endswith("so it was no halt. Refused meanwhile, in market.ticks.dlq.v1: spike 1.")


def test_minutes_of_an_exchange_that_the_vendor_brings_late_close_later(database: Settings, admin: Connection, topics: str) -> None:
    admin.execute(
        "INSERT INTO reference.vendor_instrument (symbol, instrument_type, delay_s, source, ts_recv) "
        "VALUES ('A', 'EQUITY', 900, 'yahoo', %s)",
        (OPEN,),
    )
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=range(24, 40) if symbol == "A" else ())
    assert [told(row)[:3] for row in judged_and_looked(database, topics).rows] == [("A", 24, 1)]


def test_session_is_looked_at_to_its_end_when_the_next_one_has_begun(database: Settings, admin: Connection, topics: str) -> None:
    with connect(database.dsn("gate_owner")) as connection:
        connection.execute("INSERT INTO quality.gate_run VALUES ('one', %s, 'v', %s, %s)", (DAY, LOOKED, NOW))
        assert read_until(connection, DAY) == LOOKED
        close, tomorrow = OPEN + timedelta(hours=6, minutes=30), DAY + timedelta(days=1)
        connection.execute("INSERT INTO quality.gate_run VALUES ('two', %s, 'v', %s, %s)", (tomorrow, close - MINUTE, NOW))
        assert read_until(connection, DAY) == LOOKED, "of this session more is to be judged"
        connection.execute("INSERT INTO quality.gate_run VALUES ('three', %s, 'v', %s, %s)", (tomorrow, close + MINUTE, NOW))
        assert read_until(connection, DAY) == close + MINUTE
        assert read_until(connection, tomorrow + timedelta(days=1)) is None


def test_command_lists_the_newest_first_and_repaired_ones_only_when_asked(
    database: Settings, admin: Connection, topics: str
) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(12, 30) if symbol == "A" else ())
    judged_and_looked(database, topics)
    stage(admin, 30, first=3050, last=3100)
    judged_and_looked(database, topics, "gate-2")
    with connect(database.dsn("gate_owner")) as connection:
        everything = read_newest(connection, Wanted(DAY, "A", with_repaired=True), limit=10)
        missing = read_newest(connection, Wanted(None, None, with_repaired=False), limit=10)
        of_others = read_newest(connection, Wanted(None, "B", with_repaired=True), limit=10)
    assert [told(row)[1] for row in everything] == [30, 12]
    assert [told(row)[1] for row in missing] == [12]
    assert of_others == []


def test_api_reads_the_ledger(database: Settings, admin: Connection, topics: str) -> None:
    for symbol in SYMBOLS:
        fill(admin, symbol, missing=(12, 13, 30) if symbol == "A" else ())
    judged_and_looked(database, topics)
    with closing(open_pool(database.dsn("api_reader"), size=1)) as pool:
        store = PostgresStore(pool, feed_kind="yahoo", dagster_page="http://dagster", read_passport=lambda *_: None)
        both = store.gaps(GapQuery("A", None, None, 10))
        assert [((each.ts_start - OPEN) // MINUTE, each.minute_count) for each in both] == [(12, 2), (30, 1)]
        assert store.gaps(GapQuery("A", OPEN + 13 * MINUTE, OPEN + 30 * MINUTE, 10)) == both[:1]
        assert store.gaps(GapQuery("A", None, None, 1)) == both[1:]
        assert store.gaps(GapQuery("B", None, None, 10)) == []
