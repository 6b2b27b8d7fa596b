"""v8 chart: one symbol's bars and corporate actions. Pure and total. Not here: which rows are bars (bars), events (actions)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.yahoo.actions import Action, actions_of
from stock_platform.feed.yahoo.answer import Unusable, integer_of, mapping, results_of, sequence, text_of
from stock_platform.feed.yahoo.bars import Bar, Dropped, Interval, bars_of


@dataclass(frozen=True)
class Chart:
    """What one answer says of one symbol. Bars and actions are sorted by time, each instant once."""

    symbol: str
    currency: str
    exchange: str
    instrument_type: str
    zone: str
    interval: Interval
    bars: tuple[Bar, ...]
    actions: tuple[Action, ...]
    dropped: Dropped
    bad_event_count: int


def parse_chart(answer: Answer, *, now: datetime) -> Chart | Unusable:
    """The chart in an answer; bars that may still change at `now` are left out."""
    results = results_of(answer, "chart")
    if isinstance(results, Unusable):
        return results
    if not results:
        return Unusable("empty", "the answer has no result")
    return _chart(mapping(results[0]), now)


def _chart(result: Mapping[str, Any], now: datetime) -> Chart | Unusable:
    meta = mapping(result.get("meta"))
    symbol, currency, interval = (text_of(meta.get(name)) for name in ("symbol", "currency", "dataGranularity"))
    if symbol is None or currency is None:
        return Unusable("unknown_shape", f"no symbol or currency in meta: {sorted(meta)[:8]}")
    if interval != "1m" and interval != "1d":
        return Unusable("unknown_interval", f"{symbol} came in bars of {interval}; expected 1m or 1d")
    if not sequence(result.get("timestamp")):
        return Unusable("no_timestamps", f"{symbol} has no {interval} bars in that time")
    zone = _zone(meta)
    bars, dropped = bars_of(result, interval, zone=zone, now=now)
    actions, bad_event_count = actions_of(result.get("events"), currency, zone)
    return Chart(
        symbol=symbol,
        currency=currency,
        exchange=text_of(meta.get("exchangeName")) or "",
        instrument_type=text_of(meta.get("instrumentType")) or "",
        zone=str(zone),
        interval=interval,
        bars=tuple(bars),
        actions=tuple(actions),
        dropped=dropped,
        bad_event_count=bad_event_count,
    )


def _zone(meta: Mapping[str, Any]) -> tzinfo:
    """The exchange's zone; its offset of now where the name is unknown."""
    try:
        return ZoneInfo(text_of(meta.get("exchangeTimezoneName")) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        offset = integer_of(meta.get("gmtoffset")) or 0
        return timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else UTC
