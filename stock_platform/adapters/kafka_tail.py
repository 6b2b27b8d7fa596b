"""Door to Kafka, the listening side: follow a topic from shortly before its end, for as long as one wants.

Delivery: every follower is on its own, nothing is committed; a follower that starts again sees the newest messages again."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from confluent_kafka import Consumer, KafkaException, TopicPartition

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka_security import client_options
from stock_platform.errors import TopicMissing

_EVERY = 100
"""Messages between two looks at how far behind the follower is."""
_TIMEOUT_S = 10.0


class Tail:
    """The end of one topic.

    Args:
        back: How long before now messages begin: longer than it takes to read what the topic's state was.
    """

    def __init__(self, bootstrap: str, topic: str, *, clock: Clock, back: timedelta = timedelta(seconds=30)) -> None:
        self._bootstrap, self._topic = bootstrap, topic
        self._clock, self._back = clock, back
        self._lag: int | None = None

    def lag(self) -> int | None:
        """Messages that the follower has not been handed; None while it is not connected."""
        return self._lag

    def follow(self, should_stop: Callable[[], bool]) -> Iterator[bytes]:
        """Values of messages as they come. A broker that is away for a while is waited for.

        Raises:
            TopicMissing: there is no such topic, or no broker to ask.
        """
        settings = {
            **client_options(self._bootstrap),
            "group.id": "follower",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "fetch.wait.max.ms": 20,
            "log_level": "2",
        }
        consumer = Consumer(settings)
        try:
            consumer.assign(self._begin(consumer))
            yield from self._values(consumer, should_stop)
        except KafkaException as error:
            raise TopicMissing(self._topic, self._bootstrap) from error
        finally:
            self._lag = None
            consumer.close()

    def _begin(self, consumer: Consumer) -> list[TopicPartition]:
        """The first message of the time that is read again, else the end, of each partition."""
        found = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics[self._topic]
        if found.error:
            raise TopicMissing(self._topic, self._bootstrap)
        since_ms = int((self._clock.now() - self._back).timestamp() * 1000)
        asked = [TopicPartition(self._topic, partition, since_ms) for partition in found.partitions]
        return consumer.offsets_for_times(asked, timeout=_TIMEOUT_S)

    def _values(self, consumer: Consumer, should_stop: Callable[[], bool]) -> Iterator[bytes]:
        count = 0
        while not should_stop():
            # One at a time: a batch is handed over only when it is full or its time is up, and a quote would wait for that.
            message = consumer.poll(0.1)
            count += 1
            if message is None or count % _EVERY == 0:
                self._lag = _behind(consumer)
            value = message.value() if message and message.error() is None else None
            if value:
                yield value


def _behind(consumer: Consumer) -> int:
    """Messages between the follower and the ends that the broker told last."""
    places = consumer.position(consumer.assignment())
    ends = [consumer.get_watermark_offsets(place, cached=True)[1] for place in places]
    return sum(max(0, end - place.offset) for place, end in zip(places, ends, strict=True) if place.offset >= 0 <= end)
