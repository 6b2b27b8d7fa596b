"""Door to Kafka, the writing side: is the broker there, do the topics exist, and a producer that loses nothing.

Not here: how far readers and lines have come (kafka_progress)."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    OffsetSpec,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)
from confluent_kafka.cimpl import NewTopic

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.kafka_security import client_options
from stock_platform.contracts.tick import DEAD_LETTER, LONGEST_LETTER_BYTES, LONGEST_TICK_BYTES, QUOTE_UPDATE, TICK
from stock_platform.errors import DeliveryFailed, TopicMissing
from stock_platform.errors.stream import TopicSettingsRefused

_ANSWER_WITHIN_S = 10.0
_LED_WITHIN = timedelta(seconds=20)
_QUEUE_COUNT = 200_000
"""Messages that wait inside librdkafka: 60 MB at most. Callers stop far below it, see `in_flight`."""
TICKS_KEPT = timedelta(days=14)
_QUIET = {"log_level": "0"}
"""librdkafka writes each attempt to connect to stderr; callers report what matters."""
_NO_LIMIT = str(2**63 - 1)


@dataclass(frozen=True)
class TopicSpec:
    """A topic as it must be."""

    name: str
    partition_count: int
    settings: Mapping[str, str] = field(default_factory=lambda: {})


def market_topics(*, retention: timedelta | None = None, retention_bytes: int = -1) -> tuple[TopicSpec, ...]:
    """The platform's three topics.

    Args:
        retention: Age at which ticks are dropped; None keeps them: a replayed tape's records are years old at birth.
        retention_bytes: Size a partition is held to; -1 for no limit.
    """
    kept = {
        "retention.ms": "-1" if retention is None else str(retention // timedelta(milliseconds=1)),
        "retention.bytes": str(retention_bytes),
        "message.timestamp.type": "CreateTime",
        # A tape played as live at a higher speed runs ahead of the wall clock; the default refuses more than an hour.
        "message.timestamp.after.max.ms": _NO_LIMIT,
    }
    return (
        TopicSpec(TICK.address, 4, {**kept, "max.message.bytes": str(LONGEST_TICK_BYTES)}),
        TopicSpec(DEAD_LETTER.address, 1, {**kept, "max.message.bytes": str(LONGEST_LETTER_BYTES)}),
        TopicSpec(QUOTE_UPDATE.address, 4, {"cleanup.policy": "compact", "message.timestamp.after.max.ms": _NO_LIMIT}),
    )


def broker_problem(bootstrap: str, *, within: timedelta = timedelta(seconds=5)) -> str | None:
    """None when the broker answers, else why not."""
    try:
        AdminClient({**client_options(bootstrap), **_QUIET}).list_topics(timeout=within.total_seconds())
    except KafkaException as error:
        return _text(error)
    return None


def ensure_topics(bootstrap: str, specs: Sequence[TopicSpec]) -> None:
    """Create the topics that are not there, and give the others the settings they lack; their partitions stay as they are.

    Raises:
        TopicMissing: the broker did not create one.
        TopicSettingsRefused: the broker keeps another setting.
    """
    admin = AdminClient({**client_options(bootstrap), **_QUIET})
    new = [
        NewTopic(spec.name, num_partitions=spec.partition_count, replication_factor=1, config=dict(spec.settings)) for spec in specs
    ]
    answers = cast(dict[str, Any], admin.create_topics(new, operation_timeout=_ANSWER_WITHIN_S))  # pyright: ignore[reportUnknownMemberType]
    for name, created in answers.items():
        try:
            created.result(timeout=2 * _ANSWER_WITHIN_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicMissing(name, bootstrap) from error
    for spec in specs:
        if not wait_until(lambda topic=spec.name: _is_led(admin, topic), SystemClock(), within=_LED_WITHIN):
            raise TopicMissing(spec.name, bootstrap)
    _settle(admin, bootstrap, specs)


def _settle(admin: AdminClient, bootstrap: str, specs: Sequence[TopicSpec]) -> None:
    """Settings of topics from before an upgrade; what is as it must be is not written."""
    asked = cast(dict[ConfigResource, Any], admin.describe_configs([_resource(spec, {}) for spec in specs]))  # pyright: ignore[reportUnknownMemberType]
    try:
        found = {resource.name: answer.result(timeout=_ANSWER_WITHIN_S) for resource, answer in asked.items()}
        changes = [(spec, _differences(spec, found[spec.name])) for spec in specs]
        changed = [_resource(spec, settings) for spec, settings in changes if settings]
        written = cast(dict[ConfigResource, Any], admin.incremental_alter_configs(changed) if changed else {})  # pyright: ignore[reportUnknownMemberType]
        for answer in written.values():
            answer.result(timeout=_ANSWER_WITHIN_S)
    except KafkaException as error:
        raise TopicSettingsRefused([spec.name for spec in specs], bootstrap, _text(error)) from error


def _differences(spec: TopicSpec, found: Mapping[str, ConfigEntry]) -> dict[str, str]:
    return {name: value for name, value in spec.settings.items() if found[name].value != value}


def _resource(spec: TopicSpec, settings: Mapping[str, str]) -> ConfigResource:
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, spec.name, incremental_configs=entries)


def _is_led(admin: AdminClient, topic: str) -> bool:
    """Whether every partition of the topic takes records; a new one needs a moment."""
    found = admin.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic]
    if found.error or not found.partitions:
        return False
    asked = {TopicPartition(topic, partition): cast(OffsetSpec, OffsetSpec.latest()) for partition in found.partitions}
    ends = cast(dict[TopicPartition, Any], admin.list_offsets(asked))  # pyright: ignore[reportUnknownMemberType]
    return all(end.exception(timeout=_ANSWER_WITHIN_S) is None for end in ends.values())


def partition_of(key: str, partition_count: int) -> int:
    """Partition of a key: CRC32, what librdkafka's `consistent` partitioner computes."""
    return zlib.crc32(key.encode()) % partition_count


