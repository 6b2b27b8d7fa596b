"""A session restated from the vendor's history: a server under Yahoo's names, a real Postgres, the gate's own rules.

The vendor's answers and all expected values are made by hand. Ticks: test_promoted_restatements."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.adapters.processes import Supervisor
from stock_platform.commands.passport import document, passport_of, report, verdict, verified
from stock_platform.commands.restate import Order, compared
from stock_platform.commands.restate import promoted as asked_of_dagster
from stock_platform.commands.restate import report as restate_report
from stock_platform.config import Settings
from stock_platform.errors import PlatformError, TapeUnreadable
from stock_platform.errors.passport import AnswerNotKept
from stock_platform.errors.restatement import (
    FeedUnheard,
    RunNotGranted,
    SessionNotBegun,
    SessionProtected,
    SessionTicksMissing,
    SessionUnknown,
    SymbolsUnknown,
    VendorHasNone,
    VendorNotAsked,
)
from stock_platform.gate.desk import Review, override
from stock_platform.gate.pending import pending_sessions
from stock_platform.gate.refused import sheet_of
from stock_platform.market import shadow
from stock_platform.market.asked import Stretch, read_asked
from stock_platform.market.comparison import compare
from stock_platform.market.protection import protect
from stock_platform.repair.restating import Outcome, Promoted, Promoter, promote_restated
from stock_platform.repair.restating_from_vendor import compare_with_vendor, restate_from_vendor, restate_session
from stock_platform_tests.broker import Broker, empty_topics, running_broker
from stock_platform_tests.integration.test_yahoo_vendor import EVENING, StandingClock
from stock_platform_tests.staged import DAY, OPEN, run_gate, stage
from stock_platform_tests.vendor_history import MINUTE, History, certify, settings_over, stretch
from stock_platform_tests.vendor_server import VendorServer, vendor_server

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        certify(connection, database)
        yield connection
        connection.execute("TRUNCATE ops.feed_line")


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def vendor(history: History, tmp_path: Path) -> Iterator[VendorServer]:
    with vendor_server(history.answer, tmp_path) as server:
        yield server


@pytest.fixture
def settings(database: Settings, vendor: VendorServer, admin: Connection, tmp_path: Path) -> Settings:
    return settings_over(database, tmp_path)


def restated(settings: Settings, *stretches: Stretch, until: datetime | None = EVENING, run_id: str = "repair") -> Promoted:
    return restate_from_vendor(settings, StandingClock(), DAY, stretches, closed_until=until, run_id=run_id, code_version="c0de")


def certified(connection: Connection, minute: int) -> tuple[Any, ...] | None:
    return connection.execute(
        "SELECT open, high, low, close, volume, vwap, tick_count, verdict, revision FROM market.bar_1m WHERE ts_start = %s",
        (OPEN + minute * MINUTE,),
    ).fetchone()


def changes(done: Promoted) -> list[tuple[int, str]]:
    return [((each.ts_start - OPEN) // MINUTE, each.change) for each in done.outcome.difference.changes]


def rows_but(connection: Connection, *minutes: int) -> list[Any]:
    """Everything of every other minute, in staging and market, to the byte."""
    others = [OPEN + minute * MINUTE for minute in minutes]
    queries = [
        f"SELECT bar::text FROM {table} AS bar WHERE ts_start <> ALL (%s) ORDER BY ts_start"
        for table in ("staging.bar_1m", "market.bar_1m", "market.bar_1m_revision")
    ]
    return [connection.execute(query, (others,)).fetchall() for query in queries]  # type: ignore[arg-type]


def as_prices(*values: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


def test_minute_nobody_heard_is_filled_and_a_torn_one_replaced_and_no_other_touched(settings: Settings, admin: Connection) -> None:
    before = rows_but(admin, 2, 3)

    done = restated(settings, stretch(2, 3), run_id="with-a-page")

    of_vendor = (*as_prices("10.5", "12", "10.5", "11.5"), 90, None, 0, "vendor")
    assert certified(admin, 2) == (*of_vendor, 2)
    assert certified(admin, 3) == (*of_vendor, 1)
    assert rows_but(admin, 2, 3) == before, "the vendor says something else of every minute"
    assert changes(done) == [(2, "changed"), (3, "added")]
    assert done.done.ticks_from.startswith("yahoo's 1m history, fetched at 2026-11-20 22:00:0")
    assert done.done.comparison.count("removed") == 0
    page = admin.execute("SELECT page FROM quality.validation_page WHERE dagster_run_id = 'with-a-page'").fetchone()
    assert page is not None
    assert "2 of 2 bars certified, 0 refused." in page[0]


def test_volumes_behind_a_replaced_minute_stay(settings: Settings, admin: Connection) -> None:
    """Minute 1 ends at a cumulative volume of 200; minute 2 is 300 - 200 whatever the vendor says of minute 1."""
    restated(settings, stretch(1, 1))
    volumes = admin.execute("SELECT volume FROM market.bar_1m ORDER BY ts_start").fetchall()
    assert volumes == [(100,), (90,), (100,), (200,), (100,)], "minute 4's includes what was traded in minute 3"


def test_same_answer_again_is_an_empty_diff(settings: Settings, admin: Connection) -> None:
    restated(settings, stretch(0, 5))
    before = rows_but(admin)
    again = restated(settings, stretch(0, 5), run_id="again")
    assert changes(again) == []
    assert rows_but(admin) == before


def test_what_the_vendor_says_otherwise_later_is_a_revision(settings: Settings, history: History, admin: Connection) -> None:
    restated(settings, stretch(2, 3))
    history.minutes[3] = (10.5, 12.0, 10.5, 11.0, 95)
    assert changes(restated(settings, stretch(2, 3), run_id="again")) == [(3, "changed")]
    assert certified(admin, 3) == (*as_prices("10.5", "12", "10.5", "11"), 95, None, 0, "vendor", 2)


def test_minute_without_a_usable_bar_of_the_vendor_stays(settings: Settings, history: History, admin: Connection) -> None:
    """No row at all; and an edge: the first and last minute come without their volume."""
    del history.minutes[1]
    history.minutes[0] = (10.5, 12.0, 10.5, 11.5, 0)
    before = rows_but(admin, 2)
    assert changes(restated(settings, stretch(0, 2))) == [(2, "changed")]
    assert rows_but(admin, 2) == before


def test_held_row_of_the_vendor_is_never_promoted(settings: Settings, history: History, admin: Connection) -> None:
    """Minutes 2 and 3 a hundred times too high, and minute 4 with its high below its close."""
    for minute in (2, 3):
        history.minutes[minute] = (1050.0, 1200.0, 1025.0, 1150.0, 90)
    history.minutes[4] = (10.5, 11.0, 10.5, 11.5, 90)
    before = rows_but(admin)
    assert changes(restated(settings, stretch(2, 4))) == []
    assert rows_but(admin) == before
    rules = admin.execute("SELECT rules FROM staging.vendor_bar_1m ORDER BY ts_start").fetchall()
    assert rules == [(None,), (None,), ("vendor_unit",), ("vendor_unit",), ("vendor_ohlc_order",), (None,)]


def test_run_in_another_unit_is_told_by_our_own_level(settings: Settings, history: History, admin: Connection) -> None:
    """All the vendor's minutes are in hundredths: only our close of 11 says that they are wrong, not a single neighbour."""
    history.minutes = dict.fromkeys(range(6), (0.105, 0.12, 0.1025, 0.115, 90))
    before = rows_but(admin)
    assert changes(restated(settings, stretch(0, 5))) == []
    assert rows_but(admin) == before
    assert admin.execute("SELECT DISTINCT rules FROM staging.vendor_bar_1m").fetchall() == [("vendor_unit",)]


