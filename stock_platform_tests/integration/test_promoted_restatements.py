"""Restated bars into staging and market on a real Postgres: what changes, what does not, in one transaction or not at all.

Bars stand in for what Flink would write beside staging; expected values by hand. The Flink part: test_restatement."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.errors.restatement import SessionProtected
from stock_platform.gate.batch import read_batch
from stock_platform.gate.judge import Judgement, judge
from stock_platform.gate.pending import pending_sessions
from stock_platform.gate.promote import Promotion, promote
from stock_platform.market import shadow
from stock_platform.market.asked import Asked, read_asked
from stock_platform.market.comparison import compare
from stock_platform.market.protection import lift, protect, require_unprotected
from stock_platform.repair.restating import Outcome, Promoter, promote_restated

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
EVENING = OPEN + timedelta(hours=12)
LATER = EVENING + timedelta(hours=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_BAR: dict[str, Any] = {
    "symbol": "A",
    "open": Decimal("10"),
    "high": Decimal("11"),
    "low": Decimal("10"),
    "close": Decimal("11"),
    "tick_count": 2,
    "price_first": Decimal("10"),
    "source": "tape",
    "kafka_partition": 0,
    "flink_job_id": "stream",
    "is_continuous": True,
}


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Symbols A and B, one session; three certified bars of A with 100 shares each and one of B."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE staging.bar_1m, staging.bar_1m_restated, staging.torn_bar, market.bar_1m, market.bar_1m_revision, "
            "quality.quarantine, quality.check_result, quality.restatement, ops.restatement, ops.protected_session, "
            "reference.instrument, reference.session, reference.vendor_instrument"
        )
        for symbol in ("A", "B"):
            connection.execute("INSERT INTO reference.instrument VALUES (%s, 'x', 'Technology', 'USD', 'XNYS', 'yahoo')", (symbol,))
        close = OPEN + timedelta(hours=6, minutes=30)
        connection.execute(
            "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (DAY, OPEN, close, OPEN, close)
        )
        for minute in range(3):
            put(connection, "staging.bar_1m", minute)
        put(connection, "staging.bar_1m", 0, symbol="B")
        gate(database)
        yield connection


def put(connection: Connection, table: str, minute: int, **changes: Any) -> None:
    """A bar of ticks from 10 to 11 in which 100 shares were traded, 50 of them inside."""
    start = OPEN + timedelta(minutes=minute)
    values = {
        **_BAR,
        "ts_start": start,
        "ts_end": start + timedelta(minutes=1),
        "ts_first_tick": start,
        "ts_last_tick": start + timedelta(seconds=30),
        "day_volume_first": 100 * minute + 50,
        "day_volume_last": 100 * minute + 100,
        "notional_inside": Decimal(550),
        "kafka_offset_first": 2 * minute,
        "kafka_offset_last": 2 * minute + 1,
        **changes,
    }
    statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})"
    connection.execute(statement, list(values.values()))  # type: ignore[arg-type]


def gate(database: Settings, *, until: datetime = EVENING) -> None:
    with connect(database.dsn("gate_owner")) as connection:
        promote(connection, judge(read_batch(connection, DAY, until)), dagster_run_id="gate", code_version="v1", now=EVENING)


def restate(database: Settings, admin: Connection, bars: dict[int, dict[str, Any]], *, symbols: tuple[str, ...] = ()) -> int:
    """A restatement of A with these minutes, computed and not promoted; its number."""
    with connect(database.dsn("gate_owner")) as connection:
        asked = asked_for(connection, symbols)
        number = shadow.begin(connection, asked, now=SystemClock().now(), dagster_run_id="restatement")
    for minute, changes in bars.items():
        put(admin, "staging.bar_1m_restated", minute, restatement_id=number, **{"flink_job_id": "restate", **changes})
    with connect(database.dsn("gate_owner")) as connection:
        shadow.keep_session(connection, number, asked)
    return number


def asked_for(connection: Connection, symbols: tuple[str, ...] = ()) -> Asked:
    return read_asked(connection, DAY, symbols)


def promoted(
    database: Settings, number: int, *, symbols: tuple[str, ...] = (), until: datetime = EVENING, run_id: str = "restatement"
) -> Outcome | Judgement:
    with connect(database.dsn("gate_owner")) as connection:
        asked = asked_for(connection, symbols)
        return promote_restated(connection, number, asked, closed_until=until, by=Promoter(run_id, "v2", LATER))


def certified(connection: Connection) -> list[tuple[Any, ...]]:
    columns = "symbol, ts_start, close::int, volume, verdict, revision, dagster_run_id"
    query = f"SELECT {columns} FROM market.bar_1m ORDER BY symbol, ts_start"
    return [(row[0], int((row[1] - OPEN).total_seconds()) // 60, *row[2:]) for row in connection.execute(query).fetchall()]


def changes(outcome: Outcome | Judgement) -> list[tuple[str, int, str]]:
    assert isinstance(outcome, Outcome)
    found = outcome.difference.changes
    return [(each.symbol, int((each.ts_start - OPEN).total_seconds()) // 60, each.change) for each in found]


def ledger(connection: Connection) -> list[tuple[str, bool]]:
    return connection.execute("SELECT state, is_promoted FROM ops.restatement ORDER BY restatement_id").fetchall()


RIGHT: dict[int, dict[str, Any]] = {
    0: {},
    1: {"high": Decimal("12"), "close": Decimal("12"), "tick_count": 3, "day_volume_last": 220, "notional_inside": Decimal(790)},
    3: {},
}
"""Bar 1 has a late trade of 20 shares more at 12, there is no bar 2, and bar 3 was missed."""
CHANGES = [("A", 1, "changed"), ("A", 2, "removed"), ("A", 3, "added")]


def test_restatement_replaces_what_differs_and_names_it(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, RIGHT, symbols=("A",))

    outcome = promoted(database, number, symbols=("A",))

    assert changes(outcome) == CHANGES
    assert certified(admin) == [
        ("A", 0, 11, 100, "passed", 1, "gate"),
        ("A", 1, 12, 120, "restated", 2, "restatement"),
        ("A", 3, 11, 180, "restated", 1, "restatement"),  # 400 - 220
        ("B", 0, 11, 100, "passed", 1, "gate"),
    ]
    assert isinstance(outcome, Outcome)
    before, after = outcome.difference.changes[0].before, outcome.difference.changes[0].after
    assert before
    assert after
    assert (before["close"], before["volume"], before["revision"], before["verdict"]) == ("11.000000", 100, 1, "passed")
    assert (after["close"], after["volume"], after["revision"], after["verdict"]) == ("12.000000", 120, 2, "restated")
    assert ledger(admin) == [("finished", True)]


def test_second_restatement_gives_an_empty_difference(database: Settings, admin: Connection) -> None:
    promoted(database, restate(database, admin, RIGHT, symbols=("A",)), symbols=("A",))
    before = certified(admin)

    assert changes(promoted(database, restate(database, admin, RIGHT, symbols=("A",)), symbols=("A",), run_id="again")) == []

    assert certified(admin) == before
    gate(database)
    assert certified(admin) == before
    assert pending_sessions(admin, LONG_AGO) == []


def test_answers_of_before_the_restatement_stay(database: Settings, admin: Connection) -> None:
    promoted(database, restate(database, admin, RIGHT, symbols=("A",)), symbols=("A",))
    query = "SELECT close::int FROM market.bar_1m_as_of(%s) WHERE symbol = 'A' ORDER BY ts_start"
    assert admin.execute(query, (LATER - timedelta(seconds=1),)).fetchall() == [(11,), (11,), (11,)]
    assert admin.execute(query, (LATER,)).fetchall() == [(11,), (12,), (11,)]


def test_stream_does_not_bring_a_wrong_bar_back_and_its_late_tick_is_noted(database: Settings, admin: Connection) -> None:
    promoted(
        database, restate(database, admin, {0: {}, 1: {"high": Decimal(11)}, 2: {"tick_count": 1}}, symbols=("A",)), symbols=("A",)
    )
    with connect(database.dsn("flink_writer")) as stream:
        stream.execute(
            "UPDATE staging.bar_1m SET tick_count = 9, close = 10.5, flink_job_id = 'stream' WHERE ts_start = %s AND symbol = 'A'",
            (OPEN + timedelta(minutes=2),),
        )
    count = "SELECT tick_count, flink_job_id FROM staging.bar_1m WHERE restatement_id IS NOT NULL"
    assert admin.execute(count).fetchall() == [(1, "restate")]
    assert admin.execute("SELECT count(*) FROM staging.torn_bar").fetchone() == (0,)

    with connect(database.dsn("flink_writer")) as stream:
        stream.execute(
            "UPDATE staging.bar_1m SET tick_count = 10, kafka_offset_last = 99 WHERE ts_start = %s AND symbol = 'A'",
            (OPEN + timedelta(minutes=2),),
        )
    assert admin.execute(count).fetchall() == [(1, "restate")]
    assert admin.execute("SELECT symbol, tick_count_refused FROM staging.torn_bar").fetchall() == [("A", 10)]


def test_bar_that_is_still_open_is_left_to_the_stream(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, {0: {}, 1: {}, 2: {"tick_count": 1}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",), until=OPEN + timedelta(minutes=2, seconds=59))) == []
    assert admin.execute("SELECT tick_count FROM staging.bar_1m WHERE restatement_id IS NOT NULL").fetchall() == []


def test_bars_that_the_promotion_leaves_to_the_stream_are_no_difference(database: Settings, admin: Connection) -> None:
    """Bar 2 was staged after the ticks were read: open at first, then closed, then changed behind the restatement's back."""
    number = restate(database, admin, {0: {}, 1: {}}, symbols=("A",))

    def told(until: datetime) -> list[str]:
        with connect(database.dsn("gate_owner")) as connection:
            return compare(connection, number, asked_for(connection, ("A",)), closed_until=until).lines(9)

    closed = OPEN + timedelta(minutes=3)
    assert told(closed - timedelta(seconds=1)) == []
    assert told(closed) == ["A 2026-11-20 14:32Z removed"]
    admin.execute("UPDATE staging.bar_1m SET tick_count = 3 WHERE symbol = 'A' AND ts_start = %s", (OPEN + timedelta(minutes=2),))
    assert told(closed) == []