class KafkaProducer:
    """Writes records in order: idempotent, acknowledged by all, retried for two minutes.

    Delivery: what `flush` confirms is stored, in order per partition, and once. A broker that crashes forgets the producers whose
    newest record is older than a day by its own time, as a tape's are: it may then store twice what was under way. A broker that
    is away for less than two minutes is waited for; after that `send` and `flush` raise, and the caller starts again from what
    was acknowledged.
    """

    def __init__(self, bootstrap: str, *, client_id: str, delivery_within: timedelta = timedelta(seconds=120)) -> None:
        self.bootstrap = bootstrap
        self._failure: DeliveryFailed | None = None
        self._is_abandoned = False
        self._partition_counts: dict[str, int] = {}
        self._producer = Producer(
            {
                **client_options(bootstrap),
                "client.id": client_id,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 5,
                "delivery.timeout.ms": delivery_within // timedelta(milliseconds=1),
                "queue.buffering.max.messages": _QUEUE_COUNT,
                "message.max.bytes": LONGEST_LETTER_BYTES,
                "on_delivery": self._delivered,
                **_QUIET,
            }
        )

    @property
    def in_flight(self) -> int:
        """Records sent but not acknowledged."""
        return len(self._producer)

    def partition_count(self, topic: str) -> int:
        """How many partitions the topic has.

        Raises:
            TopicMissing: it is not there, or the broker does not answer.
        """
        if topic not in self._partition_counts:
            self._partition_counts[topic] = self._ask_partition_count(topic)
        return self._partition_counts[topic]

    def _ask_partition_count(self, topic: str) -> int:
        try:
            found = self._producer.list_topics(topic, timeout=_ANSWER_WITHIN_S).topics[topic]
        except KafkaException as error:
            raise TopicMissing(topic, self.bootstrap) from error
        if found.error or not found.partitions:
            raise TopicMissing(topic, self.bootstrap)
        return len(found.partitions)

    def send(self, topic: str, *, key: str | None, value: bytes, headers: Mapping[str, str], timestamp_ms: int) -> None:
        """Hand one record over; waits while the queue is full.

        Args:
            key: Chooses the partition; None is partition 0.
            timestamp_ms: Kafka's time of the record.

        Raises:
            DeliveryFailed: an earlier record could not be delivered.
        """
        partition = 0 if key is None else partition_of(key, self.partition_count(topic))
        while not self._try_send(topic, partition, key, value, headers=headers, timestamp_ms=timestamp_ms):
            self._producer.poll(0.1)
        self._producer.poll(0)
        self._raise_failure()

    def _try_send(
        self,
        topic: str,
        partition: int,
        key: str | None,
        value: bytes,
        *,
        headers: Mapping[str, str],
        timestamp_ms: int,
    ) -> bool:
        self._raise_failure()
        try:
            self._producer.produce(topic, value, key, partition=partition, timestamp=timestamp_ms, headers=list(headers.items()))
        except BufferError:
            return False
        return True

    def flush(self, within: timedelta) -> bool:
        """Wait for the acknowledgement of everything sent; False when some is still open.

        Raises:
            DeliveryFailed: a record could not be delivered.
        """
        remaining = self._producer.flush(within.total_seconds())
        self._raise_failure()
        return remaining == 0

    def abandon(self) -> None:
        """Drop what is not acknowledged; the producer is of no use afterwards."""
        self._is_abandoned = True
        self._producer.purge()
        self._producer.flush(_ANSWER_WITHIN_S)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self._is_abandoned:
            self._failure = DeliveryFailed(message.topic() or "?", self.bootstrap, error.str())

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _text(error: KafkaException) -> str:
    return str(error.args[0].str()) if error.args else str(error)
