"""Door to Kafka, the reading side: whole records (key, headers, time) of a topic as it is now, or those of known places.

No group's offsets are moved. Not here: ranges between two instants (kafka_range), following a topic (kafka_tail)."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stock_platform.adapters.kafka_security import client_options
from stock_platform.errors import BrokerUnreachable, TopicMissing

_ANSWER_WITHIN_S = 10.0
_BATCH_COUNT = 1_000
_QUEUED_KIB = 8_192
"""What librdkafka reads ahead."""


class Stored(NamedTuple):
    """One record as the broker has it.

    Args:
        ts_ms: Kafka's time of the record.
        headers: As text; bytes that are none are shown as such.
    """

    partition: int
    offset: int
    ts_ms: int
    key: bytes | None
    headers: Mapping[str, str]
    value: bytes


class RecordReader:
    """Reads a topic's records; close it.

    Raises:
        BrokerUnreachable: nobody answers there.
        TopicMissing: there is no such topic.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._consumer = Consumer(
            {
                **client_options(bootstrap),
                "group.id": "record-reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": _QUEUED_KIB,
                "fetch.wait.max.ms": 50,
                "log_level": "0",
            }
        )
        try:
            found = self._consumer.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic]
        except KafkaException as error:
            self.close()
            raise BrokerUnreachable(bootstrap, str(error.args[0].str())) from error
        if found.error or not found.partitions:
            self.close()
            raise TopicMissing(topic, bootstrap)
        self.partitions: tuple[int, ...] = tuple(sorted(found.partitions))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def whole(self) -> Iterator[Stored]:
        """Every record up to the ends as they are now, partition by partition, oldest first."""
        for partition in self.partitions:
            start, end = self.kept(partition)
            yield from self._records(partition, start, end)

    def at(self, partition: int, offset: int) -> Stored | None:
        """The record of that place; None when there is none, or none any more."""
        start, end = self.kept(partition)
        if not start <= offset < end:
            return None
        return next((record for record in self._records(partition, offset, offset + 1) if record.offset == offset), None)

    def between(self, partition: int, first: int, last: int) -> Iterator[Stored]:
        """What there is of the offsets [first, last], in order; `kept` says whether the topic has them all."""
        start, end = self.kept(partition)
        yield from self._records(partition, max(start, first), min(end, last + 1))

    def kept(self, partition: int) -> tuple[int, int]:
        """Offsets [start, end) that the partition has now; none where there is no such partition."""
        if partition not in self.partitions:
            return 0, 0
        try:
            return self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ANSWER_WITHIN_S)
        except KafkaException as error:
            raise BrokerUnreachable(self._bootstrap, str(error.args[0].str())) from error

    def _records(self, partition: int, start: int, end: int) -> Iterator[Stored]:
        position = start
        if position < end:
            self._consumer.assign([TopicPartition(self._topic, partition, start)])
        while position < end:
            messages = self._consumer.consume(min(_BATCH_COUNT, end - position), timeout=_ANSWER_WITHIN_S)
            if not messages:
                raise BrokerUnreachable(self._bootstrap, f"{self._topic}-{partition} says nothing at {position} of {end}")
            for message in messages:
                if self._is_end(message):
                    return
                record = _stored(message)
                if record.offset >= end:
                    return
                position = record.offset + 1
                yield record

    def _is_end(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        raise BrokerUnreachable(self._bootstrap, error.str())


def open_records(bootstrap: str, topic: str) -> closing[RecordReader]:
    """A reader for a `with` block."""
    return closing(RecordReader(bootstrap, topic))


def _stored(message: Message) -> Stored:
    key, value = message.key(), message.value()
    headers = {name: _text(content) for name, content in message.headers() or ()}
    return Stored(
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        key.encode() if isinstance(key, str) else key,
        headers,
        value.encode() if isinstance(value, str) else value or b"",
    )


def _text(content: str | bytes | None) -> str:
    return content if isinstance(content, str) else (content or b"").decode("utf-8", "backslashreplace")
