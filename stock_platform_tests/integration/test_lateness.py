"""Late ticks and dead letters through the real stream job: corrected, refused as too late, and sent again by a person."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.commands.dead_letters import app
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.tick import Refusal, epoch_ms
from stock_platform.feed.yahoo.pricing import encode
from stock_platform_tests.integration.jvm import Cluster, require

LIMIT = timedelta(hours=1)


@cache
def now() -> datetime:
    """One instant for the file, taken when its first test runs."""
    return SystemClock().now()


def minute() -> datetime:
    """Start of a bar ten minutes ago."""
    return (now() - timedelta(minutes=10)).replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The stream job with a limit of one hour."""
    with Cluster(Path(tmp_path_factory.mktemp("lateness"))) as started:
        started.submit(late_limit_ms=LIMIT // timedelta(milliseconds=1))
        yield started


def send(cluster: Cluster, *ticks: dict[str, Any]) -> None:
    """Kafka's time is now, as the feed writes it."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    for each in ticks:
        producer.produce(TICK.address, json.dumps(each).encode(), each["symbol"], timestamp=epoch_ms(now()))
    assert producer.flush(10) == 0


def tick(symbol: str, price: str, *, before: timedelta, day_volume: int | None = None, phase: str = "regular") -> dict[str, Any]:
    ts_event = epoch_ms(now() - before)
    return {
        "symbol": symbol,
        "price": price,
        "day_volume": day_volume,
        "size": None,
        "ts_event": ts_event,
        "ts_recv": epoch_ms(now()),
        "session_phase": phase,
        "currency": "USD",
        "previous_close": None,
        "source": "simulator",
        "line": "line-0a",
        "line_seq": 0,
        "tick_id": f"{symbol}-{ts_event}",
        "is_suspect": False,
        "is_continuous": True,
    }


def bars(cluster: Cluster, symbol: str) -> list[tuple[Any, ...]]:
    query = "SELECT ts_start, open::text, close::text, tick_count FROM staging.bar_1m WHERE symbol = '{}' ORDER BY ts_start"
    return [tuple(row) for row in cluster.read_rows(query.format(symbol))]


def letters(cluster: Cluster) -> list[dict[str, Any]]:
    return [json.loads(message.value() or b"") for message in cluster.read_topic(DEAD_LETTER.address)]


def test_late_tick_within_the_limit_corrects_its_bar(cluster: Cluster) -> None:
    since_minute = now() - minute()
    send(cluster, tick("LATE", "101", before=since_minute - timedelta(seconds=30)))
    require(lambda: bars(cluster, "LATE") == [(minute(), "101.000000", "101.000000", 1)], "the bar has its first tick")
    send(cluster, tick("LATE", "100", before=since_minute))
    require(lambda: bars(cluster, "LATE") == [(minute(), "100.000000", "101.000000", 2)], "the late tick opens the bar")


def test_tick_beyond_the_limit_makes_a_letter_and_no_bar_but_a_quote_all_the_same(cluster: Cluster) -> None:
    before = LIMIT + timedelta(milliseconds=1)
    send(
        cluster,
        tick("EDGE", "100", before=LIMIT),
        tick("OLD", "100", before=before),
        tick("CLOSED", "100", before=before, phase="closed"),
    )
    require(lambda: cluster.is_caught_up(), "the job has committed every message")
    assert [bar[3] for bar in bars(cluster, "EDGE")] == [1]
    assert (bars(cluster, "OLD"), bars(cluster, "CLOSED")) == ([], [])
    quotes = cluster.read_rows("SELECT symbol FROM market.quote WHERE symbol IN ('OLD', 'CLOSED') ORDER BY symbol")
    assert quotes == [("CLOSED",), ("OLD",)]
    (letter,) = [each for each in letters(cluster) if each["reason"] == "too_late"]
    assert str(before // timedelta(milliseconds=1)) in letter["detail"]


def test_letter_that_is_sent_again_comes_into_its_bar_once(cluster: Cluster, tmp_path: Path) -> None:
    """Bitcoin trades at any hour, so that today's judgement of the frame does not hang on the hour of the test."""
    frame = encode(id="BTC-USD", price=84_000.5, time=epoch_ms(minute()) + 1_000, market_hours=1, quote_type=41).encode()
    publisher = Publisher(KafkaProducer(cluster.bootstrap, client_id="test"), line="line-0a")
    publisher.refuse(Refusal("spike", "as seen", minute() + timedelta(seconds=2), 1, lambda: frame))
    assert publisher.flush(timedelta(seconds=10))
    environment = {
        "STOCK_PLATFORM_DATA_DIR": str(tmp_path),
        "STOCK_PLATFORM_PROFILE": "simulator",
        "STOCK_PLATFORM_KAFKA_PORT": str(cluster.kafka_port),
    }
    for _ in range(2):
        done = CliRunner().invoke(app, ["replay", "--reason", "spike"], env=environment)
        assert done.exit_code == 0, done.output
    require(lambda: cluster.is_caught_up(), "the job has committed every message")
    assert bars(cluster, "BTC-USD") == [(minute(), "84000.500000", "84000.500000", 1)]
