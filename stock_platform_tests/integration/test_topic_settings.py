"""Settings of the platform's topics on a real broker: how large a message may be, and what an upgrade changes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from stock_platform.adapters.kafka import KafkaProducer, ensure_topics, market_topics
from stock_platform.contracts.tick import DEAD_LETTER, LONGEST_TICK_BYTES, TICK
from stock_platform_tests.broker import running_broker
from stock_platform_tests.topics import messages


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        ensure_topics(broker.bootstrap, market_topics())
        yield broker.bootstrap


def test_message_of_the_longest_letter_is_too_large_for_the_topic_of_ticks(bootstrap: str) -> None:
    errors: list[KafkaError | None] = []

    def note(error: KafkaError | None, message: Message) -> None:
        del message
        errors.append(error)

    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 3 * LONGEST_TICK_BYTES, "on_delivery": note})
    producer.produce(TICK.address, b"x" * (LONGEST_TICK_BYTES + 1))
    assert producer.flush(10) == 0
    assert [error and error.name() for error in errors] == ["MSG_SIZE_TOO_LARGE"]


def test_letter_about_the_longest_message_is_taken_from_the_feed(bootstrap: str) -> None:
    producer = KafkaProducer(bootstrap, client_id="test")
    letter = b"x" * (LONGEST_TICK_BYTES * 4 // 3 + 1000)
    producer.send(DEAD_LETTER.address, key=None, value=letter, headers={}, timestamp_ms=0)
    assert producer.flush(timedelta(seconds=10))
    assert [message.value() for message in messages(bootstrap, DEAD_LETTER.address)] == [letter]


def test_topic_from_before_an_upgrade_gets_the_settings_of_today(bootstrap: str) -> None:
    ensure_topics(bootstrap, market_topics(retention=timedelta(days=14)))
    settings = _settings(bootstrap, TICK.address)
    assert settings["retention.ms"] == "1209600000"
    assert settings["max.message.bytes"] == "1048576"


def _settings(bootstrap: str, topic: str) -> dict[str, str | None]:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in answer.result(10).items()}
