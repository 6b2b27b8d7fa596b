"""What Kafka has of minutes without a bar: their ticks, counted. No group's offsets are moved.

Reads only the partitions of the symbols that are asked for, and of them the stretch of time in question. Not here: messages that
were refused (repair/look), what follows from it (classes)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from stock_platform.adapters.kafka import partition_of
from stock_platform.adapters.kafka_range import OffsetRange, offset_ranges, oldest_offsets, read_batches
from stock_platform.contracts.tick import TICK
from stock_platform.market.session_minutes import Minute, instant_of, minute_of
from stock_platform.market.tick_message import tick_of

EARLIER, LATER = timedelta(minutes=2), timedelta(minutes=5)
"""Kafka's time is our clock at arrival, the tick's is the vendor's. What came later than this made a bar, or is a dead letter."""


class _Place(msgspec.Struct):
    """As much of a message as says whether it is asked for."""

    symbol: str
    ts_event: int


_place = msgspec.json.Decoder(_Place).decode


@dataclass(frozen=True)
class Ticks:
    """Distinct ticks by symbol, minute and phase.

    Args:
        dropped: Symbols of whose time the topic has lost the beginning.
    """

    counts: Mapping[tuple[str, Minute, str], int]
    dropped: frozenset[str]


def span(wanted: Mapping[str, Iterable[Minute]], *, delay: timedelta) -> tuple[datetime, datetime]:
    """Kafka's time in which the messages of these minutes came.

    Args:
        delay: How late the vendor brings the latest of its exchanges.
    """
    minutes = {minute for each in wanted.values() for minute in each}
    return instant_of(min(minutes)) - EARLIER, instant_of(max(minutes) + 1) + delay + LATER


def ticks_in_topic(bootstrap: str, wanted: Mapping[str, frozenset[Minute]], *, since: datetime, until: datetime) -> Ticks:
    """Ticks of these minutes.

    Raises:
        TopicMissing, BrokerUnreachable: Kafka does not answer.
    """
    ranges = offset_ranges(bootstrap, TICK.address, since=since, until=until)
    oldest = oldest_offsets(bootstrap, TICK.address)
    places = {symbol: partition_of(symbol, len(ranges)) for symbol in wanted}
    asked = [each for each in ranges if each.partition in places.values() and each.start < each.end]
    lost = {each.partition for each in ranges if 0 < oldest[each.partition] >= each.start}
    distinct = {found for each in asked for found in _distinct(bootstrap, each, wanted)}
    counts = Counter(found[:3] for found in distinct)
    return Ticks(counts, frozenset(symbol for symbol, partition in places.items() if partition in lost))


def _distinct(
    bootstrap: str, where: OffsetRange, wanted: Mapping[str, frozenset[Minute]]
) -> Iterator[tuple[str, Minute, str, tuple[object, ...]]]:
    """Symbol, minute, phase and identity of each tick that is asked for; two lines bring the same tick."""
    for batch in read_batches(bootstrap, TICK.address, where):
        for record in batch:
            if _is_wanted(record.value, wanted) and (tick := tick_of(record.value)) is not None:
                identity = (tick.day_volume, tick.ts_event, tick.price)
                yield tick.symbol, minute_of(tick.ts_event), tick.session_phase, identity


def _is_wanted(value: bytes, wanted: Mapping[str, frozenset[Minute]]) -> bool:
    try:
        place = _place(value)
    except msgspec.MsgspecError:
        return False
    return place.ts_event // 60_000 in wanted.get(place.symbol, ())
