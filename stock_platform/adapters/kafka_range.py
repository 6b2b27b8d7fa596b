"""Door to Kafka, the reading side: records between two instants, from what is there now, and then no more.

No group's offsets are moved. Unit of parallelism: the partition. A repeat reads the same records, and those that came since."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import NamedTuple

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from stock_platform.adapters.kafka_security import client_options
from stock_platform.errors import BrokerUnreachable, TopicMissing

_ANSWER_WITHIN_S = 20.0
_BATCH_COUNT = 10_000
_QUEUED_KIB = 32_768
"""What librdkafka reads ahead: with a batch of 10,000 some 40 MB in all."""


class OffsetRange(NamedTuple):
    """Offsets [start, end) of one partition."""

    partition: int
    start: int
    end: int


class Record(NamedTuple):
    """One record's place and value."""

    offset: int
    value: bytes


def offset_ranges(bootstrap: str, topic: str, *, since: datetime, until: datetime | None) -> list[OffsetRange]:
    """Per partition: from the first record of Kafka's time `since` to the first of `until`, or to the end as it is now.

    Raises:
        TopicMissing: there is no such topic, or no broker.
    """
    with closing(_consumer(bootstrap)) as consumer:
        try:
            found = consumer.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic]
            partitions: list[int] = sorted(found.partitions or {})
            if found.error or not partitions:
                raise TopicMissing(topic, bootstrap)
            ends = {p: _end(consumer, TopicPartition(topic, p)) for p in partitions}
            starts = _offsets_at(consumer, topic, ends, since)
            stops = _offsets_at(consumer, topic, ends, until) if until else ends
        except KafkaException as error:
            raise TopicMissing(topic, bootstrap) from error
    return [OffsetRange(p, starts[p], max(starts[p], stops[p])) for p in partitions]


def oldest_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    """First offset that each partition still has; 0 where nothing has been dropped.

    Raises:
        TopicMissing: there is no such topic, or no broker.
    """
    with closing(_consumer(bootstrap)) as consumer:
        try:
            partitions: list[int] = list(consumer.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic].partitions or {})
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=_ANSWER_WITHIN_S)[0] for p in partitions}
        except KafkaException as error:
            raise TopicMissing(topic, bootstrap) from error


def read_batches(bootstrap: str, topic: str, where: OffsetRange) -> Iterator[list[Record]]:
    """The range's records in order, some thousand at a time; offsets that hold none are passed over.

    Raises:
        BrokerUnreachable: the broker went away meanwhile.
    """
    with closing(_consumer(bootstrap)) as consumer:
        position = where.start
        consumer.assign([TopicPartition(topic, where.partition, where.start)])
        while position < where.end:
            messages = consumer.consume(min(_BATCH_COUNT, where.end - position), timeout=_ANSWER_WITHIN_S)
            if not messages:
                raise BrokerUnreachable(bootstrap, f"{topic}-{where.partition} says nothing at {position} of {where.end}")
            records = list(_records(messages, bootstrap))
            position = records[-1].offset + 1 if records else where.end
            yield [record for record in records if record.offset < where.end]


def _records(messages: list[Message], bootstrap: str) -> Iterator[Record]:
    """What the messages hold; ends at the partition's end."""
    for message in messages:
        error, offset = message.error(), message.offset()
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                return
            raise BrokerUnreachable(bootstrap, error.str())
        if offset is not None:
            yield Record(offset, message.value() or b"")


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    return consumer.get_watermark_offsets(partition, timeout=_ANSWER_WITHIN_S)[1]


def _offsets_at(consumer: Consumer, topic: str, ends: dict[int, int], ts: datetime) -> dict[int, int]:
    """Offset of the first record at or after the instant; the partition's end where there is none."""
    ms = int(ts.timestamp() * 1000)
    asked = [TopicPartition(topic, partition, ms) for partition in ends]
    found = consumer.offsets_for_times(asked, timeout=_ANSWER_WITHIN_S)
    return {each.partition: ends[each.partition] if each.offset in (OFFSET_END, -1) else each.offset for each in found}


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            **client_options(bootstrap),
            "group.id": "tick-archive",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": _QUEUED_KIB,
            "fetch.wait.max.ms": 50,
            "log_level": "0",
        }
    )
