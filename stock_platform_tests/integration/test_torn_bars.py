"""What the staging table takes from a stream job: versions that grew, and none of a job that lost the bar's first ticks.

Expected: by the definition of a bar's passport, minima and counts over the set of its ticks."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings

_STAGE = """
INSERT INTO staging.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, source, kafka_partition,
    kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous
)
VALUES (
    'A', '2026-11-20 15:00Z', '2026-11-20 15:01Z', 10, 11, 10, %(close)s, %(ticks)s, '2026-11-20 15:00Z', '2026-11-20 15:00Z',
    'tape', %(partition)s, %(first)s, %(last)s, %(job)s, TRUE
)
ON CONFLICT (symbol, ts_start) DO UPDATE SET
    close = excluded.close, tick_count = excluded.tick_count, kafka_partition = excluded.kafka_partition,
    kafka_offset_first = excluded.kafka_offset_first, kafka_offset_last = excluded.kafka_offset_last,
    flink_job_id = excluded.flink_job_id
"""


@pytest.fixture
def writer(database: Settings) -> Iterator[Connection]:
    """Flink's role over empty tables."""
    with connect(database.dsn("admin")) as admin:
        admin.execute("TRUNCATE staging.bar_1m, staging.torn_bar")
    with connect(database.dsn("flink_writer"), autocommit=True) as connection:
        yield connection


def stage(
    connection: Connection, *, ticks: int, first: int, last: int, close: int = 10, job: str = "a", partition: int = 0
) -> None:
    """One version of the bar, as the sink writes it."""
    values = {"ticks": ticks, "first": first, "last": last, "close": close, "job": job, "partition": partition}
    connection.execute(_STAGE, values)


def staged(connection: Connection) -> tuple[Any, ...] | None:
    return connection.execute("SELECT tick_count, kafka_offset_first, close::int, flink_job_id FROM staging.bar_1m").fetchone()


def ledger(database: Settings) -> list[tuple[Any, ...]]:
    with connect(database.dsn("gate_owner")) as connection:
        return connection.execute(
            "SELECT symbol, tick_count, tick_count_refused, kafka_offset_first, kafka_offset_first_refused, flink_job_id "
            "FROM staging.torn_bar"
        ).fetchall()


def test_bar_that_grew_is_taken_whichever_job_made_it(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=3, first=100, last=140)
    stage(writer, ticks=4, first=100, last=150, close=11, job="b")
    assert staged(writer) == (4, 100, 11, "b")
    assert ledger(database) == []


def test_smaller_bar_of_late_ticks_is_refused_and_written_down(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=10, first=100, last=190)
    stage(writer, ticks=1, first=900, last=900, close=11, job="b")
    assert staged(writer) == (10, 100, 10, "a")
    assert ledger(database) == [("A", 10, 1, 100, 900, "b")]


def test_larger_bar_that_lacks_the_first_ticks_is_refused_and_written_down(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=10, first=100, last=190)
    stage(writer, ticks=12, first=150, last=260, close=11, job="b")
    stage(writer, ticks=13, first=150, last=270, close=11, job="b")
    assert staged(writer) == (10, 100, 10, "a")
    assert ledger(database) == [("A", 10, 13, 100, 150, "b")]


def test_job_that_reads_the_topic_again_catches_up_without_a_trace(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=3, first=100, last=140)
    for ticks, last in ((1, 100), (2, 120), (3, 140)):
        stage(writer, ticks=ticks, first=100, last=last, close=9 if ticks < 3 else 10, job="b")
        assert staged(writer) == (3, 100, 10, "a")
    assert ledger(database) == []


def test_older_ticks_that_kafka_forgot_are_not_missed(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=3, first=100, last=140)
    stage(writer, ticks=2, first=120, last=140, job="b")
    assert staged(writer) == (3, 100, 10, "a")
    assert ledger(database) == []


def test_rebuilt_bar_takes_the_late_ticks_and_leaves_the_ledger(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=3, first=100, last=140)
    stage(writer, ticks=1, first=900, last=900, job="b")
    stage(writer, ticks=4, first=100, last=900, close=11, job="c")
    assert staged(writer) == (4, 100, 11, "c")
    assert ledger(database) == []


def test_partitions_that_grew_in_number_do_not_stop_a_bar(database: Settings, writer: Connection) -> None:
    stage(writer, ticks=3, first=100, last=140, partition=2)
    stage(writer, ticks=4, first=7, last=140, close=11, partition=2)
    stage(writer, ticks=5, first=7, last=140, close=12, partition=1)
    assert staged(writer) == (5, 7, 12, "a")
    assert ledger(database) == []


@pytest.mark.parametrize("statement", ["SELECT * FROM staging.torn_bar", "DELETE FROM staging.torn_bar"])
def test_writer_of_bars_has_no_right_to_the_ledger(writer: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(statement)  # type: ignore[arg-type]


def test_only_the_writer_of_bars_may_note_one(database: Settings) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        connect(database.dsn("feed_writer")) as connection,
    ):
        connection.execute("SELECT staging.note_torn_bar(NULL, NULL, FALSE)")
