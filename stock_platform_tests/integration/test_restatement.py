"""A session restated on real Kafka, Flink and Postgres: as the stream has it, with what came too late, from topic and archive.

The tests follow one another on one cluster: the session grows, then the topic forgets it, then the archive is gone."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stock_platform.adapters.postgres import connect
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.errors import PlatformError
from stock_platform.errors.restatement import RestatementRunning, SessionTicksMissing, SessionUnknown, SymbolsUnknown
from stock_platform.feed.archive import SessionHours, archive_session
from stock_platform.market.asked import Asked
from stock_platform.market.restatement import Place, restate
from stock_platform.market.shadow import begin, only_restatement
from stock_platform.repair.restating_from_vendor import restate_session
from stock_platform_tests.integration.jvm import Cluster, require
from stock_platform_tests.integration.test_ticks_to_bars import OPEN_MS, SYMBOLS, Fields, good_ticks, tick
from stock_platform_tests.integration.test_yahoo_vendor import StandingClock
from stock_platform_tests.restating import (
    DAY,
    POST_END,
    PRE,
    archive_of,
    load_reference,
    place_of,
    restated_digest,
    settings_of,
    staged_digest,
)
from stock_platform_tests.staged import CLOSE as VENDOR_CLOSE
from stock_platform_tests.staged import DAY as VENDOR_DAY
from stock_platform_tests.staged import OPEN as VENDOR_OPEN
from stock_platform_tests.vendor_history import History, settings_over
from stock_platform_tests.vendor_server import vendor_server

HOUR_MS = 3_600_000
ALL = Asked(DAY, (), PRE, POST_END)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running stream job that takes ticks an hour late, and has read a shuffled session with repeats and rubbish in it."""
    with Cluster(Path(tmp_path_factory.mktemp("restate"))) as started:
        load_reference(started, SYMBOLS)
        started.submit(late_limit_ms=HOUR_MS)
        rng = random.Random(12)
        ticks = good_ticks(rng)
        ticks += rng.sample(ticks, len(ticks) // 10)
        rng.shuffle(ticks)
        send(started, ticks, delay_ms=1_000)
        send_rubbish(started)
        caught_up(started)
        yield started


@pytest.fixture
def place(cluster: Cluster) -> Place:
    """Where restatements are made."""
    return place_of(cluster)


def send(cluster: Cluster, ticks: list[Fields], *, delay_ms: int) -> None:
    """Ticks that Kafka took so long after they had happened."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True})
    for each in ticks:
        producer.produce(TICK.address, json.dumps(each).encode(), each["symbol"], timestamp=each["ts_event"] + delay_ms)
        producer.poll(0)
    assert producer.flush(30) == 0


def send_rubbish(cluster: Cluster) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    for number in range(50):
        producer.produce(TICK.address, b"{", f"rubbish-{number}", timestamp=OPEN_MS)
    assert producer.flush(30) == 0


def caught_up(cluster: Cluster) -> None:
    require(cluster.is_caught_up, "the stream has committed every message", within_s=150)


def test_restated_session_is_byte_for_byte_what_the_stream_made(cluster: Cluster, place: Place) -> None:
    done = restate(place, DAY, closed_until=POST_END)
    query = "SELECT state, is_promoted, symbols, ticks_from FROM ops.restatement"
    assert cluster.read_rows(query) == [("finished", False, None, done.ticks_from)], "it was only compared"
    assert done.ticks_from.startswith("kafka offsets 0: 0-")
    assert done.counts.bar_count > 600
    assert done.comparison.bars.is_empty()
    assert restated_digest(cluster, done.restatement_id) == staged_digest(cluster)


def test_tick_too_late_for_the_stream_is_in_the_restated_bar(cluster: Cluster, place: Place) -> None:
    before = staged_digest(cluster)
    late = tick("SPY", 10_000, OPEN_MS + 600_000, 10**6, random.Random(1)) | {"price": "999.5"}
    send(cluster, [late], delay_ms=2 * HOUR_MS)
    caught_up(cluster)
    reasons = [json.loads(message.value() or b"")["reason"] for message in cluster.read_topic(DEAD_LETTER.address)]
    assert (staged_digest(cluster), reasons.count("too_late")) == (before, 1)

    done = restate(place, DAY, ["SPY"], closed_until=POST_END)

    changed = done.comparison.bars.filter(high_after=999.5)
    assert changed["tick_count_after"].to_list() == [changed["tick_count_before"].item() + 1]
    assert done.comparison.count("changed") == done.comparison.bars.height
    others = cluster.read_rows(
        f"SELECT count(*) FROM staging.bar_1m_restated WHERE symbol <> 'SPY' AND restatement_id = {done.restatement_id}"
    )
    assert others == [(0,)]


def test_bar_that_shrinks_is_restated_after_a_crashed_restatement(cluster: Cluster, place: Place) -> None:
    with connect(cluster.dsn()) as connection:
        connection.execute(
            "UPDATE staging.bar_1m SET tick_count = 5000, low = 1 WHERE symbol = 'AIG' AND ts_start = %s", (bar_start(),)
        )
        crashed = begin(connection, ALL, now=place.clock.now())
    left = place.folder / "tmp123" / "restate_bars.sql"
    left.parent.mkdir(parents=True)
    left.touch()

    done = restate(place, DAY, ["AIG"], closed_until=POST_END)

    assert done.comparison.fields == {"low": 1, "tick_count": 1}
    assert not left.exists()
    assert "tick_count 5000 → " in done.comparison.lines(1)[0]
    assert cluster.read_rows(f"SELECT state FROM ops.restatement WHERE restatement_id = {crashed}") == [("failed",)]


def bar_start() -> str:
    return "2013-10-07T14:00:00Z"


def test_vendor_stands_in_where_the_job_finds_no_tick_and_the_ledger_has_one_row(cluster: Cluster, tmp_path: Path) -> None:
    """Of that session Kafka has one tick, from after its close."""
    send(cluster, [tick("AIG", 20_000, at_ms(VENDOR_CLOSE), 10, random.Random(1)) | {"session_phase": "post"}], delay_ms=0)
    with connect(cluster.dsn(), autocommit=True) as connection, vendor_server(History().answer, tmp_path):
        connection.execute(
            "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)",
            (VENDOR_DAY, VENDOR_OPEN, VENDOR_CLOSE, VENDOR_OPEN, VENDOR_CLOSE),
        )
        connection.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'none', 'USD', 'XNYS', 'yahoo')")
        facts = {"closed_until": VENDOR_CLOSE, "run_id": "run-1", "code_version": "c0de"}
        done = restate_session(settings_over(settings_of(cluster), tmp_path), StandingClock(), VENDOR_DAY, ["A"], **facts)
        ledger = connection.execute(
            "SELECT restatement_id, state, is_promoted, is_partial, symbols, ticks_from, flink_job_id, dagster_run_id "
            "FROM ops.restatement WHERE session_date = %s",
            (VENDOR_DAY,),
        ).fetchall()
        connection.execute("DELETE FROM reference.instrument WHERE symbol = 'A'")
    assert done.done.ticks_from.startswith("yahoo's 1m history, fetched at ")
    assert len(done.outcome.difference.changes) == 6
    assert ledger == [(done.done.restatement_id, "finished", True, True, "A", done.done.ticks_from, None, "run-1")]


def at_ms(ts: datetime) -> int:
    return int(ts.timestamp() * 1000)


def test_archive_gives_the_same_bars_when_the_topic_has_forgotten_them(cluster: Cluster, place: Place) -> None:
    from_topic = restate(place, DAY, closed_until=POST_END)
    digest = restated_digest(cluster, from_topic.restatement_id, with_place=False)
    hours = [SessionHours(symbol, "XNYS", PRE, POST_END) for symbol in SYMBOLS]
    archive_session(archive_of(cluster), hours, bootstrap=cluster.bootstrap, late=None)
    forget(cluster)

    from_archive = restate(place, DAY, closed_until=POST_END)

    assert from_archive.ticks_from == f"archive {archive_of(cluster)}"
    assert from_archive.asked.symbols == (), "the archive has all symbols"
    assert from_archive.counts == from_topic.counts
    assert restated_digest(cluster, from_archive.restatement_id, with_place=False) == digest


def forget(cluster: Cluster) -> None:
    """The topic's records are dropped, as retention would."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    ends = [TopicPartition(TICK.address, number, OFFSET_END) for number in range(4)]
    for dropped in admin.delete_records(ends).values():
        dropped.result(30)


def test_session_that_neither_has_is_refused(cluster: Cluster, place: Place) -> None:
    archive_of(cluster).unlink()
    with pytest.raises(SessionTicksMissing, match=r"the topic has dropped its beginning, and there is no archive"):
        restate(place, DAY, closed_until=POST_END)


def test_restatement_beside_another_is_refused(cluster: Cluster, place: Place) -> None:
    with only_restatement(place.dsn, ALL, place.clock), pytest.raises(RestatementRunning, match="cannot be restated now"):
        restate(place, DAY, closed_until=POST_END)


@pytest.mark.parametrize(
    ("day", "symbols", "error", "sentence"),
    [
        (
            DAY + timedelta(days=5),
            [],
            SessionUnknown,
            "No watched instrument has a session on 2013-10-12; known sessions go from 2013-10-07",
        ),
        (DAY, ["AIG", "NOPE"], SymbolsUnknown, "No session on 2013-10-07 is known of NOPE; expected some of AIG, BAC"),
    ],
)
def test_what_is_not_known_is_named(place: Place, day: date, symbols: list[str], error: type[PlatformError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        restate(place, day, symbols, closed_until=POST_END)
