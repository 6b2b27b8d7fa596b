"""A tick file as a topic: made anew, filled quickly, every message where and when the feed would have put it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import polars as pl
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.kafka import ensure_topics, market_topics
from stock_platform.contracts.tick import TICK

_SETTINGS = {
    "compression.type": "lz4",
    "linger.ms": 5,
    "acks": "all",
    "enable.idempotence": True,
    "queue.buffering.max.messages": 500_000,
}


def refill(bootstrap: str, ticks: pl.DataFrame) -> None:
    """Make the platform's topics anew and write the ticks; returns when all are stored."""
    empty(bootstrap)
    producer = Producer({"bootstrap.servers": bootstrap, **_SETTINGS})
    for symbol, partition, value, ts_arrival in ticks.select("symbol", "partition", "value", "ts_arrival").iter_rows():
        send(producer, symbol, partition, value, ts_ms=ts_arrival)
    assert producer.flush(120) == 0, "ticks were not stored"


def send(producer: Producer, symbol: str, partition: int, value: bytes, *, ts_ms: int) -> None:
    """Hand one message over; waits while the queue is full."""
    while True:
        try:
            producer.produce(TICK.address, value, symbol, partition=partition, timestamp=ts_ms)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def empty(bootstrap: str) -> None:
    """Make the platform's topics anew."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    names = [spec.name for spec in market_topics()]
    _delete(admin, names)
    is_gone = wait_until(
        lambda: not set(names) & set(admin.list_topics(timeout=10).topics), SystemClock(), within=timedelta(seconds=60)
    )
    assert is_gone, f"topics {names} are still there"
    ensure_topics(bootstrap, market_topics())
    assert wait_until(lambda: _keeps_offsets(bootstrap), SystemClock(), within=timedelta(seconds=60)), "no group coordinator"


def _keeps_offsets(bootstrap: str) -> bool:
    """A broker that has just started does not know the offsets of groups yet."""
    try:
        with closing(Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})) as consumer:
            consumer.committed([TopicPartition(TICK.address, 0)], 10)
    except KafkaException:
        return False
    return True


def _delete(admin: AdminClient, names: Sequence[str]) -> None:
    for deleted in admin.delete_topics(list(names)).values():
        try:
            deleted.result(30)
        except KafkaException as error:
            assert error.args[0].name() == "UNKNOWN_TOPIC_OR_PART", error
