"""Yahoo's PricingData: the schema, and frames to candidates and back. Not here: the connection (stream).

The message is proto2, because a pre-market frame carries an explicit market_hours 0 that proto3 hides, and lives in a
pool of its own, because a second `PricingData` in the default pool breaks once yfinance is imported.
Source: yfinance 1.7.0, pricing.proto."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from stock_platform.feed.tick import Candidate, Refusal, from_epoch_ms

_FIELDS = (
    "string id, float price, sint64 time, string currency, string exchange, int32 quote_type, int32 market_hours, "
    "float change_percent, sint64 day_volume, float day_high, float day_low, float change, string short_name, "
    "sint64 expire_date, float open_price, float previous_close, float strike_price, string underlying_symbol, "
    "sint64 open_interest, sint64 options_type, sint64 mini_option, sint64 last_size, float bid, sint64 bid_size, "
    "float ask, sint64 ask_size, sint64 price_hint, sint64 vol_24hr, sint64 vol_all_currencies, string from_currency, "
    "string last_market, double circulating_supply, double market_cap"
)
"""In the order of their numbers, from 1. `time` is zigzag: read as int64 it doubles."""

_PACKAGE = "stock_platform.feed"


def _message_class() -> Any:
    """The class of PricingData: upb's, made at import."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}/pricing.proto", package=_PACKAGE, syntax="proto2")
    described = file.message_type.add(name="PricingData")
    for number, text in enumerate(_FIELDS.split(", "), start=1):
        kind, name = text.split()
        described.field.add(
            name=name,
            number=number,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            type=getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{kind.upper()}"),
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.PricingData"))


PricingData = _message_class()


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the stream, as it came.

    Args:
        ts_connected: Since when its connection has been up.
        line_seq: Position in the line's own order.
    """

    body: bytes
    ts_recv: datetime
    ts_connected: datetime
    line_seq: int


def decode(frame: Frame) -> Candidate | Refusal:
    """A frame as a candidate, or why it is none. Total: never raises."""
    try:
        pricing = parse(frame.body)
    except _Unreadable as problem:
        return Refusal(problem.reason, str(problem), frame.ts_recv, frame.line_seq, lambda: frame.body)
    return _candidate(pricing, frame)


class _Unreadable(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse(body: bytes) -> Any:
    """The PricingData in a frame's JSON envelope; fields that the schema does not know stay in it."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Unreadable("not_json", str(error)) from error
    if not isinstance(envelope, dict) or not isinstance(text := envelope.get("message"), str):  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        raise _Unreadable("not_pricing", "the envelope has no message")
    try:
        return PricingData.FromString(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise _Unreadable("not_base64", str(error)) from error
    except message.DecodeError as error:
        raise _Unreadable("not_protobuf", str(error)) from error


def _candidate(pricing: Any, frame: Frame) -> Candidate | Refusal:
    try:
        ts_event = from_epoch_ms(pricing.time)
    except OverflowError:
        detail = f"time {pricing.time} ms is no date"
        return Refusal("time_invalid", detail, frame.ts_recv, frame.line_seq, lambda: frame.body)
    return Candidate(
        symbol=pricing.id,
        price=_decimal(pricing.price),
        day_volume=pricing.day_volume if pricing.HasField("day_volume") else None,
        size=_size(pricing),
        ts_event=ts_event,
        ts_recv=frame.ts_recv,
        previous_close=_decimal(pricing.previous_close) if pricing.previous_close > 0 else None,
        ts_connected=frame.ts_connected,
        line_seq=frame.line_seq,
        payload=lambda: frame.body,
    )


def _decimal(value: float) -> Decimal:
    """Shortest decimal of a float32: 7 significant digits. NaN and infinity stay what they are."""
    return Decimal(f"{value:.7g}")


def _size(pricing: Any) -> int | None:
    """Crypto frames repeat the day's volume as the last size: no size at all."""
    if not pricing.HasField("last_size") or pricing.last_size == pricing.day_volume:
        return None
    return pricing.last_size


def encode(**fields: object) -> str:
    """A frame as Yahoo sends it; the simulator's half of the protocol."""
    text = base64.b64encode(PricingData(**fields).SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": text}, separators=(",", ":"))
