"""Whole topics, read from beginning to end."""

from collections.abc import Iterator
from contextlib import closing

from confluent_kafka import Consumer, Message, TopicPartition


def messages(bootstrap: str, topic: str) -> Iterator[Message]:
    """Every message that the topic holds now, partition by partition."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "tests", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    with closing(Consumer(settings)) as consumer:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            yield from _until(consumer, TopicPartition(topic, partition, low), end)


def _until(consumer: Consumer, start: TopicPartition, end: int) -> Iterator[Message]:
    position = start.offset
    consumer.assign([start])
    while position < end:
        message = consumer.poll(10)
        assert message is not None, f"{start.topic}-{start.partition} ends at {end}, but nothing comes after {position}"
        assert message.error() is None, message.error()
        position = message.offset() + 1
        yield message
