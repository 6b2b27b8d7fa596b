"""The quarantine desk on a real Postgres: what a reviewer sees, releases, overrides and discards; by hand, by run, by command."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.commands.quarantine import app
from stock_platform.config import Settings
from stock_platform.contracts.bar import QuarantineState
from stock_platform.defs.aggregate_registry import EVERY_RUN
from stock_platform.defs.review import review_quarantine, run_config
from stock_platform.defs.world import World
from stock_platform.errors.quarantine import (
    BarDiscarded,
    BarNotQuarantined,
    BarNotStaged,
    BarStillBroken,
    ReasonMissing,
    RuleNotOverridable,
    RuleUnknown,
)
from stock_platform.gate import desk
from stock_platform.gate.batch import read_bar, read_batch
from stock_platform.gate.desk import Outcome, Review, as_suspect
from stock_platform.gate.judge import judge
from stock_platform.gate.pending import pending_sessions
from stock_platform.gate.promote import Promotion, lock_promotions, promote
from stock_platform.gate.refused import Wanted, listed, sheet_of
from stock_platform_tests.staged import DAY, EVENING, OPEN, empty_market, run_gate, stage

LATER = EVENING + timedelta(hours=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
TOO_LOW = {"high": Decimal("10.5")}
"""A high below the close of 11, and below the VWAP of 10.666667: breaks high_is_highest and vwap_not_above_high."""
TOO_NEW = {"ts_last_tick": OPEN + timedelta(seconds=61)}
"""A tick of the next minute: breaks ticks_not_after_end, which a person may overrule."""


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """An empty market of one symbol, with one session."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE aggregates.bar_5m, aggregates.bar_15m, aggregates.bar_1h, aggregates.bar_1d")
        connection.execute("TRUNCATE aggregates.session_stat")
        yield connection


def review(run_id: str = "review-1", *, minute: int = 0, reason: str = "seen on the tape") -> Review:
    return Review("A", OPEN + timedelta(minutes=minute), reason, "ann", run_id, "v2", LATER)


def release(database: Settings, asked: Review) -> Outcome:
    with connect(database.dsn("gate_owner")) as connection:
        return desk.release(connection, asked)


def override(database: Settings, asked: Review) -> Outcome:
    with connect(database.dsn("gate_owner")) as connection:
        return desk.override(connection, asked)


def discard(database: Settings, asked: Review) -> Outcome:
    with connect(database.dsn("gate_owner")) as connection:
        return desk.discard(connection, asked)


def rows(admin: Connection, query: str) -> list[tuple[Any, ...]]:
    return admin.execute(query).fetchall()  # type: ignore[arg-type]


def states(admin: Connection) -> list[tuple[Any, ...]]:
    return rows(admin, "SELECT state, rules, dagster_run_id FROM quality.quarantine ORDER BY ts_start")


def decisions(admin: Connection) -> list[tuple[Any, ...]]:
    return rows(admin, "SELECT decision, rules, dagster_run_id, tick_count FROM quality.quarantine_decision ORDER BY ts_decided")


# --- release ---


