"""Messages of market.ticks.v1 read for one bar, in plain Python: nothing here is shared with the stream job or the feed.

A message that the stream job refuses is no tick here either, by the fields' kinds and ranges of contracts/tick.py."""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from stock_platform.contracts.epoch import EPOCH

_MILLISECOND = timedelta(milliseconds=1)
_LARGEST = 2**63 - 1
_PRICE_STEP, _PRICE_LIMIT = Decimal("0.000001"), Decimal(10) ** 12
"""numeric(18, 6): what does not fit exactly is no price."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_Text = Annotated[str, Meta(min_length=1, max_length=64)]
_Quantity = Annotated[int, Meta(ge=0, le=_LARGEST)]
_EpochMs = Annotated[int, Meta(ge=100_000_000_000, lt=10_000_000_000_000)]


class _Message(msgspec.Struct, kw_only=True):
    symbol: _Text
    price: str
    day_volume: _Quantity | None = None
    size: _Quantity | None = None
    ts_event: _EpochMs
    ts_recv: _EpochMs
    session_phase: Literal["pre", "regular", "post", "closed"]
    currency: _Text
    previous_close: str | None = None
    source: Literal["yahoo", "simulator", "tape"]
    line: _Text
    line_seq: _Quantity
    tick_id: _Text
    is_suspect: bool
    is_continuous: bool


_decode = msgspec.json.Decoder(_Message).decode


class Tick(NamedTuple):
    """What a bar is made of.

    Args:
        day_volume: None for instruments without one.
    """

    symbol: str
    price: Decimal
    day_volume: int | None
    ts_event: datetime
    session_phase: str
    source: str
    is_continuous: bool


def tick_of(value: bytes) -> Tick | None:
    """The message as a tick; None when it is none."""
    try:
        found = _decode(value)
    except msgspec.MsgspecError:
        return None
    price = _price(found.price)
    if price is None or (found.previous_close is not None and _price(found.previous_close) is None):
        return None
    ts_event = instant(found.ts_event)
    return Tick(found.symbol, price, found.day_volume, ts_event, found.session_phase, found.source, found.is_continuous)


def instant(epoch_ms: int) -> datetime:
    """Epoch milliseconds, as messages and Kafka have them, as an instant; exact."""
    return EPOCH + epoch_ms * _MILLISECOND


def _price(text: str) -> Decimal | None:
    """Decimal text above zero that numeric(18, 6) holds exactly."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        price = Decimal(text)
        return price if 0 < price < _PRICE_LIMIT and price == price.quantize(_PRICE_STEP) else None
    except InvalidOperation:
        return None