def test_open_minutes_are_left_to_the_stream(settings: Settings) -> None:
    assert changes(restated(settings, stretch(0, 5), until=OPEN + 2 * MINUTE)) == [(0, "changed"), (1, "changed")]


def test_split_that_came_since_is_undone(settings: Settings, history: History, admin: Connection) -> None:
    """7:1 with ex-date on the Monday after: the vendor shows 1/7 of the prices and 7 times the volume."""
    monday = DAY + timedelta(days=3)
    admin.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, 'split', 7, NULL, 'USD', 'yahoo', %s)", (monday, EVENING)
    )
    admin.execute(
        "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)",
        (monday, *(OPEN + timedelta(days=3, hours=hours) for hours in (0, 6.5, -5.5, 10.5))),
    )
    history.minutes[2] = (1.5, 1.625, 1.5, 1.5625, 707)
    late = StandingClock()
    late.at = OPEN + timedelta(days=3, hours=-5)
    restate_from_vendor(settings, late, DAY, [stretch(2, 2)], closed_until=EVENING, run_id="repair", code_version="c0de")
    assert certified(admin, 2) == (*as_prices("10.5", "11.375", "10.5", "10.9375"), 101, None, 0, "vendor", 2)


def test_split_that_the_vendor_could_not_know_is_not_undone(settings: Settings, admin: Connection) -> None:
    tomorrow = DAY + timedelta(days=1)
    admin.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, 'split', 7, NULL, 'USD', 'yahoo', %s)", (tomorrow, EVENING)
    )
    restated(settings, stretch(2, 2))
    assert certified(admin, 2) == (*as_prices("10.5", "12", "10.5", "11.5"), 90, None, 0, "vendor", 2)


