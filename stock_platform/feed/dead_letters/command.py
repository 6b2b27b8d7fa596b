"""What the verbs `dead-letters …` do, from settings to results. Not here: words and tables (commands/dead_letters)."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.kafka_records import RecordReader, Stored, open_records
from stock_platform.config import Settings
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.errors import DeadLetterUnknown
from stock_platform.feed.choice import instruments_of
from stock_platform.feed.dead_letters.digest import Digest, Distinct, Wanted, digest
from stock_platform.feed.dead_letters.letter import Letter, letter_of
from stock_platform.feed.dead_letters.replay import Outcome, World, rehearse, replay

_BATCH_COUNT = 1_000
"""Letters that are sent, acknowledged and written down together."""


def digest_of(settings: Settings, wanted: Wanted, *, limit: int) -> Digest:
    """What a list shows of the profile's dead letters.

    Raises:
        BrokerUnreachable, TopicMissing: the stack does not run.
    """
    with open_records(settings.kafka_bootstrap, DEAD_LETTER.address) as topic:
        return digest(map(letter_of, topic.whole()), wanted, limit=limit)


def letter_by_id(settings: Settings, letter_id: str) -> Letter:
    """One letter.

    Raises:
        DeadLetterUnknown: no such id.
        BrokerUnreachable, TopicMissing: the stack does not run.
    """
    with open_records(settings.kafka_bootstrap, DEAD_LETTER.address) as topic:
        return _find(topic, letter_id)


def replayed(settings: Settings, letter_ids: Sequence[str], reason: str | None) -> Iterator[Sequence[Outcome]]:
    """Send letters again, a thousand at a time; what a yield holds is acknowledged and in the trail.

    Args:
        reason: Of all letters that are meant, where there are no ids.
    Raises:
        DeadLetterUnknown, BrokerUnreachable, TopicMissing, DeliveryFailed: see their sentences.
    """
    with closing(_selected(settings, letter_ids, reason)) as selected:
        producer = KafkaProducer(settings.kafka_bootstrap, client_id="dead-letters")
        for batch, world in selected:
            yield replay(batch, world, producer, trail=trail_of(settings))


def rehearsed(settings: Settings, letter_ids: Sequence[str], reason: str | None) -> Iterator[Sequence[Outcome]]:
    """What `replayed` would do; nothing is sent. Raises as that does."""
    with closing(_selected(settings, letter_ids, reason)) as selected:
        for batch, world in selected:
            yield rehearse(batch, world)


def trail_of(settings: Settings) -> Path:
    """File of the profile's replays: one JSON object a line."""
    return settings.home / "dead-letters" / "replays.jsonl"


def _selected(
    settings: Settings, letter_ids: Sequence[str], reason: str | None
) -> Generator[tuple[Sequence[Letter], World], None, None]:
    """The letters that are meant, in batches, each with the world that it is judged by."""
    bootstrap = settings.kafka_bootstrap
    with open_records(bootstrap, DEAD_LETTER.address) as topic, open_records(bootstrap, TICK.address) as ticks:
        rest = iter([_find(topic, each) for each in letter_ids] if letter_ids else _of_reason(topic, reason))
        while batch := list(islice(rest, _BATCH_COUNT)):
            yield batch, _world(settings, ticks)


def _find(topic: RecordReader, letter_id: str) -> Letter:
    partition, dash, offset = letter_id.partition("-")
    is_id = bool(dash) and partition.isdecimal() and offset.isdecimal()
    record = topic.at(int(partition), int(offset)) if is_id else None
    if record is None:
        raise DeadLetterUnknown(letter_id, DEAD_LETTER.address)
    return letter_of(record)


def _of_reason(topic: RecordReader, reason: str | None) -> Iterator[Letter]:
    return Distinct().of(letter for letter in map(letter_of, topic.whole()) if letter.reason == reason)


def _world(settings: Settings, ticks: RecordReader) -> World:
    def original(letter: Letter) -> Stored | None:
        return ticks.at(letter.kafka_partition or 0, letter.kafka_offset or 0)

    is_tape = settings.feed_kind == "tape"
    return World(
        instruments=instruments_of(settings),
        source=settings.feed_kind,
        is_shifted=is_tape and settings.feed_tape_as_live,
        late_limit=timedelta(0) if is_tape else timedelta(seconds=settings.flink_late_limit_s),
        original=original,
        now=SystemClock().now(),
    )
