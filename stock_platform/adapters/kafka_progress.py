"""Door to Kafka, the looking side: how far a line has published, and how far a reader has come.

Both read single records at the right place and move no group's offsets. Not here: writing (kafka)."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka_security import client_options
from stock_platform.errors import BrokerUnreachable, TopicMissing

_ANSWER_WITHIN_S = 10.0
_BATCH_COUNT = 1_000
_SCAN_COUNT = 1_000
"""First piece of a topic's end that is read in search of a line's newest record; each further one is 8 times longer."""
_SCAN_GROWTH = 8
_RETRY_AFTER = timedelta(milliseconds=100)
_NOT_YET = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE)
_CLOCK = SystemClock()
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class LinePosition:
    """The newest record of a line in one partition."""

    line_seq: int
    ts_event_ms: int | None


@dataclass(frozen=True)
class Progress:
    """How far a consumer group has come in one partition.

    Args:
        offset_next: First offset that the group has not committed as done.
        offset_end: Offset that the next record will get.
        ts_event_ms: Event time of the first readable record at or after offset_next; None when there is none.
    """

    offset_next: int
    offset_end: int
    ts_event_ms: int | None


def line_positions(bootstrap: str, topic: str, *, line: str) -> dict[int, LinePosition]:
    """Newest acknowledged record of the line in each partition that has one, whatever others wrote after it."""
    with closing(_consumer(bootstrap, "line-positions")) as consumer:
        found = {p: _newest(consumer, topic, p, line=line) for p in _partitions(consumer, topic, bootstrap)}
    return {partition: position for partition, position in found.items() if position is not None}


def progress(bootstrap: str, group: str, topic: str) -> dict[int, Progress]:
    """Committed and end offset of each partition, and the event time at which the group goes on.

    Records that are not JSON with a ts_event are passed over. A partition without a commit is at its beginning.

    Raises:
        TopicMissing: there is no such topic, or no broker.
        BrokerUnreachable: the broker went away meanwhile.
    """
    with progress_reader(bootstrap, group, topic) as read:
        return read()


@contextmanager
def progress_reader(bootstrap: str, group: str, topic: str) -> Generator[Callable[[], dict[int, Progress]]]:
    """The same, to be asked again and again: the connection stays."""
    with closing(_consumer(bootstrap, group)) as consumer:
        partitions = _partitions(consumer, topic, bootstrap)
        yield lambda: _read_progress(consumer, [TopicPartition(topic, p) for p in partitions], bootstrap)


def _read_progress(consumer: Consumer, asked: list[TopicPartition], bootstrap: str) -> dict[int, Progress]:
    try:
        committed = _patiently(lambda: consumer.committed(asked, timeout=_ANSWER_WITHIN_S))
        return {each.partition: _progress(consumer, each) for each in committed}
    except KafkaException as error:
        raise BrokerUnreachable(bootstrap, str(error)) from error


def _progress(consumer: Consumer, committed: TopicPartition) -> Progress:
    low, end = _bounds(consumer, committed.topic, committed.partition)
    offset = low if committed.offset == OFFSET_INVALID else max(low, committed.offset)
    records = _records(consumer, committed.topic, committed.partition, start=offset, end=end)
    instants = (_ts_event_ms(record.value()) for record in records)
    return Progress(offset, end, next((ts for ts in instants if ts is not None), None))


def _newest(consumer: Consumer, topic: str, partition: int, *, line: str) -> LinePosition | None:
    low, end = _bounds(consumer, topic, partition)
    count = _SCAN_COUNT
    while end > low:
        start = max(low, end - count)
        newest = None
        for record in _records(consumer, topic, partition, start=start, end=end):
            newest = _position(record, line) or newest
        if newest is not None:
            return newest
        end, count = start, count * _SCAN_GROWTH
    return None


def _position(record: Message, line: str) -> LinePosition | None:
    headers: dict[str, Any] = dict(record.headers() or ())
    if headers.get("line") != line.encode():
        return None
    text = headers.get("line_seq", b"")
    return LinePosition(int(text), _ts_event_ms(record.value())) if text and text.isdigit() else None


def _records(consumer: Consumer, topic: str, partition: int, *, start: int, end: int) -> Iterator[Message]:
    """Records of [start, end), oldest first; offsets that hold none are passed over."""
    if start >= end:
        return
    consumer.assign([TopicPartition(topic, partition, start)])
    # Ask for no more than is there, or the call waits for what may never come; one first, as often one is enough.
    position, count = start, 1
    while messages := consumer.consume(min(count, end - position), timeout=_ANSWER_WITHIN_S):
        for message in messages:
            offset = message.offset()
            if _is_end(message) or offset is None or offset >= end:
                return
            position = offset + 1
            yield message
            if position == end:
                return
        count = min(8 * count, _BATCH_COUNT)
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic}-{partition}: no record from {start} to {end}"))


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    raise KafkaException(error)


def _ts_event_ms(value: bytes | None) -> int | None:
    try:
        record = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    ts = record.get("ts_event") if isinstance(record, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return ts if isinstance(ts, int) else None


def _consumer(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            **client_options(bootstrap),
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "log_level": "0",
        }
    )


def _partitions(consumer: Consumer, topic: str, bootstrap: str) -> list[int]:
    try:
        found = consumer.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic]
    except KafkaException as error:
        raise TopicMissing(topic, bootstrap) from error
    if found.error or not found.partitions:
        raise TopicMissing(topic, bootstrap)
    return sorted(found.partitions)


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Lowest offset that is there, and the one that the next record will get."""
    return _patiently(lambda: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_WITHIN_S))


def _patiently(ask: Callable[[], _Found]) -> _Found:
    """Ask again while a partition changes its leader, or a broker that has just started looks for its groups."""
    deadline = _CLOCK.now() + timedelta(seconds=_ANSWER_WITHIN_S)
    while True:
        try:
            return ask()
        except KafkaException as error:
            problem = error.args[0]
            if _CLOCK.now() > deadline or not (problem.retriable() or problem.code() in _NOT_YET):
                raise
            _CLOCK.sleep(_RETRY_AFTER)
