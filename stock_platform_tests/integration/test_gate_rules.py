"""What the gate reads beside the bars, from a real database: accepted bars, splits, tick sizes, and who is silent."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.gate.batch import read_batch
from stock_platform.gate.pending import pending_sessions
from stock_platform_tests.staged import DAY, EVENING, OPEN, empty_market, run_gate, stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE ops.alert, ops.feed_gap, reference.corporate_action")
        yield connection


def priced(price: str) -> dict[str, Any]:
    """A bar of one price."""
    return {
        **dict.fromkeys(("open", "high", "low", "close", "price_first"), Decimal(price)),
        "notional_inside": 50 * Decimal(price),
    }


def stage_at(admin: Connection, minute: int, price: str, **changes: Any) -> None:
    stage(admin, minute, first=100 * minute + 50, last=100 * minute + 100, **priced(price), **changes)


def verdicts(admin: Connection) -> list[Any]:
    return admin.execute("SELECT verdict, count(*) FROM market.bar_1m GROUP BY 1 ORDER BY 1").fetchall()


def refused(admin: Connection) -> list[Any]:
    query = "SELECT extract(epoch FROM ts_start - %s)::int / 60, rules FROM quality.quarantine ORDER BY 1"
    return admin.execute(query, (OPEN,)).fetchall()


def test_verdicts_are_the_same_one_by_one_and_all_at_once(database: Settings, admin: Connection) -> None:
    """Prices rise by 2 % a minute from noon on, with one in pence between them."""
    prices = [100 * Decimal("1.02") ** max(0, minute - 60) for minute in range(80)]
    for minute, price in enumerate(prices):
        stage_at(admin, minute, f"{price if minute != 70 else price * 100:.2f}")
    run_gate(database, "all")
    query = "SELECT ts_start, verdict FROM market.bar_1m ORDER BY 1"
    at_once, held = admin.execute(query).fetchall(), refused(admin)
    assert held == [(70, "price_scale,collar")]
    assert {verdict for _, verdict in at_once} == {"passed", "suspect"}
    admin.execute("TRUNCATE market.bar_1m, market.bar_1m_revision, quality.quarantine, quality.gate_run, quality.check_result")
    for minute in range(80):
        run_gate(database, f"run-{minute}", until=OPEN + (minute + 1) * MINUTE)
    assert admin.execute(query).fetchall() == at_once
    assert refused(admin) == held


def test_price_between_two_ticks_is_suspect_where_the_tick_is_known(database: Settings, admin: Connection) -> None:
    stage_at(admin, 0, "10.00005")
    stage_at(admin, 1, "10.0001")
    run_gate(database, "unknown tick")
    assert verdicts(admin) == [("passed", 2)]
    admin.execute("TRUNCATE market.bar_1m, market.bar_1m_revision")
    admin.execute("UPDATE reference.instrument SET tick_size = 0.0001")
    run_gate(database, "known tick")
    assert verdicts(admin) == [("passed", 1), ("suspect", 1)]


def test_bar_held_because_of_a_split_is_judged_again_when_the_split_is_known(database: Settings, admin: Connection) -> None:
    """A 7:1 split that the vendor tells after the first bars of its day; the session before closed at 70."""
    for minute in range(5):
        stage_at(admin, minute, "10")
    admin.execute(
        "INSERT INTO market.bar_1m SELECT symbol, ts_start - interval '1 day', ts_end - interval '1 day', 70, 70, 70, 70, 50, 70, "
        "2, ts_first_tick, ts_last_tick, source, 0, 0, 1, 'job', TRUE, %s, 1, 'passed', 'before', now() FROM staging.bar_1m",
        (DAY - timedelta(days=1),),
    )
    run_gate(database, "run-1")
    assert [rules for _, rules in refused(admin)] == ["price_scale,collar,no_jump", *["price_scale,collar,no_jump"] * 4]
    with connect(database.dsn("gate_owner")) as connection:
        assert pending_sessions(connection, OPEN) == []
        assert read_batch(connection, DAY, EVENING).bars.is_empty()
    admin.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, 'split', 7, NULL, 'USD', 'yahoo', %s)", (DAY, EVENING + MINUTE)
    )
    with connect(database.dsn("gate_owner")) as connection:
        assert [each.session_date for each in pending_sessions(connection, EVENING)] == [DAY]
    run_gate(database, "run-2")
    assert refused(admin) == []
    assert admin.execute("SELECT DISTINCT verdict FROM market.bar_1m WHERE session_date = %s", (DAY,)).fetchall() == [("passed",)]


SYMBOLS = ["A", "B", "C", "D", "E", "F"]


def fill(admin: Connection, minutes: int, *, silent: int) -> None:
    """Six symbols with a bar a minute; in the newest minute some have none."""
    for symbol in SYMBOLS[1:]:
        admin.execute("INSERT INTO reference.instrument VALUES (%s, 'x', 'Technology', 'USD', 'XNYS', 'yahoo')", (symbol,))
    for minute in range(minutes):
        for symbol in SYMBOLS[: -silent or None] if minute == minutes - 1 else SYMBOLS:
            stage_at(admin, minute, "10", symbol=symbol)


@pytest.mark.parametrize(("silent", "silent_pct"), [(0, 0.0), (3, 50.0), (4, 100 * 4 / 6)])
def test_silent_symbols_are_counted_in_the_newest_closed_minute(
    database: Settings, admin: Connection, silent: int, silent_pct: float
) -> None:
    fill(admin, 40, silent=silent)
    with connect(database.dsn("gate_owner")) as connection:
        background = read_batch(connection, DAY, OPEN + 42 * MINUTE).background
    assert background.silent_pct == pytest.approx(silent_pct)
    assert background.behind_min == 2.0


def test_known_gap_of_the_feed_is_no_silence(database: Settings, admin: Connection) -> None:
    fill(admin, 40, silent=4)
    admin.execute(
        "INSERT INTO ops.feed_gap (line, ts_gap_start, ts_gap_end, symbols, shard, redundancy, detail) VALUES "
        "('line-0a', %s, %s, 'C D E F', 0, 1, 'cut')",
        (OPEN + 39 * MINUTE + timedelta(seconds=20), OPEN + 39 * MINUTE + timedelta(seconds=50)),
    )
    with connect(database.dsn("gate_owner")) as connection:
        assert read_batch(connection, DAY, OPEN + 40 * MINUTE).background.silent_pct == 0.0


def test_minute_that_lost_most_symbols_blocks_and_the_next_whole_one_goes_through(database: Settings, admin: Connection) -> None:
    fill(admin, 40, silent=4)
    run_gate(database, "run-1", until=OPEN + 40 * MINUTE)
    assert verdicts(admin) == []
    for symbol in SYMBOLS:
        stage_at(admin, 40, "10", symbol=symbol)
    run_gate(database, "run-2", until=OPEN + 41 * MINUTE)
    assert verdicts(admin) == [("passed", 40 * 6 - 4 + 6)]
    assert admin.execute("SELECT alert_name, dagster_run_id, cleared_by_run FROM ops.alert").fetchall() == [
        ("batch_blocked", "run-1", "run-2")
    ]


def test_session_that_is_over_is_fresh_when_it_has_its_last_minute(database: Settings, admin: Connection) -> None:
    stage_at(admin, 389, "10")
    with connect(database.dsn("gate_owner")) as connection:
        assert read_batch(connection, DAY, EVENING).background.behind_min == 0.0
