"""Aggregates that look back, on a real Postgres: what they read, what a repeat, a restated bar and a late split change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect, read_frame
from stock_platform.config import Settings
from stock_platform.defs.aggregate import aggregate_assets, refreshed
from stock_platform.defs.aggregate_inputs import DAYS, LOOKED_BACK_DAYS, SessionInputs
from stock_platform.defs.aggregate_registry import EVERY_ONE, PROVENANCE
from stock_platform.defs.restate import remade
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World

FIRST = date(2026, 9, 1)
EVENING = 420
"""Minutes after the open."""
TABLES = [aggregate.record.address for aggregate in EVERY_ONE]
_RAW = (
    "market.bar_1m, staging.vendor_bar_1d, reference.corporate_action, reference.instrument, reference.session, "
    "reference.vendor_instrument, ops.alert"
)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Two symbols of one sector, one of another, sixty sessions of two bars each, all aggregates made."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(f"TRUNCATE {_RAW}, {', '.join(TABLES)}")  # type: ignore[arg-type]
        for symbol, sector in (("A", "Energy"), ("B", "Energy"), ("C", "Technology")):
            connection.execute("INSERT INTO reference.instrument VALUES (%s, 'x', %s, 'USD', 'XNYS', 'yahoo')", (symbol, sector))
        yield connection


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def instant(number: int, minute: int = 0) -> datetime:
    return datetime.combine(day(number), time(14, 30), UTC) + timedelta(minutes=minute)


def bar(admin: Connection, symbol: str, number: int, close: float, *, minute: int = 0, volume: int = 100) -> None:
    """One certified minute of a session."""
    start = instant(number, minute)
    admin.execute(
        "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE) ON CONFLICT DO NOTHING",
        (day(number), *(instant(number, end) for end in (0, 390, 0, 390))),
    )
    admin.execute(
        "INSERT INTO market.bar_1m (symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, "
        "ts_last_tick, source, kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, "
        "revision, verdict, dagster_run_id, ts_accepted) VALUES (%(symbol)s, %(start)s, %(end)s, %(close)s, %(close)s, %(close)s, "
        "%(close)s, %(volume)s, %(close)s, 1, %(start)s, %(start)s, 'tape', 0, 0, 0, 'job', TRUE, %(day)s, 1, 'passed', 'run', "
        "%(end)s)",
        {
            "symbol": symbol,
            "start": start,
            "end": start + timedelta(minutes=1),
            "close": close,
            "volume": volume,
            "day": day(number),
        },
    )


def vendor_day(
    admin: Connection, symbol: str, number: int, close: float, *, told: int, volume: int = 1000, currency: str = "USD"
) -> None:
    """The vendor's daily bar, as it was told on that day."""
    admin.execute(
        "INSERT INTO staging.vendor_bar_1d (symbol, ts_start, open, high, low, close, volume, session_date, currency, source, "
        "response_path, ts_recv) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'yahoo', 'x', %s)",
        (symbol, instant(number), *[close] * 4, volume, day(number), currency, instant(told, EVENING)),
    )


def split(admin: Connection, symbol: str, number: int, ratio: float) -> None:
    admin.execute(
        "INSERT INTO reference.corporate_action VALUES (%s, %s, 'split', %s, NULL, 'USD', 'yahoo', %s)",
        (symbol, day(number), ratio, instant(number, EVENING)),
    )


def market(admin: Connection, sessions: int) -> None:
    """Closes that walk up and down, each symbol in its own way."""
    for number in range(sessions):
        for place, symbol in enumerate("ABC"):
            close = 100 + 10 * place + (number * (7 + place)) % 11
            bar(admin, symbol, number, close)
            bar(admin, symbol, number, close + 1, minute=35)


def make(database: Settings, *numbers: int, run: str) -> None:
    world = World(database, SystemClock())
    for number in numbers:
        assert len(list(refreshed(world, run, day(number), EVERY_ONE))) == len(EVERY_ONE)