def test_bar_that_the_gate_doubts_is_suspect(settings: Settings, history: History, admin: Connection) -> None:
    """14 is more than 10 % above the median close of 11."""
    history.minutes[4] = (10.5, 14.0, 10.5, 11.5, 90)
    restated(settings, stretch(4, 4))
    assert certified(admin, 4) == (*as_prices("10.5", "14", "10.5", "11.5"), 90, None, 0, "suspect", 2)


def test_gate_has_nothing_left_to_do_behind_it(settings: Settings, database: Settings, admin: Connection) -> None:
    restated(settings, stretch(0, 5))
    assert pending_sessions(admin, LONG_AGO) == []
    assert run_gate(database, "stream again").inserted == 0


def test_restatement_from_ticks_leaves_the_vendors_bars_where_it_has_none(settings: Settings, admin: Connection) -> None:
    """Nobody heard minute 3, so its ticks are nowhere; the restatement gives all others as they were."""
    restated(settings, stretch(3, 3))
    with connect(settings.dsn("gate_owner")) as connection:
        asked = read_asked(connection, DAY, ["A"])
        number = shadow.begin(connection, asked, now=SystemClock().now())
    copied = "symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first, "
    copied += "day_volume_last, price_first, notional_inside, source, kafka_partition, kafka_offset_first, kafka_offset_last, "
    copied += "flink_job_id, is_continuous"
    select = f"INSERT INTO staging.bar_1m_restated (restatement_id, {copied}) SELECT %s, {copied} FROM staging.bar_1m"
    admin.execute(f"{select} WHERE response_path IS NULL".encode(), (number,))
    with connect(settings.dsn("gate_owner")) as connection:
        shadow.keep_session(connection, number, asked)
        assert compare(connection, number, asked, closed_until=EVENING).bars["kind"].to_list() == []
        outcome = promote_restated(connection, number, asked, closed_until=EVENING, by=Promoter("ticks", "v2", EVENING))
    assert isinstance(outcome, Outcome)
    assert outcome.difference.changes == ()


def test_late_tick_of_the_stream_does_not_replace_the_vendors_bar(settings: Settings, admin: Connection) -> None:
    restated(settings, stretch(2, 3))
    staged = admin.execute("SELECT bar::text FROM staging.bar_1m AS bar ORDER BY ts_start").fetchall()
    stage(admin, 3, first=350, last=400)
    assert admin.execute("SELECT bar::text FROM staging.bar_1m AS bar ORDER BY ts_start").fetchall() == staged


def test_passport_of_a_bar_of_the_vendor_names_its_answer_which_still_says_so(settings: Settings, admin: Connection) -> None:
    restated(settings, stretch(2, 2))
    found = passport_of(settings, "A", OPEN + 2 * MINUTE)
    path = found.current.response_path
    assert path is not None
    assert path.startswith("vendor/raw/2026-11-20/220000-A-1m-")
    assert (found.current.verdict, found.flink_job, found.current.kafka_partition) == ("vendor", None, None)
    assert [each.verdict for each in found.revisions] == ["passed", "vendor"]
    lines = list(report(found, EVENING))
    assert lines[4:6] == ["ticks      none: taken from yahoo's history", f"answer     {path}"]
    assert document(found, None)["current"]["response_path"] == path

    checked = verified(settings, found)

    assert checked.is_equal
    assert list(verdict(checked)) == [
        f"verified   against the vendor's raw answer {path}",
        "           open                   10.5                       equal",
        "           high                   12                         equal",
        "           low                    10.5                       equal",
        "           close                  11.5                       equal",
        "           volume                 90                         equal",
        "           the vendor's answer gives this bar",
    ]


