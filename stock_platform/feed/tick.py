"""What travels through the feed: a candidate comes in, a tick or a refusal goes out, and how both look on Kafka.

Not here: what makes a candidate a tick (validation), where it is sent (publisher)."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One decoded message of a vendor, not judged yet.

    Args:
        day_volume: As the vendor says it; None where the vendor does not.
        ts_connected: Since when the connection that brought it has been up; None where nothing can be lost (a tape).
        line_seq: Position in the line's own order.
        is_published: A restarted line has published it before; it only rebuilds the state.
        payload: The original bytes, made on demand.
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


@dataclass(frozen=True, slots=True)
class Tick:
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
    """What the feed refused, with its reason in one word and the original bytes: the contract's DEAD_LETTER."""

    reason: str
    detail: str
    ts_recv: datetime
    line_seq: int
    payload: Callable[[], bytes]


def epoch_ms(ts: datetime) -> int:
    """Milliseconds since 1970, exact."""
    return (ts - EPOCH) // MILLISECOND


def from_epoch_ms(ms: int) -> datetime:
    """The instant, aware, UTC."""
    return EPOCH + ms * MILLISECOND


def price_text(price: Decimal) -> str:
    """The shortest plain decimal: 167.4100 is 167.41."""
    return f"{price.normalize():f}"


def tick_id(symbol: str, *, day_volume: int | None, ts_event_ms: int, price: str) -> str:
    """Hash of the tick's identity: blake2b-64, hexadecimal."""
    identity = f"{symbol}|{'' if day_volume is None else day_volume}|{ts_event_ms}|{price}"
    return blake2b(identity.encode(), digest_size=8).hexdigest()


def tick_json(tick: Tick) -> bytes:
    """The tick as its contract says: keys in order, prices as text, instants as epoch milliseconds, nulls explicit."""
    price, ts_event_ms = price_text(tick.price), epoch_ms(tick.ts_event)
    record = {
        "symbol": tick.symbol,
        "price": price,
        "day_volume": tick.day_volume,
        "size": tick.size,
        "ts_event": ts_event_ms,
        "ts_recv": epoch_ms(tick.ts_recv),
        "session_phase": tick.session_phase,
        "currency": tick.currency,
        "previous_close": None if tick.previous_close is None else price_text(tick.previous_close),
        "source": tick.source,
        "line": tick.line,
        "line_seq": tick.line_seq,
        "tick_id": tick_id(tick.symbol, day_volume=tick.day_volume, ts_event_ms=ts_event_ms, price=price),
        "is_suspect": tick.is_suspect,
        "is_continuous": tick.is_continuous,
    }
    return _compact(record)


def refusal_json(refusal: Refusal) -> bytes:
    """The refusal as its contract says; it never reached the topic, so it has no offset there."""
    record = {
        "reason": refusal.reason,
        "detail": refusal.detail,
        "payload_base64": base64.b64encode(refusal.payload()).decode(),
        "kafka_topic": None,
        "kafka_partition": None,
        "kafka_offset": None,
        "ts_dead": epoch_ms(refusal.ts_recv),
    }
    return _compact(record)


def _compact(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()
