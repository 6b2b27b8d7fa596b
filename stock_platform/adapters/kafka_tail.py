"""Door to Kafka, the listening side: follow a topic from its end, for as long as one wants.

Delivery: at most once to a listener that was not there; nothing is committed, each follower is on its own."""

import uuid
from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaException

from stock_platform.adapters.kafka_security import client_options
from stock_platform.errors import TopicMissing


def follow(bootstrap: str, topic: str, *, should_stop: Callable[[], bool]) -> Iterator[bytes]:
    """Values of new messages as they come. A broker that is away for a while is waited for.

    Raises:
        TopicMissing: there is no such topic.
    """
    consumer = Consumer(
        {
            **client_options(bootstrap),
            "group.id": f"follower-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "fetch.wait.max.ms": 20,
            "log_level": "2",
        }
    )
    try:
        found = consumer.list_topics(topic, timeout=10).topics[topic]
        if found.error:
            raise TopicMissing(topic, bootstrap)
        consumer.subscribe([topic])
        while not should_stop():
            # One at a time: a batch is handed over only when it is full or its time is up, and a quote would wait for that.
            message = consumer.poll(0.1)
            value = message.value() if message and message.error() is None else None
            if value:
                yield value
    except KafkaException as error:
        raise TopicMissing(topic, bootstrap) from error
    finally:
        consumer.close()