def test_release_waits_for_the_mended_bar_and_then_promotes_it_as_the_gate_would(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    assert run_gate(database, "run-1") == Promotion(0, 0, 1)

    with pytest.raises(BarStillBroken, match=r"high_is_highest .*vwap_not_above_high .*no override"):
        release(database, review())
    assert states(admin) == [("open", "high_is_highest,vwap_not_above_high", "run-1")]
    assert decisions(admin) == []

    stage(admin, 0, first=100, last=300, tick_count=3)
    done = release(database, review())

    assert (done.decision, done.session_date, done.rules, done.verdict) == ("released", DAY, "", "passed")
    assert done.promotion == Promotion(1, 0, 0)
    assert rows(admin, "SELECT high, volume, vwap, verdict, revision, dagster_run_id, ts_accepted FROM market.bar_1m") == [
        # 0 → 100 at 10, 100 → 300 at 11
        (Decimal("11.000000"), 300, Decimal("10.666667"), "passed", 1, "review-1", LATER)
    ]
    assert rows(admin, "SELECT revision, ts_valid_from, ts_valid_to FROM market.bar_1m_revision") == [(1, LATER, None)]
    assert states(admin) == []
    assert run_gate(database, "run-2") == Promotion(0, 0, 0)


def test_audit_row_says_who_decided_what_on_which_content(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")
    stage(admin, 0, first=100, last=300, tick_count=3)
    release(database, review())
    query = (
        "SELECT symbol, ts_start, decision, reason, decided_by, dagster_run_id, rules, ts_decided, session_date, open, high, low, "
        "close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, is_continuous FROM quality.quarantine_decision"
    )
    assert rows(admin, query) == [
        (
            *("A", OPEN, "released", "seen on the tape", "ann", "review-1", "", LATER, DAY),
            *(Decimal(10), Decimal(11), Decimal(10), Decimal(11), 300, Decimal("10.666667"), 3),
            *(OPEN, OPEN + timedelta(seconds=30), True),
        )
    ]


def test_checks_of_a_release_are_kept_under_its_run(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    override(database, review())
    failed = "SELECT check_name, failed_count FROM quality.check_result WHERE dagster_run_id = 'review-1' AND NOT is_passed"
    assert rows(admin, failed) == [("ticks_not_after_end", 1)]


def test_bar_whose_session_was_missing_is_released_once_the_calendar_has_it(database: Settings, admin: Connection) -> None:
    admin.execute("TRUNCATE reference.session")
    stage(admin, 0, first=100, last=300)
    assert run_gate(database, "run-1") == Promotion(0, 0, 1)
    day, close = date(2026, 11, 19), OPEN + timedelta(hours=6)
    session = "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)"
    admin.execute(session, (day, OPEN, close, OPEN, close))

    # Its content is as it was, so that no gate run judges it again; its session is another.
    with connect(database.dsn("gate_owner")) as connection:
        assert read_batch(connection, day, EVENING).bars.is_empty()
    assert release(database, review()).session_date == day
    assert rows(admin, "SELECT session_date, verdict FROM market.bar_1m") == [(day, "passed")]


def test_bar_that_left_or_never_came_or_is_not_staged_cannot_be_released(database: Settings, admin: Connection) -> None:
    with pytest.raises(BarNotQuarantined, match=r"A 2026-11-20T14:30Z is not in quarantine\. "):
        release(database, review())
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    override(database, review())
    with pytest.raises(BarNotQuarantined, match="it was overridden by ann at 2026-11-21 03:30:00Z: seen on the tape"):
        release(database, review("review-2"))
    stage(admin, 1, first=400, last=500, **TOO_LOW)
    run_gate(database, "run-2")
    admin.execute("TRUNCATE staging.bar_1m")
    with pytest.raises(BarNotStaged, match="Discard it"):
        release(database, review("review-3", minute=1))


def test_decision_without_a_reason_or_an_author_is_refused(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    with pytest.raises(ReasonMissing, match="has no reason"):
        override(database, review(reason=" "))
    with pytest.raises(ReasonMissing, match="has no author"):
        discard(database, replace(review(), decided_by=""))
    assert states(admin) == [("open", "ticks_not_after_end", "run-1")]


# --- override ---


def test_override_promotes_a_bar_that_breaks_a_rule_as_suspect_and_keeps_the_revision_before(
    database: Settings, admin: Connection
) -> None:
    stage(admin, 0, first=100, last=300)
    assert run_gate(database, "run-1") == Promotion(1, 0, 0)
    stage(admin, 0, first=100, last=350, tick_count=3, **TOO_NEW)
    assert run_gate(database, "run-2") == Promotion(0, 0, 1)
    with pytest.raises(BarStillBroken, match=r"ticks_not_after_end .*--override"):
        release(database, review())

    done = override(database, review())

    assert (done.decision, done.verdict, done.promotion) == ("overridden", "suspect", Promotion(0, 1, 0))
    assert rows(admin, "SELECT volume, vwap, verdict, revision, dagster_run_id FROM market.bar_1m") == [
        # 0 → 100 at 10, 100 → 350 at 11
        (350, Decimal("10.714286"), "suspect", 2, "review-1")
    ]
    query = "SELECT revision, volume, verdict, ts_valid_to FROM market.bar_1m_revision ORDER BY revision"
    assert rows(admin, query) == [(1, 300, "passed", LATER), (2, 350, "suspect", None)]
    assert decisions(admin) == [("overridden", "ticks_not_after_end", "review-1", 3)]
    assert run_gate(database, "run-3") == Promotion(0, 0, 0)
    assert states(admin) == []


def test_override_of_a_bar_that_passes_now_is_a_release(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    stage(admin, 0, first=100, last=300, tick_count=3)
    done = override(database, review())
    assert (done.decision, done.verdict, done.rules) == ("released", "passed", "")


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("high_is_highest", TOO_LOW),
        ("low_is_lowest", {"low": Decimal("10.5")}),
        ("price_positive", {"low": Decimal("0")}),
    ],
)
def test_bar_that_the_market_cannot_hold_is_never_overridden(
    database: Settings, admin: Connection, rule: str, changes: dict[str, Any]
) -> None:
    stage(admin, 0, first=100, last=300, **changes)
    run_gate(database, "run-1")
    with pytest.raises(RuleNotOverridable, match=rule):
        override(database, review())
    assert rows(admin, "SELECT count(*) FROM market.bar_1m") == [(0,)]
    assert decisions(admin) == []
    assert [state for state, *_ in states(admin)] == ["open"]


@pytest.mark.parametrize("changes", [TOO_LOW, {"low": Decimal("10.5")}])
def test_order_of_prices_is_the_databases_own_law(database: Settings, admin: Connection, changes: dict[str, Any]) -> None:
    stage(admin, 0, first=100, last=300, **changes)
    with connect(database.dsn("gate_owner")) as connection:
        batch = read_bar(connection, "A", OPEN)
        assert batch is not None
        with pytest.raises(psycopg.errors.CheckViolation):
            promote(connection, as_suspect(judge(batch)), dagster_run_id="run-1", code_version="v1", now=EVENING)
        connection.rollback()


# --- discard ---


def test_discarded_bar_stays_so_through_gate_runs_and_reopens_with_a_newer_version(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")

    done = discard(database, review())

    assert (done.decision, done.verdict, done.promotion) == ("discarded", None, Promotion(0, 0, 0))
    broken = "high_is_highest,vwap_not_above_high"
    assert decisions(admin) == [("discarded", broken, "review-1", 2)]
    assert pending_sessions(admin, LONG_AGO) == []
    assert run_gate(database, "run-2") == Promotion(0, 0, 0)
    assert states(admin) == [("discarded", broken, "run-1")]
    with pytest.raises(BarDiscarded, match="it was discarded by ann"):
        discard(database, review("review-2"))

    stage(admin, 0, first=100, last=300, tick_count=3, **TOO_LOW)
    assert [each.session_date for each in pending_sessions(admin, LONG_AGO)] == [DAY]
    assert run_gate(database, "run-3") == Promotion(0, 0, 1)
    assert states(admin) == [("open", broken, "run-3")]
    assert rows(admin, "SELECT count(*) FROM market.bar_1m") == [(0,)]


def test_discarded_bar_whose_newer_version_passes_is_certified(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")
    discard(database, review())
    stage(admin, 0, first=100, last=300, tick_count=3)
    assert run_gate(database, "run-2") == Promotion(1, 0, 0)
    assert states(admin) == []


def test_discarded_bar_can_be_released_after_all(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    discard(database, review())
    with connect(database.dsn("gate_owner")) as connection:
        desk.override(connection, replace(review("review-2"), ts_decided=LATER + timedelta(minutes=1)))
    assert [decision for decision, *_ in decisions(admin)] == ["discarded", "overridden"]
    assert states(admin) == []


# --- beside the gate ---


@pytest.mark.parametrize(
    ("decide", "left"), [(discard, [("discarded", "ticks_not_after_end", "run-1")]), (override, [])], ids=["discard", "override"]
)
def test_gate_run_that_read_before_a_decision_does_not_undo_it(
    database: Settings, admin: Connection, decide: Any, left: list[tuple[str, ...]]
) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    with connect(database.dsn("gate_owner")) as connection:
        slow = judge(read_batch(connection, DAY, EVENING))
    run_gate(database, "run-1")
    decide(database, review())

    with connect(database.dsn("gate_owner")) as connection:
        promote(connection, slow, dagster_run_id="run-1", code_version="v1", now=LATER)
    assert states(admin) == left


def test_decision_waits_while_a_gate_run_promotes(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")
    with connect(database.dsn("gate_owner")) as gate, connect(database.dsn("gate_owner")) as reviewer:
        lock_promotions(gate)
        reviewer.execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            desk.discard(reviewer, review())
        reviewer.rollback()
    assert discard(database, review()).decision == "discarded"


# --- the audit ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE quality.quarantine_decision SET reason = 'another'",
        "DELETE FROM quality.quarantine_decision",
        "TRUNCATE quality.quarantine_decision",
    ],
)
def test_decisions_are_added_and_never_changed(database: Settings, admin: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(database.dsn("gate_owner")) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["api_reader", "grafana_reader"])
def test_readers_see_decisions(database: Settings, admin: Connection, role: str) -> None:
    with connect(database.dsn(role)) as connection:
        assert connection.execute("SELECT count(*) FROM quality.quarantine_decision").fetchone() == (0,)


# --- what a reviewer sees ---


def test_list_is_newest_first_and_filtered(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    stage(admin, 1, first=400, last=500, ts_last_tick=OPEN + timedelta(minutes=3))
    run_gate(database, "run-1")
    discard(database, review())

    def found(**wanted: Any) -> list[datetime]:
        return [bar.values["ts_start"] for bar in listed(admin, Wanted(**wanted), limit=10).bars]

    first, second = OPEN, OPEN + timedelta(minutes=1)
    assert found() == [second]
    assert found(state=None) == [second, first]
    assert found(state=QuarantineState.DISCARDED) == [first]
    assert found(state=None, rule="vwap_not_above_high") == [first]
    assert found(state=None, symbol="A", session_date=DAY) == [second, first]
    assert found(state=None, symbol="B") == found(state=None, session_date=DAY - timedelta(days=1)) == []
    newest = listed(admin, Wanted(state=None), limit=1)
    assert ([bar.values["ts_start"] for bar in newest.bars], newest.count) == ([second], 2)
    with pytest.raises(RuleUnknown, match="one of has_ticks, "):
        found(rule="nonsense")


def test_sheet_shows_what_changed_since_the_refusal_and_what_was_decided(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")
    discard(database, review())
    stage(admin, 0, first=100, last=300, tick_count=3)
    sheet = sheet_of(admin, "A", OPEN)
    assert sheet.changes == {"high": (Decimal("10.5"), Decimal("11")), "tick_count": (2, 3)}
    assert [str(each) for each in sheet.decisions] == ["discarded by ann at 2026-11-21 03:30:00Z: seen on the tape"]
    assert sheet.step.startswith("wait")


# --- the run ---


class _Stopped(Clock):
    """A clock that stands still."""

    def now(self) -> datetime:
        return LATER

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError(f"nobody waits for {duration} here")


def run(database: Settings, *, decision: str, is_overriding: bool = False) -> dg.ExecuteInProcessResult:
    """As the queue starts it."""
    config = run_config(
        symbol="A", ts_start=OPEN, decision=decision, reason="seen on the tape", decided_by="ann", override=is_overriding
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return review_quarantine.execute_in_process(
            config, instance, raise_on_error=False, resources={"world": World(database, _Stopped())}
        )


def test_run_that_releases_puts_its_id_on_the_bar_and_refreshes_the_sessions_aggregates(
    database: Settings, admin: Connection
) -> None:
    stage(admin, 0, first=100, last=300, **TOO_NEW)
    run_gate(database, "run-1")

    done = run(database, decision="release", is_overriding=True)

    assert done.success
    assert rows(admin, "SELECT dagster_run_id, verdict, ts_accepted FROM market.bar_1m") == [(done.run_id, "suspect", LATER)]
    assert decisions(admin) == [("overridden", "ticks_not_after_end", done.run_id, 2)]
    assert rows(admin, "SELECT bar_count, close, volume, dagster_run_id FROM aggregates.bar_1d") == [
        (1, Decimal("11.000000"), 300, done.run_id)
    ]
    made = [(each.asset_key.to_user_string(), each.partition) for each in done.asset_materializations_for_node("review_bar")]
    aggregates = [aggregate.key.to_user_string() for aggregate in EVERY_RUN]
    assert made == [(key, "2026-11-20") for key in ("market/bar_1m", "quality/quarantine", *aggregates, "ops/slo_session")]


def test_run_that_discards_touches_the_quarantine_alone(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")
    done = run(database, decision="discard")
    assert done.success
    made = done.asset_materializations_for_node("review_bar")
    assert [each.asset_key.to_user_string() for each in made] == ["quality/quarantine"]
    assert made[0].metadata["decided_by"].value == "ann"
    assert [state for state, *_ in states(admin)] == ["discarded"]


def test_run_of_a_release_that_is_refused_fails_with_the_sentence(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")
    done = run(database, decision="release")
    assert not done.success
    assert "still breaks high_is_highest" in done.failure_data_for_node("review_bar").error_display_string  # type: ignore[union-attr]
    assert [state for state, *_ in states(admin)] == ["open"]


# --- the command ---


@pytest.fixture
def environment(database: Settings, tmp_path: Path) -> dict[str, str]:
    return {
        "STOCK_PLATFORM_DATA_DIR": str(tmp_path),
        "STOCK_PLATFORM_PROFILE": "simulator",
        "STOCK_PLATFORM_POSTGRES_PORT": str(database.postgres_port),
        "STOCK_PLATFORM_POSTGRES_GATE_OWNER_PASSWORD": database.password("gate_owner"),
    }


def test_commands_list_and_show_a_refused_bar(database: Settings, admin: Connection, environment: dict[str, str]) -> None:
    stage(admin, 0, first=100, last=300, **TOO_LOW)
    run_gate(database, "run-1")

    found = CliRunner().invoke(app, ["list", "--json"], env=environment)
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    bar = document["bars"][0]
    assert (document["count"], bar["symbol"], bar["ts_start"]) == (1, "A", "2026-11-20T14:30:00+00:00")
    assert (bar["high"], bar["volume"], bar["is_continuous"], bar["state"]) == ("10.500000", 300, True, "open")

    table = CliRunner().invoke(app, ["list"], env=environment)
    assert "2026-11-20T14:30Z" in table.stdout
    shown = CliRunner().invoke(app, ["show", "A", "2026-11-20T14:30Z"], env=environment)
    assert shown.exit_code == 0, shown.output
    assert "high_is_highest: The high is at or above open and close." in shown.stdout
    assert "no override takes it" in shown.stdout.splitlines()[-1]
    assert CliRunner().invoke(app, ["list", "--state", "discarded"], env=environment).stdout == "no such bar in quarantine\n"


@pytest.mark.parametrize(
    "words",
    [["show", "A", "2026-11-20T14:30"], ["discard", "A", "2026-11-20T14:30Z", "--reason", "a test"]],
    ids=["show", "discard"],
)
def test_command_on_a_bar_that_is_not_there_ends_with_a_sentence(
    database: Settings, admin: Connection, environment: dict[str, str], words: list[str]
) -> None:
    done = CliRunner().invoke(app, words, env=environment)
    assert done.exit_code == 2
    assert "A 2026-11-20T14:30Z is not in quarantine." in done.output


def test_command_without_a_database_ends_with_a_sentence(environment: dict[str, str]) -> None:
    done = CliRunner().invoke(app, ["list"], env={**environment, "STOCK_PLATFORM_POSTGRES_GATE_OWNER_PASSWORD": "wrong"})
    assert done.exit_code == 2
    assert "does not answer: " in done.output
