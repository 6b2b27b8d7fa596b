"""Dead letters sent to market.ticks.v1 again, each with a header that names its letter and a line in a file of replays.

Delivery: at least once; a repeat is harmless, because a bar and a quote count a tick once. Unit of parallelism: the letter."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.kafka_records import Stored
from stock_platform.contracts.tick import TICK
from stock_platform.errors import DeliveryFailed
from stock_platform.feed.dead_letters.again import tick_again
from stock_platform.feed.dead_letters.letter import TOO_LATE, UNREADABLE, Letter, json_fields
from stock_platform.feed.tick import Refusal, epoch_ms, from_epoch_ms, tick_json
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.answer import integer_of

_LOG = logging.getLogger(__name__)
HEADER = "dead_letter"
"""Names the letter in what is sent."""
_PLACES = frozenset({"line", "line_seq"})
"""Headers by which a restarted tape finds its newest tick: they must not come again at the topic's end."""
_FLUSH_WITHIN = timedelta(seconds=30)


class Outgoing(NamedTuple):
    """A record that is to be sent."""

    key: str | None
    value: bytes
    headers: dict[str, str]
    ts_ms: int


class Outcome(NamedTuple):
    """What became of a letter.

    Args:
        state: `ready` in a dry run.
        detail: What was sent, or why not.
    """

    letter: Letter
    state: Literal["sent", "ready", "refused"]
    detail: str


@dataclass(frozen=True)
class World:
    """What a letter is judged by now.

    Args:
        is_shifted: A tape is played as if it were live: its letters hold its own times.
        late_limit: Beyond it the stream job refuses a tick as too late; zero: never.
        original: The message of a letter of the stream job, if Kafka still has it.
        now: Kafka's time of what is sent; a tape's ticks keep their own.
    """

    instruments: Sequence[Instrument]
    source: str
    is_shifted: bool
    late_limit: timedelta
    original: Callable[[Letter], Stored | None]
    now: datetime


def prepare(letter: Letter, world: World) -> Outgoing | str:
    """What would be sent, or the sentence why nothing is."""
    if letter.reason == UNREADABLE:
        return "it is no dead letter of the platform's"
    if letter.kafka_topic is None:
        return _of_feed(letter, world)
    if letter.kafka_topic != TICK.address:
        return f"it is of topic {letter.kafka_topic}; only {TICK.address} is written to"
    return _of_job(letter, world)


def _of_feed(letter: Letter, world: World) -> Outgoing | str:
    """The tick that today's decoder makes of the vendor's bytes."""
    if world.is_shifted:
        return "the tape is played as if it were live, and the letter holds the tape's own time: play the tape again instead"
    found = tick_again(letter, world.instruments, source=world.source)
    if isinstance(found, Refusal):
        return f"still no tick: {found.reason}: {found.detail}"
    ts = found.ts_event if world.source == "tape" else world.now
    return Outgoing(found.symbol, tick_json(found), {HEADER: letter.id}, epoch_ms(ts))


def _of_job(letter: Letter, world: World) -> Outgoing | str:
    """The original bytes, key and headers; not what restatement reads anyway."""
    if letter.reason == TOO_LATE or _is_late(letter, world):
        return (
            f"too late for its bar in the stream, and in {letter.kafka_topic} already (partition {letter.kafka_partition}, offset "
            f"{letter.kafka_offset}): `stock-platform restate --session {_day(letter)}` picks it up"
        )
    if not letter.payload:
        return "the message was empty: there is nothing to send"
    original = world.original(letter)
    headers: dict[str, str] = {} if original is None else {n: text for n, text in original.headers.items() if n not in _PLACES}
    ts_ms = epoch_ms(letter.ts_dead if world.source == "tape" else world.now)
    return Outgoing(_key(letter, original), letter.payload, {**headers, HEADER: letter.id}, ts_ms)


def _key(letter: Letter, original: Stored | None) -> str | None:
    """The original key; of a message that Kafka has no more its symbol."""
    if original is None:
        return letter.symbol
    return None if original.key is None else original.key.decode("utf-8", "backslashreplace")


def _ts_event(letter: Letter) -> datetime | None:
    ms = integer_of(json_fields(letter.payload).get("ts_event"))
    try:
        return None if ms is None else from_epoch_ms(ms)
    except OverflowError:
        return None


def _is_late(letter: Letter, world: World) -> bool:
    ts_event = _ts_event(letter)
    return bool(world.late_limit) and ts_event is not None and world.now - ts_event > world.late_limit


def _day(letter: Letter) -> str:
    """The UTC day of the tick: a session's day, but for exchanges that open on the evening before."""
    ts_event = _ts_event(letter)
    return f"{ts_event:%Y-%m-%d}" if ts_event else "DATE"


def replay(letters: Sequence[Letter], world: World, producer: KafkaProducer, *, trail: Path) -> list[Outcome]:
    """Send what can be sent, wait for Kafka, then write the trail: one line a letter, refused ones included.

    Raises:
        DeliveryFailed: Kafka did not acknowledge; nothing of these letters is in the trail. Try again: repeats are harmless.
    """
    outcomes = [_send(letter, world, producer) for letter in letters]
    if not producer.flush(_FLUSH_WITHIN):
        raise DeliveryFailed(TICK.address, producer.bootstrap, f"not within {_FLUSH_WITHIN.total_seconds():.0f} s")
    trail.parent.mkdir(parents=True, exist_ok=True)
    with trail.open("a") as file:
        file.writelines(json.dumps(_entry(outcome, world.now)) + "\n" for outcome in outcomes)
    _LOG.info("dead letters replayed: sent=%d refused=%d", *(sum(o.state == s for o in outcomes) for s in ("sent", "refused")))
    return outcomes


def rehearse(letters: Sequence[Letter], world: World) -> list[Outcome]:
    """What a replay would do."""
    found = ((letter, prepare(letter, world)) for letter in letters)
    return [_refused(letter, out) if isinstance(out, str) else Outcome(letter, "ready", _told(out)) for letter, out in found]


def _send(letter: Letter, world: World, producer: KafkaProducer) -> Outcome:
    out = prepare(letter, world)
    if isinstance(out, str):
        return _refused(letter, out)
    producer.send(TICK.address, key=out.key, value=out.value, headers=out.headers, timestamp_ms=out.ts_ms)
    return Outcome(letter, "sent", _told(out))


def _refused(letter: Letter, why: str) -> Outcome:
    return Outcome(letter, "refused", why)


def _told(out: Outgoing) -> str:
    return f"{TICK.address}, key {out.key or '-'}, {len(out.value)} bytes, header {HEADER}={out.headers[HEADER]}"


def _entry(outcome: Outcome, now: datetime) -> dict[str, str]:
    return {
        "ts": now.isoformat(),
        "id": outcome.letter.id,
        "reason": outcome.letter.reason,
        "outcome": outcome.state,
        "detail": outcome.detail,
    }


def replays_of(letter: Letter, trail: Path) -> list[dict[str, str]]:
    """Lines of the trail that are about a letter, oldest first."""
    if not trail.exists():
        return []
    with trail.open() as file:
        entries = (json.loads(line) for line in file if f'"{letter.id}"' in line)
        return [entry for entry in entries if entry["id"] == letter.id]