def test_bar_of_the_vendor_is_held_against_staging_when_its_answer_is_gone(settings: Settings, admin: Connection) -> None:
    restated(settings, stretch(2, 2))
    found = passport_of(settings, "A", OPEN + 2 * MINUTE)
    (settings.home / str(found.current.response_path)).unlink()
    checked = verified(settings, found)
    assert checked.is_equal
    assert next(verdict(checked)).startswith("verified   against staging.vendor_bar_1m, for vendor/raw/")
    admin.execute("UPDATE market.bar_1m SET close = 11 WHERE ts_start = %s", (found.ts_start,))
    changed = verified(settings, passport_of(settings, "A", found.ts_start))
    assert [field.name for field in changed.fields if not field.is_equal] == ["close"]
    admin.execute("UPDATE staging.vendor_bar_1m SET response_path = 'later'")
    with pytest.raises(AnswerNotKept, match="has the minute from a later answer"):
        verified(settings, found)


def test_bar_of_the_vendor_that_the_gate_refuses_can_be_seen_and_overruled_at_the_desk(
    settings: Settings, database: Settings, admin: Connection
) -> None:
    restated(settings, stretch(3, 3))
    at = OPEN + 3 * MINUTE
    admin.execute("ALTER TABLE staging.bar_1m DISABLE TRIGGER keep_larger_bar")
    admin.execute("UPDATE staging.bar_1m SET volume_stated = -1 WHERE ts_start = %s", (at,))
    admin.execute("ALTER TABLE staging.bar_1m ENABLE TRIGGER keep_larger_bar")
    assert run_gate(database, "refuses").quarantined == 1
    with connect(database.dsn("gate_owner")) as connection:
        sheet = sheet_of(connection, "A", at)
        assert (list(sheet.bar.broken), sheet.changes, sheet.bar.values["kafka_partition"]) == (["volume_not_negative"], {}, None)
        review = Review("A", at, "as the vendor has it", "test", dagster_run_id="desk", code_version="v", ts_decided=EVENING)
        assert override(connection, review).verdict == "suspect"
    bar = admin.execute("SELECT verdict, volume, response_path IS NOT NULL FROM market.bar_1m WHERE ts_start = %s", (at,))
    assert bar.fetchall() == [("suspect", -1, True)]


def test_what_cannot_be_restated_is_refused_before_the_vendor_is_asked(
    settings: Settings, vendor: VendorServer, admin: Connection
) -> None:
    with pytest.raises(FeedUnheard):
        restated(settings, stretch(0, 1), until=None)
    with pytest.raises(SymbolsUnknown):
        restated(settings, stretch(0, 1, symbol="B"))
    with pytest.raises(VendorNotAsked, match="profile tape plays a tape"):
        restated(settings.model_copy(update={"feed_kind": "tape", "profile": "tape"}), stretch(0, 1))
    with connect(settings.dsn("gate_owner")) as connection:
        protect(connection, date(2026, 11, 20), "audited", now=EVENING)
    with pytest.raises(SessionProtected):
        restated(settings, stretch(0, 1))
    assert vendor.asked == []


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as started, empty_topics(started.bootstrap):
        yield started


def with_broker(settings: Settings, broker: Broker) -> Settings:
    return settings.model_copy(update={"kafka_port": int(broker.bootstrap.rsplit(":")[-1])})


def session(settings: Settings, broker: Broker, **options: Any) -> Promoted:
    facts = {"closed_until": EVENING, "run_id": "restatement", "code_version": "c0de"}
    return restate_session(with_broker(settings, broker), StandingClock(), DAY, **facts, **options)


def test_session_that_neither_topic_nor_archive_has_comes_from_the_vendor(
    settings: Settings, broker: Broker, admin: Connection
) -> None:
    done = session(settings, broker)
    assert done.done.ticks_from.startswith("yahoo's 1m history, fetched at 2026-11-20 22:00")
    assert changes(done) == [(0, "changed"), (1, "changed"), (2, "changed"), (3, "added"), (4, "changed"), (5, "changed")]
    verdicts = admin.execute("SELECT verdict, count(*) FROM market.bar_1m GROUP BY 1").fetchall()
    assert verdicts == [("vendor", 6)]
    ledger = admin.execute("SELECT symbols, state, is_promoted, is_partial, dagster_run_id, ticks_from FROM ops.restatement")
    assert ledger.fetchall() == [(None, "finished", True, True, "restatement", done.done.ticks_from)]