def closes(database: Settings, number: int) -> list[Any]:
    """What is read of a session: symbol, day, close and volume."""
    found = SessionInputs(World(database, SystemClock()), day(number)).days
    return [(symbol, (on - FIRST).days, close, volume) for symbol, on, _, _, close, volume in found.iter_rows()]


def contents(admin: Connection) -> dict[str, set[Any]]:
    """Every row of every aggregate, provenance included."""
    return {table: set(admin.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES}  # type: ignore[arg-type]


def changed_sessions(before: dict[str, set[Any]], after: dict[str, set[Any]]) -> dict[str, list[tuple[Any, int]]]:
    """Symbol (or what names the row beside the session) and session of the rows that differ, by table without schema."""
    found = dict[str, list[tuple[Any, int]]]()
    for aggregate in EVERY_ONE:
        table, names = aggregate.record.address, aggregate.record.names
        rows = (dict(zip(names, row, strict=True)) for row in after[table] ^ before[table])
        changed = {(row.get("symbol", row.get("sector")), (row["session_date"] - FIRST).days) for row in rows}
        if changed:
            found[table.partition(".")[2]] = sorted(changed)
    return found


def test_certified_close_wins_and_the_vendor_fills_in(database: Settings, admin: Connection) -> None:
    vendor_day(admin, "A", 0, 90, told=5)
    vendor_day(admin, "A", 1, 91, told=5)
    vendor_day(admin, "A", 3, 93, told=5)
    vendor_day(admin, "A", 2, 92, told=5, currency="EUR")
    vendor_day(admin, "B", 1, 50, told=5)
    vendor_day(admin, "A", 4, 94, told=5)
    for number, close in ((1, 101), (3, 103)):
        bar(admin, "A", number, close)
        make(database, number, run="run")

    assert closes(database, 3) == [
        ("A", 0, Decimal(90), 1000),
        ("A", 1, Decimal(101), 100),
        ("A", 3, Decimal(103), 100),
    ]


def test_bar_that_a_rule_of_the_vendor_holds_is_not_read(database: Settings, admin: Connection) -> None:
    vendor_day(admin, "A", 0, 90, told=5)
    vendor_day(admin, "A", 1, 9_000_000, told=5)
    bar(admin, "A", 2, 100)
    make(database, 2, run="run")
    with admin.transaction(force_rollback=True):
        admin.execute("ALTER TABLE staging.vendor_bar_1d ADD COLUMN IF NOT EXISTS rules text")
        admin.execute("UPDATE staging.vendor_bar_1d SET rules = 'collar' WHERE session_date = %s", (day(1),))
        found = read_frame(admin, DAYS, {"session_date": day(2), "days": LOOKED_BACK_DAYS})
    assert found["session_date"].to_list() == [day(0), day(2)]


def test_closes_are_in_the_shares_of_the_session(database: Settings, admin: Connection) -> None:
    """A 2:1 split at 2 and a 5:1 split at 4. The vendor told day 0 after the first one, and day 1 after both."""
    vendor_day(admin, "A", 0, 50, told=3, volume=2000)
    vendor_day(admin, "A", 1, 10, told=5, volume=10_000)
    for number, close, volume in ((2, 51, 200), (3, 52, 200), (4, 11, 1000)):
        bar(admin, "A", number, close, volume=volume)
    make(database, 2, 3, 4, run="run")
    split(admin, "A", 2, 2)
    split(admin, "A", 4, 5)

    assert closes(database, 3) == [
        ("A", 0, Decimal(50), 2000),
        ("A", 1, Decimal(50), 2000),
        ("A", 2, Decimal(51), 200),
        ("A", 3, Decimal(52), 200),
    ]
    assert closes(database, 4) == [
        ("A", 0, Decimal(10), 10_000),
        ("A", 1, Decimal(10), 10_000),
        ("A", 2, Decimal("10.2"), 1000),
        ("A", 3, Decimal("10.4"), 1000),
        ("A", 4, Decimal(11), 1000),
    ]


def test_second_run_changes_no_row(database: Settings, admin: Connection) -> None:
    market(admin, 25)
    make(database, *range(25), run="run-1")
    before = contents(admin)
    assert all(before.values())
    make(database, *range(25), run="run-2")
    assert contents(admin) == before


def test_restated_bar_changes_exactly_what_depends_on_it(database: Settings, admin: Connection) -> None:
    market(admin, 24)
    make(database, *range(24), run="run-1")
    before = contents(admin)

    admin.execute("UPDATE market.bar_1m SET close = 130, high = 130 WHERE symbol = 'B' AND ts_start = %s", (instant(22, 35),))
    events = list(remade(World(database, SystemClock()), "run-2", day(22)))

    assert {event.partition for event in events} == {day(22).isoformat(), day(23).isoformat()}
    both = [("B", 22), ("B", 23)]
    assert changed_sessions(before, contents(admin)) == {
        "bar_5m": [("B", 22)],
        "bar_15m": [("B", 22)],
        "bar_1h": [("B", 22)],
        "liquidity_30m": [("B", 22)],
        "bar_1d": [("B", 22)],
        "session_stat": both,  # the gap of the next session
        "indicator_1d": both,
        "volatility_20d": both,
        "mover": [(symbol, number) for symbol, number in movers_that_differ(before, contents(admin))],
        "sector_breadth": [("ALL", 22), ("ALL", 23), ("Energy", 22), ("Energy", 23)],
        "correlation_60d": [("A", 22), ("A", 23), ("B", 22), ("B", 23)],  # of A with B, and of B with C
    }


def movers_that_differ(before: dict[str, set[Any]], after: dict[str, set[Any]]) -> list[tuple[str, int]]:
    """A rank that goes to another symbol changes for both: B's rows differ in each of the two sessions, other sessions' never."""
    changed = sorted({(row[3], (row[0] - FIRST).days) for row in before["aggregates.mover"] ^ after["aggregates.mover"]})
    assert {("B", 22), ("B", 23)} <= set(changed)
    assert {number for _, number in changed} == {22, 23}
    return changed


def test_restated_bar_that_leaves_the_day_as_it_was_leaves_later_sessions_alone(database: Settings, admin: Connection) -> None:
    market(admin, 3)
    make(database, 0, 1, 2, run="run-1")
    assert {event.partition for event in remade(World(database, SystemClock()), "run-2", day(0))} == {day(0).isoformat()}


def test_late_split_changes_what_later_sessions_say_of_the_past_when_they_are_made_again(
    database: Settings, admin: Connection
) -> None:
    """Prices fall by half at session 22; the split that explains it is told later."""
    for number in range(24):
        bar(admin, "A", number, 100 if number < 22 else 50)
        bar(admin, "B", number, 100)
    make(database, *range(24), run="run-1")
    before = contents(admin)
    query = "SELECT sma_20, rsi_14 FROM aggregates.indicator_1d WHERE symbol = 'A' AND session_date = %s"
    assert admin.execute(query, (day(22),)).fetchone() == ((19 * 100 + 50) / 20, 0.0)  # a fall that was none

    split(admin, "A", 22, 2)
    assert contents(admin) == before
    make(database, *range(24), run="run-2")

    assert admin.execute(query, (day(22),)).fetchone() == (50.0, None)  # 100 before are 50 of today's: nothing moved
    changed = changed_sessions(before, contents(admin))
    assert changed["indicator_1d"] == [("A", 22), ("A", 23)]
    assert changed["session_stat"] == [("A", 22), ("A", 23)]  # the gap; and what is usual in today's shares
    assert {number for rows in changed.values() for _, number in rows} == {22, 23}
    assert not {"bar_5m", "bar_15m", "bar_1h", "bar_1d", "liquidity_30m"} & set(changed)


def test_range_of_sessions_is_made_by_one_run(database: Settings, admin: Connection) -> None:
    market(admin, 4)
    world: Any = dg.ResourceDefinition.hardcoded_resource(World(database, SystemClock()))
    tags = {"dagster/asset_partition_range_start": day(0).isoformat(), "dagster/asset_partition_range_end": day(6).isoformat()}
    assets = aggregate_assets(session_partitions(FIRST))
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(assets, tags=tags, resources={"world": world}, instance=instance)
        made = {key: len(instance.get_materialized_partitions(key)) for key in (aggregate.key for aggregate in EVERY_ONE)}
    assert done.success
    assert set(made.values()) == {7}  # three of them are of days on which nothing was traded
    one_run = contents(admin)
    assert {row[-2] for row in one_run["aggregates.indicator_1d"]} == {done.run_id}

    admin.execute(f"TRUNCATE {', '.join(TABLES)}")  # type: ignore[arg-type]
    make(database, 0, 1, 2, 3, run="one by one")
    assert without_provenance(one_run) == without_provenance(contents(admin))


def test_sessions_of_one_run_tell_their_own_rows(database: Settings, admin: Connection) -> None:
    """Two bars each of three symbols, then one of one: windows of the minutes 0 and 35."""
    market(admin, 1)
    bar(admin, "A", 1, 100)
    tags = {"dagster/asset_partition_range_start": day(0).isoformat(), "dagster/asset_partition_range_end": day(1).isoformat()}
    world: Any = dg.ResourceDefinition.hardcoded_resource(World(database, SystemClock()))
    first, again = (
        dg.materialize(aggregate_assets(session_partitions(FIRST)), tags=tags, resources={"world": world}) for _ in range(2)
    )
    of_5m, of_1d = counts_told(first, "bar_5m"), counts_told(first, "bar_1d")
    assert of_5m == {day(0).isoformat(): (6, 6), day(1).isoformat(): (1, 1)}
    assert of_1d == {day(0).isoformat(): (3, 3), day(1).isoformat(): (1, 1)}
    assert counts_told(again, "bar_5m") == {day(0).isoformat(): (6, 0), day(1).isoformat(): (1, 0)}
    for aggregate in EVERY_ONE:
        query = f"SELECT session_date, count(*) FROM {aggregate.record.address} GROUP BY 1"
        rows = dict(admin.execute(query).fetchall())  # type: ignore[arg-type]
        told = counts_told(first, aggregate.key.path[-1])
        assert {key: count for key, (count, _) in told.items()} == {day(n).isoformat(): rows.get(day(n), 0) for n in (0, 1)}


def counts_told(done: dg.ExecuteInProcessResult, table: str) -> dict[str | None, tuple[Any, Any]]:
    """Rows that there are and rows that changed, as the events of a table say, by partition."""
    events = [event.materialization for event in done.get_asset_materialization_events()]
    return {
        each.partition: (each.metadata["dagster/row_count"].value, each.metadata["changed"].value)
        for each in events
        if each.asset_key.path[-1] == table
    }


def without_provenance(found: dict[str, set[Any]]) -> dict[str, set[Any]]:
    names = {aggregate.record.address: aggregate.record.names for aggregate in EVERY_ONE}
    return {
        table: {tuple(value for name, value in zip(names[table], row, strict=True) if name not in PROVENANCE) for row in rows}
        for table, rows in found.items()
    }


def test_range_with_a_held_session_is_refused_whole(database: Settings, admin: Connection) -> None:
    market(admin, 2)
    admin.execute(
        "INSERT INTO ops.alert (alert_name, session_date, detail, dagster_run_id, ts_raised) "
        "VALUES ('batch_blocked', %s, 'x', 'run', %s)",
        (day(1), instant(1)),
    )
    world: Any = dg.ResourceDefinition.hardcoded_resource(World(database, SystemClock()))
    tags = {"dagster/asset_partition_range_start": day(0).isoformat(), "dagster/asset_partition_range_end": day(1).isoformat()}
    done = dg.materialize(aggregate_assets(session_partitions(FIRST)), tags=tags, resources={"world": world}, raise_on_error=False)
    assert not done.success
    assert not any(contents(admin).values())
