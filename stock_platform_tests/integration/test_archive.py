"""The tick archive against a real broker: each tick of the session once, in order, the same bytes again, late ones added."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.kafka_range import offset_ranges, read_batches
from stock_platform.contracts.tick import TICK
from stock_platform.errors import TopicMissing
from stock_platform.feed.archive import Archived, SessionHours, archive_session
from stock_platform.feed.archive_file import archive_path, pieces, regular_bars
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.tape import Tape
from stock_platform.feed.tick import Tick
from stock_platform_tests.broker import empty_topics, running_broker

DAY = date(2026, 11, 20)
PRE, OPEN, POST_END = (datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 5.5, 16))
HOURS = (SessionHours("A", "XNYS", PRE, POST_END), SessionHours("B", "XNYS", PRE, POST_END))
LATE = timedelta(hours=26)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Kafka alone; gives its address."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running.bootstrap


@pytest.fixture
def topics(broker: str) -> Iterator[str]:
    """The platform's topics, empty."""
    with empty_topics(broker):
        yield broker


def tick(symbol: str, second: float, price: str, **changes: Any) -> Tick:
    """A tick of the regular session, so many seconds after its open, received a second later."""
    ts_event = OPEN + timedelta(seconds=second)
    right = Tick(
        symbol=symbol,
        price=Decimal(price),
        day_volume=int(100 * second) + 100,
        size=100,
        ts_event=ts_event,
        ts_recv=ts_event + timedelta(seconds=1),
        session_phase="regular",
        currency="USD",
        previous_close=Decimal("9.5"),
        source="yahoo",
        line="line-0",
        line_seq=0,
        is_suspect=False,
        is_continuous=True,
    )
    return Tick(**{**{name: getattr(right, name) for name in Tick.__struct_fields__}, **changes})


def publish(bootstrap: str, ticks: Sequence[Tick]) -> None:
    publisher = Publisher(KafkaProducer(bootstrap, client_id="test"), line="line-0")
    for each in ticks:
        publisher.publish(each)
    assert publisher.flush(timedelta(seconds=30))


def archive(bootstrap: str, home: Path) -> Archived:
    return archive_session(archive_path(home, DAY), HOURS, bootstrap=bootstrap, late=LATE)


def rows(path: Path | None) -> list[tuple[Any, ...]]:
    """(second after the open, symbol, price, day_volume, is_continuous) in the file's order."""
    assert path is not None
    columns = ["symbol", "price", "day_volume", "is_continuous"]
    whole = pl.concat(list(pieces(path)))
    seconds = [(ts - OPEN).total_seconds() for ts in whole["ts_event"]]
    return [(second, *row) for second, row in zip(seconds, whole.select(columns).iter_rows(), strict=True)]


def test_session_is_archived_with_each_tick_once_in_order(topics: str, tmp_path: Path) -> None:
    publish(
        topics,
        [
            tick("B", 2, "20.5"),
            tick("A", 700, "10.25"),
            tick("A", 0, "10", is_continuous=False),
            tick("A", 0, "10", line="line-0b"),  # the other line's copy: it was there before the open
            tick("B", -3600, "20", day_volume=None, session_phase="pre"),
            tick("A", 0, "10.1"),
            tick("A", -24 * 3600, "9"),  # yesterday's
            tick("C", 1, "30"),  # not of this session's symbols
        ],
    )
    rubbish = KafkaProducer(topics, client_id="rubbish")
    rubbish.send(TICK.address, key="A", value=b"{", headers={}, timestamp_ms=int(OPEN.timestamp() * 1000))
    assert rubbish.flush(timedelta(seconds=30))
    done = archive(topics, tmp_path)
    assert rows(done.path) == [
        (-3600, "B", Decimal("20"), None, True),
        (0, "A", Decimal("10"), 100, True),
        (0, "A", Decimal("10.1"), 100, True),
        (2, "B", Decimal("20.5"), 300, True),
        (700, "A", Decimal("10.25"), 70100, True),
    ]
    assert (done.row_count, done.symbols) == (5, ("A", "B"))
    assert done.unread_count == 1
    assert [path.name for path in archive_path(tmp_path, DAY).parent.iterdir()] == ["session_date=2026-11-20.parquet"]


