"""Passports and bars as of an instant on a real Postgres, as the API's own role; bars held against a real broker's ticks.

Expected values: worked out by hand from the staged bars and from the messages that are sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect, open_pool
from stock_platform.api.app import create_app
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.shapes import Bar, BarPage, Interval
from stock_platform.api.store import BarQuery
from stock_platform.api.stream import Hub
from stock_platform.cli import app
from stock_platform.commands.passport import passport_of, verified
from stock_platform.config import Settings
from stock_platform.contracts.tick import TICK
from stock_platform.errors.passport import BarNotOfTicks, BarProvisional, BarQuarantined, BarUnknown, BarWithdrawn, TicksNotKept
from stock_platform.feed.archive_file import archive_path
from stock_platform.gate.batch import read_batch
from stock_platform.gate.desk import Review, discard
from stock_platform.gate.judge import judge
from stock_platform.gate.promote import promote, withdraw
from stock_platform.gate.rules import QUARANTINE_SHARE, RULES
from stock_platform.market.passport import Passport, read_passport
from stock_platform_tests.broker import Broker, empty_topics, running_broker
from stock_platform_tests.staged import CLOSE, DAY, EVENING, OPEN, stage

LATER = EVENING + timedelta(hours=1)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """An empty market of one symbol, with one session."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE staging.bar_1m, market.bar_1m, market.bar_1m_revision, quality.quarantine, quality.check_result, "
            "quality.gate_run, reference.instrument, reference.session, reference.vendor_instrument, ops.flink_job, ops.restatement"
        )
        connection.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'Technology', 'USD', 'XNYS', 'yahoo')")
        connection.execute(
            "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (DAY, OPEN, CLOSE, OPEN, CLOSE)
        )
        yield connection


def accept(database: Settings, run_id: str, *, now: datetime, code_version: str = "c0de") -> None:
    with connect(database.dsn("gate_owner")) as connection:
        judgement = judge(read_batch(connection, DAY, EVENING))
        promote(connection, judgement, dagster_run_id=run_id, code_version=code_version, now=now)


def passport(database: Settings, ts_start: datetime = OPEN, *, role: str = "api_reader") -> Passport:
    with connect(database.dsn(role)) as connection:
        return read_passport(connection, "A", ts_start, dagster_address="http://127.0.0.1:3070")


def two_versions(database: Settings, admin: Connection) -> None:
    """A bar of volume 300, and an hour later one of 350."""
    stage(admin, 0, first=100, last=300)
    accept(database, "run-1", now=EVENING, code_version="c0de-1")
    stage(admin, 0, first=100, last=350, tick_count=3, kafka_offset_last=9)
    accept(database, "run-2", now=LATER, code_version="c0de-2")


@pytest.mark.parametrize("role", ["api_reader", "gate_owner"])
def test_passport_has_the_bar_its_place_its_run_and_every_revision(database: Settings, admin: Connection, role: str) -> None:
    two_versions(database, admin)

    found = passport(database, role=role)

    assert (found.symbol, found.ts_start, found.ts_end, found.session_date) == ("A", OPEN, OPEN + MINUTE, DAY)
    bar = found.current
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.tick_count) == (10, 11, 10, 11, 350, 3)
    # 0 → 100 at 10, 100 → 350 at 11
    assert (bar.vwap, bar.verdict, bar.revision) == (Decimal("10.714286"), "passed", 2)
    assert (found.kafka_topic, bar.kafka_partition, bar.kafka_offset_first, bar.kafka_offset_last) == ("market.ticks.v1", 0, 0, 9)
    assert [
        (each.revision, each.volume, each.dagster_run_id, each.ts_valid_from, each.ts_valid_to) for each in found.revisions
    ] == [
        (1, 300, "run-1", EVENING, LATER),
        (2, 350, "run-2", LATER, None),
    ]
    assert found.revisions[-1] == bar
    assert found.refused is None