def test_bar_that_only_waited_for_the_gate_is_no_change_of_the_restatement(database: Settings, admin: Connection) -> None:
    put(admin, "staging.bar_1m", 3)
    number = restate(database, admin, {0: {}, 1: {}, 2: {}, 3: {}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",))) == []
    assert certified(admin)[3] == ("A", 3, 11, 100, "passed", 1, "restatement")


def test_restated_bar_that_breaks_a_rule_is_quarantined_and_the_certified_one_stays(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, {0: {}, 1: {"high": Decimal("10.5")}, 2: {}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",))) == []
    assert [row[:5] for row in certified(admin)][1] == ("A", 1, 11, 100, "passed")
    assert admin.execute("SELECT rules FROM quality.quarantine").fetchall() == [("high_is_highest",)]


def test_quarantined_bar_that_is_right_when_restated_is_certified(database: Settings, admin: Connection) -> None:
    put(admin, "staging.bar_1m", 3, high=Decimal("10.5"))
    gate(database)
    assert admin.execute("SELECT count(*) FROM quality.quarantine").fetchone() == (1,)
    number = restate(database, admin, {0: {}, 1: {}, 2: {}, 3: {}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",))) == [("A", 3, "added")]
    assert admin.execute("SELECT count(*) FROM quality.quarantine").fetchone() == (0,)


def test_bar_that_was_removed_counts_on_when_it_comes_back(database: Settings, admin: Connection) -> None:
    promoted(database, restate(database, admin, {0: {}, 1: {}}, symbols=("A",)), symbols=("A",))
    assert [row[:2] for row in certified(admin)] == [("A", 0), ("A", 1), ("B", 0)]
    number = restate(database, admin, {0: {}, 1: {}, 2: {}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",))) == [("A", 2, "added")]
    assert certified(admin)[2] == ("A", 2, 11, 100, "restated", 2, "restatement")


def test_gate_run_that_read_before_a_restatement_does_not_undo_it(database: Settings, admin: Connection) -> None:
    """It read while the restatement's row was there already, with its run, and nothing of it promoted."""
    stage_late_tick(admin)
    number = restate(database, admin, RIGHT, symbols=("A",))
    with connect(database.dsn("gate_owner")) as connection:
        slow = judge(read_batch(connection, DAY, EVENING))
    assert slow.bars.height == 1
    promoted(database, number, symbols=("A",))
    before = certified(admin)
    with connect(database.dsn("gate_owner")) as connection:
        done = promote(connection, slow, dagster_run_id="slow", code_version="v1", now=LATER)
    assert done == Promotion(0, 0, 0, is_outdated=True)
    assert certified(admin) == before


def stage_late_tick(connection: Connection) -> None:
    changes = "tick_count = 4, ts_last_tick = ts_last_tick + interval '1 s'"
    connection.execute(f"UPDATE staging.bar_1m SET {changes} WHERE ts_start = %s AND symbol = 'A'".encode(), (OPEN,))


def test_bar_that_changed_while_it_was_restated_is_left_alone_and_noted(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, RIGHT, symbols=("A",))
    stage_late_tick(admin)
    assert changes(promoted(database, number, symbols=("A",))) == CHANGES
    assert certified(admin)[0] == ("A", 0, 11, 100, "passed", 2, "restatement"), "it went through the gate as it was"
    staged = "SELECT tick_count, restatement_id IS NULL FROM staging.bar_1m WHERE symbol = 'A' ORDER BY ts_start LIMIT 1"
    assert admin.execute(staged).fetchall() == [(4, True)]
    assert admin.execute("SELECT symbol, ts_start FROM staging.torn_bar").fetchall() == [("A", OPEN)]
    promoted(database, restate(database, admin, RIGHT, symbols=("A",)), symbols=("A",))
    assert admin.execute("SELECT count(*) FROM staging.torn_bar").fetchone() == (0,)


def test_bar_of_an_exchange_that_the_vendor_brings_late_is_open_for_longer(database: Settings, admin: Connection) -> None:
    admin.execute(
        "INSERT INTO reference.vendor_instrument (symbol, instrument_type, delay_s, source, ts_recv) "
        "VALUES ('A', 'EQUITY', 900, 'yahoo', %s)",
        (OPEN,),
    )
    until = OPEN + timedelta(minutes=3, seconds=899)
    number = restate(database, admin, {0: {}, 1: {}, 2: {"tick_count": 1}}, symbols=("A",))
    assert changes(promoted(database, number, symbols=("A",), until=until)) == []
    assert changes(promoted(database, number, symbols=("A",), until=until + timedelta(seconds=1))) == [("A", 2, "changed")]


def test_version_in_quarantine_that_is_staged_no_more_goes(database: Settings, admin: Connection) -> None:
    admin.execute("UPDATE staging.bar_1m SET tick_count = 3, high = 10.5 WHERE ts_start = %s AND symbol = 'A'", (OPEN,))
    gate(database)
    assert admin.execute("SELECT rules FROM quality.quarantine").fetchall() == [("high_is_highest",)]
    assert changes(promoted(database, restate(database, admin, {0: {}, 1: {}, 2: {}}, symbols=("A",)), symbols=("A",))) == []
    assert admin.execute("SELECT count(*) FROM quality.quarantine").fetchone() == (0,)


def test_session_that_is_protected_meanwhile_is_not_promoted(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, RIGHT, symbols=("A",))
    with connect(database.dsn("gate_owner")) as connection:
        protect(connection, DAY, "audited", now=EVENING)
    before = certified(admin)
    with pytest.raises(SessionProtected):
        promoted(database, number, symbols=("A",))
    assert certified(admin) == before


def test_blocked_restatement_changes_nothing_but_says_so(database: Settings, admin: Connection) -> None:
    wrong = {minute: {"tick_count": 0 if minute < 10 else 2} for minute in range(30)}
    before = certified(admin), admin.execute("SELECT * FROM staging.bar_1m ORDER BY symbol, ts_start").fetchall()
    outcome = promoted(database, restate(database, admin, wrong, symbols=("A",)), symbols=("A",))
    assert isinstance(outcome, Judgement)
    assert outcome.blocking == ("quarantine_share",)
    assert (certified(admin), admin.execute("SELECT * FROM staging.bar_1m ORDER BY symbol, ts_start").fetchall()) == before


def test_crash_before_the_end_of_a_promotion_leaves_everything(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, RIGHT, symbols=("A",))
    before = certified(admin)
    with pytest.raises(psycopg.OperationalError), connect(database.dsn("gate_owner")) as connection:
        promote_restated(connection, number, asked_for(connection, ("A",)), closed_until=EVENING, by=Promoter("dies", "v2", LATER))
        admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        connection.execute("SELECT 1")
    assert certified(admin) == before
    assert admin.execute("SELECT count(*) FROM staging.bar_1m WHERE restatement_id IS NOT NULL").fetchone() == (0,)
    assert len(changes(promoted(database, number, symbols=("A",)))) == 3


def test_restatement_whose_bars_were_forgotten_is_not_promoted(database: Settings, admin: Connection) -> None:
    number = restate(database, admin, RIGHT, symbols=("A",))
    restate(database, admin, RIGHT, symbols=("A",))
    with pytest.raises(psycopg.errors.RaiseException, match=f"restatement {number} is failed, not finished"):
        promoted(database, number, symbols=("A",))
    assert ledger(admin) == [("failed", False), ("running", False)]


def test_protected_session_is_refused_until_it_is_free_again(database: Settings, admin: Connection) -> None:
    with connect(database.dsn("gate_owner")) as connection:
        protect(connection, DAY, "audited", now=EVENING)
        with pytest.raises(SessionProtected, match=r"2026-11-20 is protected from restatement since 2026-11-21 02:30Z: audited\."):
            require_unprotected(connection, DAY)
        assert lift(connection, DAY)
        require_unprotected(connection, DAY)
        assert not lift(connection, DAY)


@pytest.mark.parametrize("role", ["flink_writer", "feed_writer", "api_reader"])
def test_only_the_gate_takes_restated_bars_over(database: Settings, admin: Connection, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(database.dsn(role)) as connection:
        connection.execute("SELECT * FROM staging.take_over_restated(1, %s)", (EVENING,))
