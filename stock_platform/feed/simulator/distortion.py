"""Updates as frames of Yahoo's stream, and what faults make of them. Pure: the same second gives the same bytes.

Not here: who gets them (stream)."""

import base64
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stock_platform.feed.simulator.fault import AnyFrame, BadFrame, Duplicate, Reorder, Skew, Spike, Unit, VolumeBack, names
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.shape import Hours
from stock_platform.feed.simulator.updates import Update
from stock_platform.feed.simulator.venue import quote_type_of, venue_of
from stock_platform.feed.simulator.world import World
from stock_platform.feed.yahoo.pricing import COIN, PricingData

_KINDS = (Spike, Unit, Skew, Duplicate, Reorder, VolumeBack, BadFrame)
_NEW_FIELDS = b"".join(tag + struct.pack("<f", 1.5) for tag in (b"\xf5\x02", b"\xfd\x02"))
"""Fields 46 and 47, floats that the schema does not know, as real frames of 2026 carry them."""
_STRING_PRICE = b"\x12\x051e3.0"
"""Field 2, a float, sent as text."""
_FAR_AHEAD_S = 3_600

_Active = Sequence[tuple[AnyFrame, int]]


class Frames:
    """Frames by symbol and second."""

    def __init__(self, world: World, faults: Faults, *, hours: Hours) -> None:
        self._world = world
        self._faults = faults
        instruments = world.source.instruments
        self._venues = {symbol: venue_of(each, hours).name for symbol, each in instruments.items()}
        self._quote_types = {symbol: quote_type_of(each) for symbol, each in instruments.items()}

    def of(self, symbols: Iterable[str], second: int) -> Mapping[str, list[bytes]]:
        """What is sent in a second; symbols to which nothing happens are absent."""
        active, before = (self._faults.active(_KINDS, at) for at in (second, second - 1))
        pairs = ((symbol, self._frames(symbol, second, active, before)) for symbol in symbols)
        return {symbol: frames for symbol, frames in pairs if frames}

    def snapshot(self, symbol: str, second: int) -> bytes | None:
        """The newest update as a frame: what a subscription is answered with."""
        update = self._world.newest(symbol, second)
        return self._frame(self._moved(update, self._faults.active(_KINDS, update.second))) if update else None

    def _frames(self, symbol: str, second: int, active: _Active, before: _Active) -> list[bytes]:
        update = self._world.update(symbol, second)
        own = [] if update is None or self._is_held(symbol, second, active) else self._distorted(update, active)
        if self._is_held(symbol, second - 1, before) and (held := self._world.update(symbol, second - 1)):
            own.extend(self._distorted(held, before))
        return own

    def _is_held(self, symbol: str, second: int, active: _Active) -> bool:
        return any(
            isinstance(fault, Reorder) and names(symbol, fault.symbols) and self._faults.hits(fault, symbol, second)
            for fault, _ in active
        )

    def _distorted(self, update: Update, active: _Active) -> list[bytes]:
        if not active:
            return [self._frame(update)]
        moved, key = self._moved(update, active), (update.symbol, update.second)
        frames = [self._frame(moved)]
        for fault, _ in active:
            if not names(update.symbol, fault.symbols) or not self._faults.hits(fault, *key):
                continue
            match fault:
                case Duplicate():
                    frames.append(frames[-1])
                case VolumeBack(pct=pct) if update.day_volume:
                    frames.append(self._frame(moved._replace(day_volume=int(update.day_volume * (1 - pct / 100)))))
                case BadFrame(how="unknown_field"):
                    frames[-1] = self._frame(moved, extra=_NEW_FIELDS)
                case BadFrame():
                    frames = [self._bad(fault.how, moved), *([] if fault.instead else frames)]
                case _:
                    pass
        return frames

    def _moved(self, update: Update, active: _Active) -> Update:
        """Price and time as the vendor says them."""
        for fault, start in active:
            if not names(update.symbol, fault.symbols):
                continue
            match fault:
                case Spike(pct=pct) if self._is_spike(fault, update, start):
                    update = update._replace(price=round(update.price * (1 + pct / 100), 4))
                case Unit(factor=factor) if self._faults.hits(fault, update.symbol, update.second):
                    update = update._replace(price=update.price * factor)
                case Skew(seconds=seconds) if self._faults.hits(fault, update.symbol, update.second):
                    update = update._replace(second=update.second + seconds)
                case _:
                    pass
        return update

    def _is_spike(self, fault: Spike, update: Update, start: int) -> bool:
        """The first print since the fault began, or the share of prints that was asked for."""
        if fault.share < 1:
            return self._faults.hits(fault, update.symbol, update.second)
        before = self._world.newest(update.symbol, update.second - 1)
        return before is None or before.second < start

    def _frame(self, update: Update, *, extra: bytes = b"") -> bytes:
        return _envelope(self._pricing(update).SerializeToString() + extra)

    def _pricing(self, update: Update) -> Any:
        pricing = PricingData(
            id=update.symbol,
            price=update.price,
            time=update.second * 1000,
            exchange=self._venues[update.symbol],
            quote_type=self._quote_types[update.symbol],
            market_hours=update.phase,
            price_hint=2,
        )
        if update.day_volume is not None:
            pricing.day_volume = update.day_volume
            if pricing.quote_type == COIN:  # as Yahoo: the same number three times
                pricing.last_size = pricing.vol_24hr = update.day_volume
        if update.previous_close:
            change = update.price - update.previous_close
            pricing.previous_close = update.previous_close
            pricing.change = change
            pricing.change_percent = 100 * change / update.previous_close
        return pricing

    def _bad(self, how: str, update: Update) -> bytes:
        pricing = self._pricing(update)
        match how:
            case "not_json":
                return b"<html>Will be right back</html>"
            case "no_message":
                return b'{"type":"pricing"}'
            case "bad_base64":
                return json.dumps({"type": "pricing", "message": "%%%"}).encode()
            case "bad_protobuf":
                return _envelope(b"\xff\xff\xff")
            case "price_string":
                pricing.ClearField("price")
                return _envelope(pricing.SerializeToString() + _STRING_PRICE)
            case "future":
                pricing.time += _FAR_AHEAD_S * 1000
            case "unknown_symbol":
                pricing.id = "NOSUCH"
            case _:
                pricing.price = {"price_nan": float("nan"), "price_negative": -update.price}.get(how, 0.0)
        return _envelope(pricing.SerializeToString())


def _envelope(message: bytes) -> bytes:
    return b'{"type":"pricing","message":"' + base64.b64encode(message) + b'"}'