def test_archive_again_gives_the_same_bytes_and_late_ticks_are_added(topics: str, tmp_path: Path) -> None:
    early = [tick("A", second, f"10.{second}") for second in range(30)]
    publish(topics, early[:20])
    first = archive(topics, tmp_path)
    assert archive(topics, tmp_path) == first

    late = [replace_recv(each, timedelta(hours=20)) for each in early[20:]]
    publish(topics, [*late, *early[:3]])
    second = archive(topics, tmp_path)
    assert second.sha256 != first.sha256
    assert [row[0] for row in rows(second.path)] == list(range(30))

    fresh = archive(topics, tmp_path / "elsewhere")
    assert (fresh.sha256, fresh.row_count) == (second.sha256, 30)


def replace_recv(each: Tick, by: timedelta) -> Tick:
    return Tick(**{**{name: getattr(each, name) for name in Tick.__struct_fields__}, "ts_recv": each.ts_recv + by})


def test_ticks_that_kafka_has_forgotten_stay_in_the_archive(topics: str, tmp_path: Path) -> None:
    publish(topics, [tick("A", 0, "10"), tick("A", 1, "11")])
    before = archive(topics, tmp_path)
    done = archive_session(archive_path(tmp_path, DAY), (), bootstrap=topics, late=LATE)
    assert replace(done, ranges=()) == replace(before, ranges=())


def test_broken_kafka_leaves_the_archive_as_it_was(topics: str, tmp_path: Path) -> None:
    publish(topics, [tick("A", 0, "10")])
    before = archive(topics, tmp_path)
    with pytest.raises(TopicMissing):
        archive("127.0.0.1:1", tmp_path)
    path = archive_path(tmp_path, DAY)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert archive(topics, tmp_path).sha256 == before.sha256


def test_session_without_ticks_writes_no_file(topics: str, tmp_path: Path) -> None:
    done = archive(topics, tmp_path)
    assert (done.path, done.row_count) == (None, 0)
    assert not archive_path(tmp_path, DAY).exists()


def test_archive_is_a_tape_whose_rows_come_back_as_they_were(topics: str, tmp_path: Path) -> None:
    published = [tick("A", 0, "10"), tick("A", 1, "10.5", size=None, is_suspect=True), tick("A", 2, "11", previous_close=None)]
    publish(topics, published)
    archive(topics, tmp_path)
    tape = Tape(archive_path(tmp_path, DAY))
    assert (tape.is_archive, tape.symbols, dict(tape.calendars)) == (True, ("A",), {"A": "XNYS"})
    names = ("price", "size", "day_volume", "previous_close", "is_suspect", "is_continuous", "session_phase", "currency")
    seen = [tuple(getattr(each, name) for name in names) for each in tape.trades()]
    assert seen == [tuple(getattr(each, name) for name in names) for each in published]


def test_bars_of_the_archive_are_counted_by_hand(topics: str, tmp_path: Path) -> None:
    """Two minutes of A; the pre-market tick is in none."""
    prices = [(0, "10"), (10, "12"), (59, "9"), (60, "11"), (61, "11.5")]
    publish(topics, [tick("A", -60, "99", session_phase="pre", day_volume=None), *(tick("A", s, price) for s, price in prices)])
    done = archive(topics, tmp_path)
    assert done.path is not None
    bars = regular_bars(done.path).select("ts_start", "open", "high", "low", "close", "tick_count").rows()
    assert bars == [
        (OPEN, Decimal("10"), Decimal("12"), Decimal("9"), Decimal("9"), 3),
        (OPEN + timedelta(minutes=1), Decimal("11"), Decimal("11.5"), Decimal("11"), Decimal("11.5"), 2),
    ]


def test_range_ends_at_the_given_time_and_reads_no_further(topics: str) -> None:
    publish(topics, [tick("A", second, "10") for second in range(10)])
    ranges = offset_ranges(topics, TICK.address, since=OPEN + timedelta(seconds=4), until=OPEN + timedelta(seconds=8))
    records = [record for where in ranges for batch in read_batches(topics, TICK.address, where) for record in batch]
    instants = [json.loads(record.value)["ts_event"] for record in records]
    assert instants == [int((OPEN + timedelta(seconds=second)).timestamp() * 1000) for second in (3, 4, 5, 6)]
