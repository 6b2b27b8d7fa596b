"""What travels through the feed: a candidate comes in, a tick or a refusal goes out, and how both look on Kafka.

Not here: what makes a candidate a tick (validation), where it is sent (publisher). Candidates and ticks come by the
thousand a second and hold nothing that could hold them, so the garbage collector need not look at them."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b

import msgspec

from stock_platform.contracts.epoch import EPOCH

MILLISECOND = timedelta(milliseconds=1)
_LONGEST_PLAIN = 20
"""Twelve digits, the point, six digits: a longer text is not plain."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """One decoded message of a vendor, not judged yet.

    Args:
        day_volume: As the vendor says it; None where the vendor does not.
        ts_connected: Since when the connection that brought it has been up; None where nothing can be lost (a tape).
        line_seq: Position in the line's own order.
        payload: The original bytes, made on demand.
        is_published: A restarted line has published it before; it only rebuilds the state.
        vendor_phase: Yahoo's market_hours as it came: 0 pre, 1 regular, 2 post, 3 extended, 4 overnight, or what else it thinks of.
        currency: As the vendor says it; None where the vendor does not.
    """

    symbol: str
    price: Decimal
    day_volume: int | None
    size: int | None
    ts_event: datetime
    ts_recv: datetime
    previous_close: Decimal | None
    ts_connected: datetime | None
    line_seq: int
    payload: Callable[[], bytes]
    is_published: bool = False
    vendor_phase: int | None = None
    currency: str | None = None


class Tick(msgspec.Struct, frozen=True, gc=False):
    """What the feed accepted: the contract's TICK."""

    symbol: str
    price: Decimal
    day_volume: int | None
    size: int | None
    ts_event: datetime
    ts_recv: datetime
    session_phase: str
    currency: str
    previous_close: Decimal | None
    source: str
    line: str
    line_seq: int
    is_suspect: bool
    is_continuous: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the feed refused, with its reason in one word and the original bytes: the contract's DEAD_LETTER.

    Args:
        is_continuous: Nothing of the symbol was missing before it; False where that is not known.
    """

    reason: str
    detail: str
    ts_recv: datetime
    line_seq: int
    payload: Callable[[], bytes]
    is_continuous: bool = False


class _TickMessage(msgspec.Struct):
    """Keys of a message of market.ticks.v1, in order."""

    symbol: str
    price: str
    day_volume: int | None
    size: int | None
    ts_event: int
    ts_recv: int
    session_phase: str
    currency: str
    previous_close: str | None
    source: str
    line: str
    line_seq: int
    tick_id: str
    is_suspect: bool
    is_continuous: bool


class _RefusalMessage(msgspec.Struct):
    """Keys of a message of market.ticks.dlq.v1, in order; it never reached a topic, so it has no offset there."""

    reason: str
    detail: str
    payload_base64: str
    kafka_topic: None
    kafka_partition: None
    kafka_offset: None
    ts_dead: int


CONTINUOUS = "is_continuous"
"""Header of a refusal's message: what the line knew of it."""
_encode = msgspec.json.Encoder().encode


def epoch_ms(ts: datetime) -> int:
    """Milliseconds since 1970, exact."""
    return (ts - EPOCH) // MILLISECOND


def from_epoch_ms(ms: int) -> datetime:
    """The instant, aware, UTC."""
    return EPOCH + ms * MILLISECOND


def price_text(price: Decimal) -> str:
    """The shortest plain decimal: 167.4100 is 167.41."""
    text = str(price)
    if "E" in text or len(text) > _LONGEST_PLAIN:
        return f"{price.normalize():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tick_id(symbol: str, *, day_volume: int | None, ts_event_ms: int, price: str) -> str:
    """Hash of the tick's identity: blake2b-64, hexadecimal."""
    identity = f"{symbol}|{'' if day_volume is None else day_volume}|{ts_event_ms}|{price}"
    return blake2b(identity.encode(), digest_size=8).hexdigest()


def tick_json(tick: Tick) -> bytes:
    """The tick as its contract says: keys in order, prices as text, instants as epoch milliseconds, nulls explicit."""
    price, ts_event_ms = price_text(tick.price), epoch_ms(tick.ts_event)
    message = _TickMessage(
        tick.symbol,
        price,
        tick.day_volume,
        tick.size,
        ts_event_ms,
        epoch_ms(tick.ts_recv),
        tick.session_phase,
        tick.currency,
        None if tick.previous_close is None else price_text(tick.previous_close),
        tick.source,
        tick.line,
        tick.line_seq,
        tick_id(tick.symbol, day_volume=tick.day_volume, ts_event_ms=ts_event_ms, price=price),
        tick.is_suspect,
        tick.is_continuous,
    )
    return _encode(message)


def refusal_json(refusal: Refusal) -> bytes:
    """The refusal as its contract says."""
    payload = base64.b64encode(refusal.payload()).decode()
    return _encode(_RefusalMessage(refusal.reason, refusal.detail, payload, None, None, None, epoch_ms(refusal.ts_recv)))
