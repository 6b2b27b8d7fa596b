"""Service levels over a real Postgres, gap ledger included; quotes of a real Kafka. Figures are worked out by hand."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.contracts.slo import Hop
from stock_platform.contracts.tick import QUOTE_UPDATE
from stock_platform.defs.gaps import gap_asset
from stock_platform.defs.service_level import latency_within, service_level_assets, slo_met
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform.market.latency import latencies
from stock_platform.market.latency_facts import keep_latencies, new_minutes, read_bars, sampled, with_flink
from stock_platform.market.service_level import (
    Level,
    keep_levels,
    kept_latencies,
    latencies_due,
    read_latencies,
    read_levels,
)
from stock_platform_tests.broker import empty_topics, running_broker
from stock_platform_tests.staged import CLOSE, DAY, EVENING, OPEN, empty_market, run_gate, stage

MINUTE = timedelta(minutes=1)
NOW = EVENING + MINUTE


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Two symbols of one exchange, no bars."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute(
            "TRUNCATE quality.gap, quality.gate_run, ops.slo_session, ops.latency_minute, ops.feed_gap, ops.feed_line, "
            "staging.vendor_bar_1m"
        )
        connection.execute("INSERT INTO reference.instrument VALUES ('B', 'x', 'Technology', 'USD', 'XNYS', 'yahoo')")
        yield connection


def fill(connection: Connection, symbol: str, minutes: range) -> None:
    for minute in minutes:
        stage(connection, minute, first=100 * minute + 50, last=100 * minute + 100, symbol=symbol)


def gap(connection: Connection, symbol: str, minutes: range, gap_class: str, state: str) -> None:
    """A row of the ledger."""
    is_open = state == "open"
    connection.execute(
        "INSERT INTO quality.gap VALUES (%s, %s, %s, %s, %s, %s, 'seen', %s, NULL, %s, 0, %s, %s, 'run')",
        (
            *(symbol, OPEN + minutes.start * MINUTE, OPEN + minutes.stop * MINUTE, DAY, len(minutes), gap_class, state),
            *(None if is_open else "nothing to repair", NOW, None if is_open else NOW),
        ),
    )


def accepted_after(connection: Connection, symbol: str, seconds: dict[int, float]) -> None:
    """As if the gate had accepted these minutes so many seconds after their end."""
    for minute, late in seconds.items():
        instant = OPEN + (minute + 1) * MINUTE + timedelta(seconds=late)
        connection.execute(
            "UPDATE market.bar_1m_revision SET ts_accepted = %s WHERE symbol = %s AND ts_start = %s",
            (instant, symbol, OPEN + minute * MINUTE),
        )


def level(database: Settings, *, until: datetime) -> list[Level]:
    with connect(database.dsn("gate_owner")) as connection:
        return read_levels(connection, DAY, until, read_latencies(connection, DAY))


def test_minutes_are_good_excused_or_spent(database: Settings, admin: Connection) -> None:
    """A has 40 minutes of which 3 were heard by nobody and 2 were silent; B is watched from minute 10 on and has all of its 30."""
    for minutes in (range(5), range(8, 20), range(22, 40)):
        fill(admin, "A", minutes)
    fill(admin, "B", range(10, 40))
    run_gate(database, "gate-1")
    gap(admin, "A", range(5, 8), "feed_gap", "open")
    gap(admin, "A", range(20, 22), "no_trade", "explained")
    a, b = level(database, until=OPEN + 40 * MINUTE)
    assert (a.session_minute_count, a.excused_minute_count, a.good_minute_count) == (40, 2, 35)
    assert a.good_ratio == pytest.approx(35 / 38)
    assert (b.session_minute_count, b.excused_minute_count, b.good_minute_count, b.good_ratio) == (30, 0, 30, 1.0)


def test_bar_that_came_after_the_ledgers_look_is_good_and_no_longer_excused(database: Settings, admin: Connection) -> None:
    fill(admin, "A", range(10))
    run_gate(database, "gate-1")
    gap(admin, "A", range(8, 10), "halt", "explained")
    (a,) = level(database, until=OPEN + 10 * MINUTE)
    assert (a.excused_minute_count, a.good_minute_count, a.good_ratio) == (0, 10, 1.0)


def test_discarded_minute_is_spent_although_nothing_is_left_to_do(database: Settings, admin: Connection) -> None:
    fill(admin, "A", range(9))
    run_gate(database, "gate-1")
    gap(admin, "A", range(9, 10), "held", "explained")
    (a,) = level(database, until=OPEN + 10 * MINUTE)
    assert (a.session_minute_count, a.excused_minute_count, a.good_minute_count) == (10, 0, 9)


def test_latency_is_of_bars_that_came_live_alone(database: Settings, admin: Connection) -> None:
    """Minute 4 is restated, 5 the vendor's, B's exchange is delayed: none of them is late by our doing."""
    fill(admin, "A", range(6))
    fill(admin, "B", range(3))
    run_gate(database, "gate-1")
    accepted_after(admin, "A", {0: 3, 1: 4, 2: 5, 3: 12, 4: 9_000, 5: 9_000})
    admin.execute("UPDATE market.bar_1m_revision SET verdict = 'restated' WHERE ts_start = %s", (OPEN + 4 * MINUTE,))
    admin.execute(
        "UPDATE market.bar_1m_revision SET response_path = 'x', verdict = 'vendor' WHERE ts_start = %s", (OPEN + 5 * MINUTE,)
    )
    admin.execute(
        "INSERT INTO reference.vendor_instrument (symbol, instrument_type, delay_s, source, ts_recv) "
        "VALUES ('B', 'EQUITY', 900, 'yahoo', %s)",
        (OPEN,),
    )
    a, b = level(database, until=OPEN + 40 * MINUTE)
    assert (a.latency_p50_s, a.latency_p95_s, a.latency_p99_s) == (4, 12, 12)
    assert (b.latency_p50_s, b.latency_p99_s) == (None, None)


def test_gate_runs_read_latencies_at_first_each_fifteenth_time_and_when_the_session_is_over(
    database: Settings, admin: Connection
) -> None:
    fill(admin, "A", range(2))
    run_gate(database, "gate-1")
    accepted_after(admin, "A", {0: 3, 1: 5})
    until, found = OPEN + 2 * MINUTE, list[int]()
    for number in range(1, 18):
        if number > 1:
            admin.execute("INSERT INTO quality.gate_run VALUES (%s, %s, 'c0de', %s, %s)", (f"gate-{number}", DAY, until, NOW))
        with connect(database.dsn("gate_owner")) as connection:
            found += [number] if latencies_due(connection, DAY, until) else []
            assert latencies_due(connection, DAY, CLOSE)
    assert found == [1, 16]
    rows = level(database, until=until)
    with connect(database.dsn("gate_owner")) as connection:
        keep_levels(connection, DAY, rows, run_id="one", now=NOW)
        assert kept_latencies(connection, DAY) == {"A": [3, 5, 5]}


def test_level_again_writes_nothing(database: Settings, admin: Connection) -> None:
    fill(admin, "A", range(10))
    run_gate(database, "gate-1")
    rows = level(database, until=OPEN + 12 * MINUTE)
    with connect(database.dsn("gate_owner")) as connection:
        assert keep_levels(connection, DAY, rows, run_id="one", now=NOW) == 1
        assert keep_levels(connection, DAY, rows, run_id="two", now=NOW + MINUTE) == 0
    assert admin.execute("SELECT dagster_run_id, good_minute_count FROM ops.slo_session").fetchall() == [("one", 10)]


def written(connection: Connection, day: date, calendar: str, counted: int, spent: int) -> None:
    row = (day, calendar, calendar, counted + 5, 5, counted - spent, NOW)
    connection.execute("INSERT INTO ops.slo_session VALUES (%s, %s, %s, %s, %s, %s, NULL, NULL, NULL, NULL, 'run', %s)", row)


def test_error_budget_sums_the_thirty_newest_sessions(database: Settings, admin: Connection) -> None:
    """31 sessions of 1,000 counted minutes; the first, out of the window, spent all, the last spent 15: half of 30."""
    for index in range(31):
        written(admin, DAY + timedelta(days=index), "XNYS", 1_000, {0: 1_000, 30: 15}.get(index, 0))
    last = DAY + timedelta(days=30)
    with connect(database.dsn("grafana_reader")) as connection:
        row = connection.execute("SELECT * FROM ops.error_budget WHERE session_date = %s AND calendar = 'ALL'", (last,)).fetchone()
    assert row is not None
    assert row[:5] == (last, "ALL", 0.999, 1_000, 15)
    assert row[5:] == (pytest.approx(0.985), pytest.approx(15.0), 30, 30_000, 15, pytest.approx(30.0), pytest.approx(0.5))
    with connect(database.dsn("gate_owner")) as connection:
        met = slo_met(connection, last)
        assert met.passed
        assert met.description is not None
        assert met.description.startswith("50% of the error budget is left: of 30.0 min in 30 sessions 15 are spent.")
        assert not slo_met(connection, DAY + timedelta(days=29)).passed
        assert slo_met(connection, DAY - timedelta(days=1)).passed


def test_calendars_have_budgets_of_their_own(database: Settings, admin: Connection) -> None:
    written(admin, DAY, "XNYS", 1_000, 2)
    written(admin, DAY, "24/7", 3_000, 0)
    with connect(database.dsn("api_reader")) as connection:
        rows = connection.execute(
            "SELECT calendar, counted_minute_count, spent_minute_count, budget_left_ratio FROM ops.error_budget ORDER BY calendar"
        ).fetchall()
    assert [row[:3] for row in rows] == [("24/7", 3_000, 0), ("ALL", 4_000, 2), ("XNYS", 1_000, 2)]
    assert [row[3] for row in rows] == [pytest.approx(1), pytest.approx(0.5), pytest.approx(-1)]


def test_session_is_within_when_its_minutes_are(database: Settings, admin: Connection) -> None:
    def judged(*seconds: float) -> bool:
        admin.execute("TRUNCATE ops.latency_minute")
        for minute, late in enumerate(seconds):
            row = (OPEN + minute * MINUTE, Hop.EVENT_TO_CERTIFIED, 1000 * late, 1000 * late, 1000 * late, 1000 * late, NOW)
            admin.execute("INSERT INTO ops.latency_minute VALUES (%s, %s, 1, %s, %s, %s, %s, 'run', %s)", row)
        with connect(database.dsn("gate_owner")) as connection:
            return latency_within(connection, DAY).passed

    assert judged()
    assert judged(5, 5, 14)
    assert judged(16)
    assert judged(16, 5, 5), "one may be late: in the first minute everything starts"
    assert not judged(5, 5, 5, 16, 16)
    assert not judged(5, 9, 9)
    assert not judged(*[5] * 197, 16, 16, 16)
    assert judged(*[5] * 198, 16, 16), "one in a hundred"


@pytest.mark.filterwarnings("ignore")
def test_run_in_dagster_writes_both_tables_and_says_how_it_stands(database: Settings, admin: Connection) -> None:
    """By hand, not as a gate run: no broker is asked. Ten minutes, accepted twelve hours late: the gate's clock is the test's."""
    fill(admin, "A", range(10))
    run_gate(database, "gate-1", until=OPEN + 10 * MINUTE)
    world = World(database, SystemClock())
    assets = service_level_assets(session_partitions(DAY, DAY))
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([assets], partition_key=DAY.isoformat(), resources={"world": world}, instance=instance)
    assert done.success
    level, latency = (done.asset_materializations_for_node("service_level")[index] for index in (0, 1))
    assert level.metadata["good_minutes"].value == 10
    assert latency.metadata["dagster/row_count"].value == 10, "the bars landed after their certificate: of staging nothing is known"
    assert {each.check_name: each.passed for each in done.get_asset_check_evaluations()} == {
        "slo_met": True,
        "latency_within": False,
    }
    assert admin.execute("SELECT count(*) FROM ops.slo_session").fetchone() == (1,)


@pytest.mark.filterwarnings("ignore")
def test_range_of_sessions_is_one_run_and_each_tells_its_own(database: Settings, admin: Connection) -> None:
    """The day before was never judged. No broker is asked, as no minute is missing: the look closes the gap that there was."""
    fill(admin, "A", range(10))
    fill(admin, "B", range(10))
    run_gate(database, "gate-1", until=OPEN + 10 * MINUTE)
    gap(admin, "A", range(3, 5), "feed_gap", "open")
    before, today = ((DAY - timedelta(days=number)).isoformat() for number in (1, 0))
    partitions = session_partitions(DAY - timedelta(days=1), DAY)
    tags = {"dagster/asset_partition_range_start": before, "dagster/asset_partition_range_end": today}
    world = World(database, SystemClock())
    assets = [gap_asset(partitions), service_level_assets(partitions)]
    assert {each.backfill_policy for each in assets} == {dg.BackfillPolicy.single_run()}
    done = dg.materialize(assets, tags=tags, resources={"world": world})
    told = [event.materialization for event in done.get_asset_materialization_events()]
    assert {(each.asset_key.path[-1], each.partition): each.metadata["dagster/row_count"].value for each in told} == {
        ("gap", before): 0,
        ("gap", today): 1,
        ("slo_session", before): 0,
        ("slo_session", today): 2,
        ("latency_minute", before): 0,
        ("latency_minute", today): 10,
    }
    assert admin.execute("SELECT count(*) FROM quality.gap").fetchone() == (1,)
    assert len(told) == 6


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_measured_of_a_replay(database: Settings, admin: Connection) -> None:
    fill(admin, "A", range(10))
    run_gate(database, "gate-1", until=OPEN + 10 * MINUTE)
    world = World(
        database.model_copy(update={"feed_kind": "tape", "feed_tape_speed": 60.0, "feed_tape_as_live": True}), SystemClock()
    )
    assets = service_level_assets(session_partitions(DAY, DAY))
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([assets], partition_key=DAY.isoformat(), resources={"world": world}, instance=instance).success
    assert admin.execute("SELECT count(*) FROM ops.latency_minute").fetchone() == (0,)
    assert admin.execute("SELECT good_ratio, latency_p50_s FROM ops.slo_session").fetchall() == [(1.0, None)]


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker, empty_topics(broker.bootstrap):
        yield broker.bootstrap


def quote(producer: KafkaProducer, second: float, *, recv: float, flink: float, symbol: str = "A", phase: str = "regular") -> None:
    """A quote as the stream job writes it; seconds from the open."""
    event, received, handed_on = (int((OPEN.timestamp() + each) * 1000) for each in (second, recv, flink))
    message = {"symbol": symbol, "price": "10", "ts_event": event, "ts_recv": received, "session_phase": phase}
    producer.send(QUOTE_UPDATE.address, key=symbol, value=json.dumps(message).encode(), headers={}, timestamp_ms=handed_on)


def test_gate_run_measures_the_minutes_that_it_certified_once(database: Settings, admin: Connection, topics: str) -> None:
    """The bar's last tick is at second 30. A restarted job hands the same tick on again, later: the first time counts."""
    fill(admin, "A", range(1))
    run_gate(database, "gate-1")
    accepted_after(admin, "A", {0: 4})
    admin.execute("ALTER TABLE staging.bar_1m DISABLE TRIGGER USER")
    admin.execute("UPDATE staging.bar_1m SET ts_landed = %s", (OPEN + timedelta(seconds=31),))
    admin.execute("ALTER TABLE staging.bar_1m ENABLE TRIGGER USER")
    producer = KafkaProducer(topics, client_id="job")
    quote(producer, 10, recv=10.2, flink=10.3)
    quote(producer, 30, recv=30.4, flink=30.6)
    quote(producer, 30, recv=30.4, flink=50)
    quote(producer, 20, recv=29, flink=29.9, phase="pre")
    quote(producer, 61, recv=62, flink=62.5)
    quote(producer, 15, recv=19, flink=19.9, symbol="B")
    assert producer.flush(timedelta(seconds=20))
    with connect(database.dsn("gate_owner")) as connection:
        bars = read_bars(connection, DAY, new_minutes(connection, DAY))
        ticks = sampled(topics, bars)
        rows = latencies(with_flink(bars, ticks), ticks)
        keep_latencies(connection, rows, run_id="gate-1", now=NOW)
    found = {row.hop: (row.observation_count, row.p50_ms, row.max_ms) for row in rows}
    assert found == {
        Hop.EVENT_TO_RECEIVED: (2, 200, 400),
        Hop.RECEIVED_TO_FLINK: (2, 100, 200),
        Hop.FLINK_TO_STAGING: (1, 400, 400),
        Hop.EVENT_TO_STAGING: (1, 1_000, 1_000),
        Hop.CLOSED_TO_CERTIFIED: (1, 4_000, 4_000),
        Hop.EVENT_TO_CERTIFIED: (1, 4_000, 4_000),
    }
    with connect(database.dsn("gate_owner")) as connection:
        assert new_minutes(connection, DAY) == []
        keep_latencies(connection, rows[:1], run_id="again", now=NOW + MINUTE)
    assert admin.execute("SELECT count(*) FROM ops.latency_minute").fetchone() == (6,)
