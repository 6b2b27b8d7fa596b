"""Yahoo's PricingData: the schema, and frames to candidates and back. Not here: the connection (stream).

The message is proto2, because a pre-market frame carries an explicit market_hours 0 that proto3 hides, and lives in a
pool of its own, because a second `PricingData` in the default pool breaks once yfinance is imported.
Source: yfinance 1.7.0, pricing.proto."""

import base64
import json
import logging
from collections import Counter
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from google.protobuf.unknown_fields import UnknownFieldSet

from stock_platform.contracts.epoch import EPOCH
from stock_platform.feed.tick import Candidate, Refusal, from_epoch_ms

_LOG = logging.getLogger(__name__)

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
_KNOWN_PHASES = frozenset(range(5))
"""Pre, regular, post, extended, and 4, seen overnight."""
_CHANGES_SINCE_CLOSE = frozenset({0, 1, 4})
"""Pre, regular and overnight frames."""
_CURRENCY = 14
COIN = 41
"""Quote types of a currency pair and of a coin."""
_WITHOUT_SESSION_VOLUME = frozenset({_CURRENCY, COIN})
"""Quote types without a volume that counts up from the open: a coin's is that of the last 24 hours, and its size the same number
once more (captured frames); a currency pair has none."""
_DIGITS = (2, 6)
_SCALES = tuple(10**digits for digits in range(_DIGITS[1] + 1))
_CLOSE_LIMIT = 1e9
_NEWS_LIMIT = 100
"""So many distinct numbers are counted apart; the rest, which only a broken vendor sends, under -1."""


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
_from_wire = PricingData.FromString
_instant = lru_cache(maxsize=1 << 10)(from_epoch_ms)
"""Yahoo's times are whole seconds: a second's frames share theirs."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message of the stream, as it came. Called, it gives its bytes: it is its candidate's payload.

    Args:
        ts_connected: Since when its connection has been up.
        line_seq: Position in the line's own order.
    """

    body: bytes
    ts_recv: datetime
    ts_connected: datetime
    line_seq: int

    def __call__(self) -> bytes:
        """The original bytes."""
        return self.body


class _Envelope(msgspec.Struct):
    message: bytes
    type: Literal["pricing"] = "pricing"


_open = msgspec.json.Decoder(_Envelope).decode


class _Unreadable(Exception):
    def __init__(self, reason: str, detail: object) -> None:
        super().__init__(str(detail))
        self.reason = reason


class Decoder:
    """Reads the frames of one line, and counts what the schema does not know.

    Attributes:
        unknown_fields: Frames by the number of a field that the schema lacks.
        unknown_phases: Frames by a market_hours that nobody has described.
    """

    def __init__(self) -> None:
        self.unknown_fields: Counter[int] = Counter()
        self.unknown_phases: Counter[int] = Counter()

    def decode(self, frame: Frame) -> Candidate | Refusal:
        """A frame as a candidate, or why it is none. Total: never raises."""
        try:
            pricing = parse(frame.body)
            candidate = _candidate(pricing, frame)
        except _Unreadable as problem:
            return Refusal(problem.reason, str(problem), frame.ts_recv, frame.line_seq, frame)
        if unknown := UnknownFieldSet(pricing):
            for number in {field.field_number for field in unknown}:
                _count(self.unknown_fields, number, what="field", body=frame.body)
        if candidate.vendor_phase not in _KNOWN_PHASES and candidate.vendor_phase is not None:
            _count(self.unknown_phases, candidate.vendor_phase, what="market_hours", body=frame.body)
        return candidate


def _count(seen: Counter[int], number: int, *, what: str, body: bytes) -> None:
    """Count it; a new one is told once, with the frame that brought it."""
    if number not in seen and len(seen) >= _NEWS_LIMIT:
        number = -1
    if number not in seen:
        _LOG.warning("Yahoo sends what the schema does not know: %s=%d frame=%s", what, number, body)
    seen[number] += 1


def parse(body: bytes) -> Any:
    """The PricingData in a frame's JSON envelope; fields that the schema does not know stay in it."""
    try:
        return _from_wire(_open(body).message)
    except message.DecodeError as error:
        raise _Unreadable("not_protobuf", error) from error
    except msgspec.ValidationError as error:
        raise _Unreadable("not_base64" if "base64" in str(error) else "not_pricing", error) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _Unreadable("not_json", error) from error


def _candidate(pricing: Any, frame: Frame) -> Candidate:
    """The fields that matter; each is read once and by position, for reading them costs more than parsing the frame."""
    try:
        ts_event = _instant(pricing.time)
    except OverflowError as error:
        raise _Unreadable("time_invalid", f"time {pricing.time} ms is no date") from error
    if ts_event == EPOCH:
        raise _Unreadable("time_invalid", "the frame has no time")
    symbol, currency = pricing.id, pricing.currency
    if not isinstance(symbol, str) or not isinstance(currency, str):  # what is no UTF-8 stays bytes
        raise _Unreadable("not_protobuf", f"id {symbol!r} or currency {currency!r} is no text")
    price = pricing.price
    phase, day_volume, size = pricing.market_hours, pricing.day_volume, pricing.last_size
    if not phase and not pricing.HasField("market_hours"):
        phase = None
    if pricing.quote_type in _WITHOUT_SESSION_VOLUME:
        day_volume, size = None, 0
    elif not day_volume and not pricing.HasField("day_volume"):
        day_volume = None
    return Candidate(
        symbol,
        Decimal("%.7g" % price),  # noqa: UP031 - 80 ns less than the f-string
        day_volume,
        size if size > 0 else None,
        ts_event,
        frame.ts_recv,
        _previous_close(pricing, price, phase),
        frame.ts_connected,
        frame.line_seq,
        frame,
        False,
        phase,
        currency or None,
    )


def _previous_close(pricing: Any, price: float, phase: int | None) -> Decimal | None:
    """As the frame says it, else from price and change, which Yahoo computes in float32.

    A post-market frame counts its change from today's close, a coin's from 24 hours ago: that says nothing of it.
    """
    if (close := pricing.previous_close) > 0:
        return Decimal("%.7g" % close)  # noqa: UP031
    if phase not in _CHANGES_SINCE_CLOSE or pricing.quote_type == COIN:
        return None
    change = pricing.change
    if not change and not pricing.HasField("change"):
        return None
    return _rounded(price - change, pricing.price_hint)


def _rounded(value: float, digits: int) -> Decimal | None:
    """To the vendor's digits, two to six; None where that is no number."""
    if not 0 < value < _CLOSE_LIMIT:
        return None
    if not _DIGITS[0] <= digits <= _DIGITS[1]:
        digits = _DIGITS[digits > _DIGITS[1]]
    return _scaled(int(value * _SCALES[digits] + 0.5), digits)


@lru_cache(maxsize=1 << 16)
def _scaled(value: int, digits: int) -> Decimal:
    """Looked up, because a close lasts for a day."""
    return Decimal(value).scaleb(-digits)


def fields_of(body: bytes) -> dict[str, Any] | None:
    """A frame's fields by name, for a person; None of what is no frame."""
    try:
        return {field.name: value for field, value in parse(body).ListFields()}
    except _Unreadable:
        return None


def encode(**fields: object) -> str:
    """A frame as Yahoo sends it; the simulator's half of the protocol."""
    text = base64.b64encode(PricingData(**fields).SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": text}, separators=(",", ":"))