def test_passport_names_the_run_with_its_code_and_every_rule(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300, is_continuous=False)
    accept(database, "run-1", now=LATER)

    run = passport(database).gate_run

    assert (run.dagster_run_id, run.url) == ("run-1", "http://127.0.0.1:3070/runs/run-1")
    assert (run.code_version, run.closed_until) == ("c0de", EVENING)
    assert sorted(check.check_name for check in run.checks) == sorted([*(rule.name for rule in RULES), QUARANTINE_SHARE])
    first = run.checks[0]
    assert (first.check_name, first.is_passed, first.observed_count, first.failed_count) == ("boundary_known", False, 1, 1)
    assert (first.severity, first.detail, first.ts_checked) == ("suspect", "A 2026-11-20T14:30Z", LATER)
    assert [check.check_name for check in run.checks if not check.is_passed] == ["boundary_known", "fresh"]


def test_repeated_run_is_written_down_once_and_a_blocked_one_not_at_all(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    accept(database, "run-1", now=EVENING)
    accept(database, "run-1", now=LATER, code_version="other")
    for minute in range(1, 21):
        stage(admin, minute, first=1000 * minute, last=1000 * minute + 100, tick_count=0)
    accept(database, "run-2", now=LATER)
    rows = admin.execute("SELECT dagster_run_id, session_date, code_version, closed_until, ts_promoted FROM quality.gate_run")
    assert rows.fetchall() == [("run-1", DAY, "c0de", EVENING, EVENING)]


def test_passport_of_a_run_before_runs_were_written_down_has_no_code(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    accept(database, "run-1", now=EVENING)
    admin.execute("TRUNCATE quality.gate_run")
    run = passport(database).gate_run
    assert (run.code_version, run.closed_until) == (None, None)


def test_passport_says_what_is_known_of_the_job(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    accept(database, "run-1", now=EVENING)
    job = passport(database).flink_job
    assert (job.flink_job_id, job.is_known, job.state, job.ts_checkpoint, job.restatement_id) == ("job", False, None, None, None)

    admin.execute(
        "INSERT INTO ops.flink_job (job_name, flink_job_id, state, restart_count, checkpoint_path, ts_checkpoint, ts_heartbeat) "
        "VALUES ('ticks_to_bars', 'job', 'RUNNING', 0, '/x/chk-7', %s, %s)",
        (EVENING, EVENING),
    )
    job = passport(database).flink_job
    assert (job.is_known, job.state, job.checkpoint_path, job.ts_checkpoint) == (True, "RUNNING", "/x/chk-7", EVENING)

    admin.execute("UPDATE ops.flink_job SET flink_job_id = 'another'")
    assert not passport(database).flink_job.is_known

    admin.execute(
        "INSERT INTO ops.restatement (session_date, ticks_from, state, flink_job_id) VALUES (%s, 'archive', 'finished', 'job')",
        (DAY,),
    )
    (number,) = admin.execute("SELECT restatement_id FROM ops.restatement").fetchone() or (None,)
    assert passport(database).flink_job.restatement_id == number


def test_passport_of_a_certified_bar_tells_of_a_newer_version_in_quarantine(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    accept(database, "run-1", now=EVENING)
    stage(admin, 0, first=100, last=300, tick_count=3, high=Decimal("10.5"))
    accept(database, "run-2", now=LATER)

    found = passport(database)

    assert (found.current.revision, found.current.high) == (1, 11)
    assert found.refused is not None
    assert (list(found.refused.rules), found.refused.dagster_run_id, found.refused.ts_quarantined) == (
        ["high_is_highest", "vwap_not_above_high"],
        "run-2",
        LATER,
    )


def test_bar_that_is_not_certified_is_said_to_be_where_it_is(database: Settings, admin: Connection) -> None:
    stage(admin, 0, first=100, last=300)
    stage(admin, 1, first=400, last=500, high=Decimal("10.5"))
    accept(database, "run-1", now=EVENING)
    stage(admin, 2, first=600, last=700)

    refusal = r"run run-1 refused it at 2026-11-21 02:30Z, because it broke high_is_highest\. .*quarantine show A 2026-11-20T14:31Z"
    with pytest.raises(BarQuarantined, match=refusal):
        passport(database, OPEN + MINUTE)
    judged = Review("A", OPEN + MINUTE, "a test print", "ann", "run-2", "c0de", LATER)
    with connect(database.dsn("gate_owner")) as connection:
        discard(connection, judged)
    with pytest.raises(BarQuarantined, match=r"It was discarded by ann at 2026-11-21 03:30Z: a test print\. `stock-platform"):
        passport(database, OPEN + MINUTE)
    with pytest.raises(BarProvisional, match="A 2026-11-20 14:32Z is only staged, with 2 ticks since"):
        passport(database, OPEN + 2 * MINUTE)
    with pytest.raises(BarUnknown, match=r"no bar A 2026-11-20 14:33Z.*go from 2026-11-20 14:30Z to 2026-11-20 14:30Z"):
        passport(database, OPEN + 3 * MINUTE)


def test_bar_that_a_restatement_took_out_says_until_when_it_was_there(database: Settings, admin: Connection) -> None:
    two_versions(database, admin)
    admin.execute("DELETE FROM staging.bar_1m")
    with connect(database.dsn("gate_owner")) as connection:
        assert withdraw(connection, [("A", OPEN)], now=LATER + MINUTE) == 1
    with pytest.raises(BarWithdrawn, match=r"was certified in 2 revisions until 2026-11-21 03:31Z; then a restatement"):
        passport(database)


# --- the API ---


@pytest.fixture
def store(database: Settings) -> Iterator[PostgresStore]:
    """The API's store, as the API's role."""
    with open_pool(database.dsn("api_reader"), size=1) as pool:
        read = partial(read_passport, dagster_address=database.dagster_address)
        yield PostgresStore(pool, feed_kind="tape", dagster_page="http://dagster", read_passport=read)


def as_of(store: PostgresStore, ts: datetime | None, **changes: Any) -> list[Bar]:
    query = {"symbol": "A", "interval": Interval.ONE_MINUTE, "start": None, "end": None, "limit": 10, "as_of": ts, **changes}
    return BarPage.model_validate_json(store.bar_page(BarQuery(**query))).items


def test_refused_bar_is_no_provisional_one_until_a_newer_version_comes(
    database: Settings, admin: Connection, store: PostgresStore
) -> None:
    stage(admin, 0, first=100, last=300)
    stage(admin, 1, first=400, last=500, high=Decimal("10.5"))
    assert [bar.is_certified for bar in as_of(store, None)] == [False, False]
    accept(database, "run-1", now=EVENING)
    assert [(bar.ts_start, bar.is_certified) for bar in as_of(store, None)] == [(OPEN, True)]
    stage(admin, 1, first=400, last=500, tick_count=3)
    assert [(bar.ts_start, bar.is_certified) for bar in as_of(store, None)] == [(OPEN, True), (OPEN + MINUTE, False)]


def test_bars_as_of_an_instant_are_what_was_certified_then(database: Settings, admin: Connection, store: PostgresStore) -> None:
    two_versions(database, admin)
    stage(admin, 1, first=400, last=500)
    accept(database, "run-3", now=LATER)
    stage(admin, 2, first=600, last=700)

    def seen(ts: datetime | None, **changes: Any) -> list[tuple[Any, ...]]:
        return [((bar.ts_start - OPEN) // MINUTE, bar.volume, bar.revision) for bar in as_of(store, ts, **changes)]

    assert seen(EVENING - SECOND) == []
    assert seen(EVENING) == seen(LATER - SECOND) == [(0, 300, 1)]
    assert seen(LATER) == [(0, 350, 2), (1, 150, 1)]
    assert seen(LATER, start=OPEN + MINUTE) == seen(LATER, limit=1) == [(1, 150, 1)]
    assert seen(LATER, end=OPEN + MINUTE) == [(0, 350, 2)]
    # Without an instant the provisional bar is there, too: 700 - 500.
    assert seen(None) == [(0, 350, 2), (1, 150, 1), (2, 200, None)]
    assert {bar.is_certified for bar in as_of(store, LATER)} == {True}


def test_api_answers_the_passport_and_says_where_a_bar_is_instead(
    database: Settings, admin: Connection, store: PostgresStore
) -> None:
    two_versions(database, admin)
    stage(admin, 1, first=400, last=500)
    client = TestClient(create_app(store, Hub(lambda _: iter(())), SystemClock()))

    answer = client.get("/stocks/a/bars/2026-11-20T14:30:00Z/passport")

    assert answer.status_code == 200
    found = answer.json()
    assert (found["current"]["close"], found["current"]["vwap"], found["current"]["volume"]) == ("11", "10.714286", 350)
    assert [(each["revision"], each["ts_valid_to"]) for each in found["revisions"]] == [(1, "2026-11-21T03:30:00Z"), (2, None)]
    assert found["gate_run"]["url"] == "http://127.0.0.1:3070/runs/run-2"
    assert found["gate_run"]["code_version"] == "c0de-2"
    assert found["flink_job"]["is_known"] is False

    staged = client.get("/stocks/A/bars/2026-11-20T14:31:00Z/passport")
    assert (staged.status_code, staged.json()["status"]) == (404, 404)
    assert "is only staged" in staged.json()["detail"]


# --- held against Kafka ---


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Kafka alone."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


PARTITION = 1


def message(second: float, day_volume: int | None, price: str, **changes: Any) -> tuple[bytes, int]:
    """A tick so long after the open, and Kafka's time of it: a second later."""
    ts_event = int((OPEN + timedelta(seconds=second)).timestamp() * 1000)
    fields: dict[str, Any] = {
        "symbol": "A",
        "price": price,
        "day_volume": day_volume,
        "size": None,
        "ts_event": ts_event,
        "ts_recv": ts_event + 40,
        "session_phase": "regular",
        "currency": "USD",
        "previous_close": None,
        "source": "tape",
        "line": "tape",
        "line_seq": 0,
        "tick_id": "x",
        "is_suspect": False,
        "is_continuous": True,
    }
    return json.dumps({**fields, **changes}).encode(), ts_event + 1000


LATE = (message(40, 290, "99")[0], int((OPEN + timedelta(hours=2)).timestamp() * 1000))
"""An hour and more after it had happened."""
MESSAGES = (
    message(0, 100, "10"),
    message(10, 150, "77", symbol="B"),
    (b"rubbish", 1),
    LATE,
    message(30, 300, "11"),
    message(0, 100, "10.0"),
    message(-60, 50, "9"),
    message(70, 500, "11"),
    message(20, 200, "88", session_phase="pre"),
    message(60, 400, "10"),
)
"""Of minute 0 are offsets 0, 4 and 5, of minute 1 offsets 7 and 9."""


@dataclass
class Desk:
    """Somebody at the command line of a running stack that holds two certified bars and their ticks."""

    settings: Settings
    admin: Connection

    def run(self, *words: str) -> Result:
        settings = self.settings
        environment = {
            "STOCK_PLATFORM_DATA_DIR": str(settings.data_dir),
            "STOCK_PLATFORM_PROFILE": settings.profile,
            "STOCK_PLATFORM_FEED_KIND": settings.feed_kind,
            "STOCK_PLATFORM_KAFKA_PORT": str(settings.kafka_port),
            "STOCK_PLATFORM_POSTGRES_PORT": str(settings.postgres_port),
            "STOCK_PLATFORM_POSTGRES_GATE_OWNER_PASSWORD": settings.password("gate_owner"),
        }
        return CliRunner().invoke(app, ["passport", *words], env=environment)

    def different(self, minute: int = 0) -> list[str]:
        """Names of the fields in which bar and ticks differ."""
        found = passport_of(self.settings, "A", OPEN + minute * MINUTE)
        return [field.name for field in verified(self.settings, found).fields if not field.is_equal]

    def forget(self, before: int) -> None:
        """Kafka drops the records before that offset, as retention would."""
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_bootstrap})  # it must outlive what it was asked
        dropped = admin.delete_records([TopicPartition(TICK.address, PARTITION, before)])
        for each in dropped.values():
            each.result(30)


@pytest.fixture
def desk(database: Settings, admin: Connection, broker: Broker, tmp_path: Path) -> Iterator[Desk]:
    changes = {"kafka_port": int(broker.bootstrap.rpartition(":")[2]), "data_dir": tmp_path, "feed_kind": "yahoo"}
    with empty_topics(broker.bootstrap):
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for value, epoch_ms in MESSAGES:
            producer.produce(TICK.address, value, "A", partition=PARTITION, timestamp=epoch_ms)
            assert producer.flush(10) == 0
        place: dict[str, Any] = {"kafka_partition": PARTITION}
        stage(admin, 0, first=100, last=300, kafka_offset_first=0, kafka_offset_last=5, **place)
        stage(admin, 1, first=400, last=500, kafka_offset_first=7, kafka_offset_last=9, ts_last_tick=OPEN + 70 * SECOND, **place)
        accept(database, "run-1", now=EVENING)
        yield Desk(database.model_copy(update=changes), admin)


def test_certified_bars_come_out_of_their_own_offsets_again(desk: Desk) -> None:
    assert desk.different(0) == []
    assert desk.different(1) == []
    done = desk.run("a", "2026-11-20T14:31Z", "--verify")
    assert done.exit_code == 0, done.output
    assert "kafka      market.ticks.v1, partition 1, offsets 7 to 9" in done.stdout
    assert "verified   against 3 records" in done.stdout
    # 300 → 400 at 10, 400 → 500 at 11
    assert "           vwap                   10.5                       equal" in done.stdout
    assert "the ticks give this bar" in done.stdout


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("close = 10.5", ["close"]),
        ("volume = 301, vwap = NULL", ["volume", "vwap"]),
        ("tick_count = 3", ["tick_count"]),
        ("ts_last_tick = ts_last_tick + interval '1 ms'", ["ts_last_tick"]),
        ("is_continuous = FALSE", ["is_continuous"]),
        ("kafka_offset_last = 9", ["kafka_offset_last"]),
        # The first tick is left out then, but not its repeat.
        ("kafka_offset_first = 1", ["kafka_offset_first"]),
    ],
)
def test_bar_that_its_ticks_do_not_give_is_named_field_by_field(desk: Desk, change: str, names: list[str]) -> None:
    desk.admin.execute(f"UPDATE market.bar_1m SET {change} WHERE ts_start = '{OPEN.isoformat()}'")  # type: ignore[arg-type]
    assert desk.different(0) == names


def test_different_bar_ends_the_command_with_1_and_both_values(desk: Desk) -> None:
    desk.admin.execute("UPDATE market.bar_1m SET close = 10.5")
    done = desk.run("A", "2026-11-20T14:30Z", "--verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["symbol"], found["verification"]["is_equal"], found["verification"]["record_count"]) == ("A", False, 6)
    assert [field for field in found["verification"]["fields"] if not field["is_equal"]] == [
        {"name": "close", "certified": "10.5", "recomputed": "11", "is_equal": False}
    ]
    assert desk.run("A", "2026-11-20T14:30Z").exit_code == 0


def test_restated_bar_takes_in_what_came_too_late_for_the_stream(desk: Desk) -> None:
    desk.admin.execute(
        "INSERT INTO ops.restatement (session_date, ticks_from, state, flink_job_id) VALUES (%s, 'kafka', 'finished', 'job')",
        (DAY,),
    )
    # 0 → 100 at 10, 100 → 290 at 99, 290 → 300 at 11; in time, that at 99 is the last one
    assert desk.different(0) == ["high", "close", "vwap", "tick_count", "ts_last_tick"]
    found = passport_of(desk.settings, "A", OPEN)
    recomputed = {field.name: field.recomputed for field in verified(desk.settings, found).fields}
    assert (recomputed["high"], recomputed["tick_count"], recomputed["vwap"]) == (99, 3, Decimal("66.4"))


def test_ticks_that_kafka_has_dropped_end_the_command_with_2_and_a_sentence(desk: Desk) -> None:
    desk.forget(before=3)
    assert desk.different(1) == []

    done = desk.run("A", "2026-11-20T14:30Z", "--verify")

    assert done.exit_code == 2
    assert "offsets 0 to 5 of market.ticks.v1, partition 1, are not all kept in Kafka any more; it has 3 to 9" in done.output
    assert "Session 2026-11-20 is not archived either" in done.output
    assert desk.run("A", "2026-11-20T14:30Z").exit_code == 0, "the passport itself needs no ticks"

    path = archive_path(desk.settings.home, DAY)
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(TicksNotKept, match=f"They are archived in {path}"):
        verified(desk.settings, passport_of(desk.settings, "A", OPEN))


def test_bar_of_the_vendor_s_history_cannot_be_verified(desk: Desk) -> None:
    desk.admin.execute("UPDATE market.bar_1m SET verdict = 'vendor'")
    with pytest.raises(BarNotOfTicks, match="comes from the vendor's history"):
        desk.different(0)


def test_bar_that_is_not_there_ends_the_command_with_2_and_a_sentence(desk: Desk) -> None:
    done = desk.run("A", "2026-11-20T14:35Z", "--verify")
    assert done.exit_code == 2
    assert "There is no bar A 2026-11-20 14:35Z" in done.output
