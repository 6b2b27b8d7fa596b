"""One dead letter: what it says, what the message was, and what a person can do about it. Pure and total.

Not here: reading the topic (adapters/kafka_records), sending again (replay)."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgspec

from stock_platform.adapters.kafka_records import Stored
from stock_platform.contracts.epoch import EPOCH
from stock_platform.feed.tick import CONTINUOUS, from_epoch_ms

UNREADABLE = "not_a_letter"
"""Reason of a record that is no dead letter."""
TOO_LATE = "too_late"
"""The job's reason for a tick that came when its bar could no longer be changed."""

_STEPS = {
    "too_late": "the tick is in the topic: `stock-platform restate --session DATE` of its session takes it in",
    "empty": "nothing was in the message, so that there is nothing to send again: look at who writes to the topic",
    "no_price": "the vendor has no price of the symbol: take it off the watchlist, or leave it",
    "not_subscribed": "if the symbol is wanted, add it to the watchlist; then send the letter again",
    "spike": "if other sources have that price, send the letter again: it is published as suspect",
    "unit_mismatch": "if the currency on the watchlist is wrong, correct it; then send the letter again",
    "ahead_of_time": "compare this machine's clock with the vendor's; the tick itself cannot be dated",
    "outside_calendar": "render a longer calendar (stock_platform/calendars/export.py); then send the letter again",
}
_STEP_OF_JOB = "mend the reader of ticks or the writer of the message; then send the letter again, its bytes as they are"
_STEP_OF_FEED = "mend the decoder, if the vendor has changed its messages; then send the letter again"
_STEP_OF_NONE = "look at who else writes to the topic of dead letters: this is none of the platform's"


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of market.ticks.dlq.v1.

    Args:
        partition, offset: Its own place among the dead letters.
        payload: The message's original bytes.
        kafka_topic, kafka_partition, kafka_offset: Where the message is; None where the feed refused it before Kafka.
        headers: Of the letter itself; the feed names its line there.
    """

    partition: int
    offset: int
    reason: str
    detail: str
    payload: bytes
    ts_dead: datetime
    kafka_topic: str | None
    kafka_partition: int | None
    kafka_offset: int | None
    headers: Mapping[str, str]

    @property
    def id(self) -> str:
        """What a person calls it by."""
        return f"{self.partition}-{self.offset}"

    @property
    def is_continuous(self) -> bool:
        """Whether the line knew that nothing of the symbol was missing before it."""
        return self.headers.get(CONTINUOUS) == "true"

    @property
    def identity(self) -> tuple[object, ...] | None:
        """By which a repeat of the job's is known; None of the feed's, which repeats nothing."""
        return None if self.kafka_topic is None else (self.kafka_topic, self.kafka_partition, self.kafka_offset, self.reason)

    @property
    def symbol(self) -> str | None:
        """Symbol in the message, where it can be read."""
        fields = json_fields(self.payload)
        found = fields.get("symbol") or (_frame_fields(self.payload) or {}).get("id")
        return found if isinstance(found, str) else None

    @property
    def step(self) -> str:
        """What to do next, in a sentence."""
        if self.reason == UNREADABLE:
            return _STEP_OF_NONE
        return _STEPS.get(self.reason) or (_STEP_OF_FEED if self.kafka_topic is None else _STEP_OF_JOB)


class _Message(msgspec.Struct):
    reason: str
    detail: str | None
    payload_base64: str
    ts_dead: int
    kafka_topic: str | None = None
    kafka_partition: int | None = None
    kafka_offset: int | None = None


_decode = msgspec.json.Decoder(_Message).decode


def letter_of(record: Stored) -> Letter:
    """The letter in a record; what is none becomes one that says so."""
    try:
        said = _decode(record.value)
        payload, ts_dead = base64.b64decode(said.payload_base64, validate=True), from_epoch_ms(said.ts_dead)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError, OverflowError) as error:
        ts = EPOCH if record.ts_ms < 0 else from_epoch_ms(record.ts_ms)
        return Letter(record.partition, record.offset, UNREADABLE, str(error), record.value, ts, None, None, None, record.headers)
    return Letter(
        record.partition,
        record.offset,
        said.reason,
        said.detail or "",
        payload,
        ts_dead,
        said.kafka_topic,
        said.kafka_partition,
        said.kafka_offset,
        record.headers,
    )


def json_fields(payload: bytes) -> Mapping[str, Any]:
    """Fields of a JSON object; none of what is no such thing."""
    try:
        value: object = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}


def readable(payload: bytes) -> str:
    """The original bytes for a person: a vendor's frame by its fields, JSON indented, text as it is, else hexadecimal."""
    if (frame := _frame_fields(payload)) is not None:
        return json.dumps(frame, indent=2, ensure_ascii=False, default=str)
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    return text if text.isprintable() else payload.hex(" ")


def _frame_fields(payload: bytes) -> Mapping[str, Any] | None:
    from stock_platform.feed.yahoo.pricing import fields_of  # noqa: PLC0415 - protobuf costs 0.2 s, for most runs in vain

    return fields_of(payload)