def test_session_that_no_source_has_is_refused_with_all_three_reasons(
    settings: Settings, broker: Broker, history: History, admin: Connection
) -> None:
    before = rows_but(admin)
    history.minutes = dict.fromkeys(range(6), (1050.0, 1200.0, 1025.0, 1150.0, 90))
    with pytest.raises(SessionTicksMissing) as refused:
        session(settings, broker)
    assert "the topic has no tick of its time or later, and there is no archive" in str(refused.value)
    assert "The vendor does not stand in: Session 2026-11-20 cannot be taken from yahoo's history" in str(refused.value)
    assert ledger_of(admin) == [("failed", False, str(refused.value), "restatement")]
    assert rows_but(admin) == before


def test_vendor_that_has_no_bar_fails_before_anything_is_promoted(settings: Settings, history: History, admin: Connection) -> None:
    history.minutes = dict.fromkeys(range(6), (1050.0, 1200.0, 1025.0, 1150.0, 90))
    before = rows_but(admin)
    facts = {"closed_until": EVENING, "run_id": "restatement", "code_version": "c0de"}
    with pytest.raises(VendorHasNone) as refused:
        restate_session(settings, StandingClock(), DAY, from_vendor=True, **facts)
    assert ledger_of(admin) == [("failed", False, str(refused.value), "restatement")]
    assert rows_but(admin) == before


def ledger_of(connection: Connection) -> list[tuple[Any, ...]]:
    query = "SELECT state, is_promoted, last_error, dagster_run_id FROM ops.restatement ORDER BY restatement_id"
    return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("order", "error", "sentence"),
    [
        (Order(date(1999, 1, 4)), SessionUnknown, "has a session on 1999-01-04; known sessions go from 2026-11-20 to 2026-11-23"),
        (Order(date(2026, 11, 23)), SessionNotBegun, r"2026-11-23 cannot be restated: it begins at 2026-11-23 14:30Z\. Choose"),
        (Order(DAY, "A,B"), SymbolsUnknown, "is known of B; expected some of A"),
        (Order(DAY, tape="/nope.parquet"), TapeUnreadable, "Tape /nope.parquet cannot be read"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("act", [compared, asked_of_dagster])
def test_command_refuses_what_cannot_go_before_a_run_is_asked_for(
    act: Callable[..., Iterator[str]],
    order: Order,
    error: type[PlatformError],
    sentence: str,
    settings: Settings,
    broker: Broker,
    admin: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stack without Dagster: whoever asked it would say that it does not answer."""
    monkeypatch.setattr(Supervisor, "alive", lambda _: True)
    hear_until_evening(admin)
    there = with_broker(settings, broker).model_copy(update={"dagster_port": 9})
    with pytest.raises(error, match=sentence):
        list(act(there, StandingClock(), order))
    assert ledger_of(admin) == []
    with pytest.raises(RunNotGranted, match="did not run restate_session: no answer"):
        list(asked_of_dagster(there, StandingClock(), Order(DAY)))


def hear_until_evening(connection: Connection) -> None:
    """A feed line that is done with the session; the next session is known."""
    connection.execute(
        "INSERT INTO reference.session SELECT calendar, session_date + 3, ts_open + %(day)s, ts_close + %(day)s, ts_pre + %(day)s, "
        "ts_post_end + %(day)s, NULL, NULL, FALSE FROM reference.session",
        {"day": timedelta(days=3)},
    )
    connection.execute("TRUNCATE ops.feed_line")
    connection.execute(
        "INSERT INTO ops.feed_line (line, dagster_run_id, source, state, ts_started, ts_heartbeat, ts_clock, tick_count, "
        "reject_count, shard) VALUES ('line-0', 'run', 'yahoo', 'running', %(at)s, %(at)s, %(at)s, 0, 0, 0)",
        {"at": EVENING},
    )


def test_vendor_is_asked_at_once_when_a_person_wants_it(settings: Settings, admin: Connection) -> None:
    """No Kafka is there: it is not looked at."""
    facts = {"closed_until": EVENING, "run_id": "restatement", "code_version": "c0de"}
    done = restate_session(settings, StandingClock(), DAY, ["A"], from_vendor=True, **facts)
    assert len(changes(done)) == 6
    only_shown = compare_with_vendor(settings, StandingClock(), DAY, ["A"], closed_until=EVENING)
    assert only_shown.comparison.bars.is_empty()
    assert ledger_of(admin) == [("finished", True, None, "restatement"), ("finished", False, None, None)]
    shown = list(restate_report(only_shown))
    assert shown[1].startswith("source    yahoo's 1m history, fetched at 2026-11-20 22:00")
