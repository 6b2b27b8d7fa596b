"""Bars of a v8 chart: which rows are bars, which are final. Pure and total: what is no bar is dropped and counted.

Prices are as the vendor shows them at that moment: adjusted for every split up to then, not for dividends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from stock_platform.feed.yahoo.answer import instant_of, integer_of, mapping, price_of, sequence

Interval = Literal["1m", "1d"]

GRACE = timedelta(minutes=1)
"""A bar is taken this long after its end at the earliest; the vendor still corrects it in its first seconds."""
LONGEST_DELAY = timedelta(minutes=20)
"""Exchanges are shown up to 15 minutes late (exchangeDataDelayedBy in v7 quotes)."""
_MINUTE = timedelta(minutes=1)


class Bar(NamedTuple):
    """One bar; `ts_start` inclusive.

    Args:
        volume: None where the vendor does not say.
        is_edge: First or last minute of its day with volume 0: the vendor leaves it out there, so 0 is not known to be true.
        adjusted_close: Close adjusted for later payments, too; None where the answer has none, as those of minutes.
    """

    ts_start: datetime
    session_date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None
    is_edge: bool
    adjusted_close: Decimal | None = None


@dataclass
class Dropped:
    """Rows of the answer that are no bars, by reason."""

    empty: int = 0
    malformed: int = 0
    repeated: int = 0
    unaligned: int = 0
    unfinished: int = 0


def bars_of(result: Mapping[str, Any], interval: Interval, *, zone: tzinfo, now: datetime) -> tuple[list[Bar], Dropped]:
    """Bars of one result, sorted, each instant once; those that may still change at `now` are left out."""
    meta, dropped = mapping(result.get("meta")), Dropped()
    bars = _each_once(_rows(result, zone, dropped), dropped)
    bars = _without_live_row(bars, meta, interval, dropped)
    bars = _finished(bars, _Horizon.of(meta, now, zone), interval, dropped)
    return list(_with_edges(bars)) if interval == "1m" else bars, dropped


def _rows(result: Mapping[str, Any], zone: tzinfo, dropped: Dropped) -> Iterator[Bar]:
    columns = [_column(result, "quote", name) for name in ("open", "high", "low", "close", "volume")]
    adjusted = _column(result, "adjclose", "adjclose")
    for index, seconds in enumerate(sequence(result.get("timestamp"))):
        values = [column[index] if index < len(column) else None for column in columns]
        ts = instant_of(seconds)
        if all(value is None or value != value for value in values[:4]):  # NaN is not equal to itself
            dropped.empty += 1
            continue
        prices = [price for value in values[:4] if (price := price_of(value)) is not None]
        volume = None if values[4] is None else integer_of(values[4])
        if ts is None or len(prices) < 4 or (volume is None and values[4] is not None) or (volume or 0) < 0:
            dropped.malformed += 1
            continue
        adjusted_close = price_of(adjusted[index]) if index < len(adjusted) else None
        yield Bar(ts, ts.astimezone(zone).date(), *prices, volume=volume, is_edge=False, adjusted_close=adjusted_close)


def _column(result: Mapping[str, Any], indicator: str, name: str) -> Sequence[Any]:
    return sequence(mapping(next(iter(sequence(mapping(result.get("indicators")).get(indicator))), None)).get(name))


def _each_once(rows: Iterator[Bar], dropped: Dropped) -> list[Bar]:
    """Sorted; of rows of one instant the last is the vendor's newest word."""
    by_start: dict[datetime, Bar] = {}
    for bar in rows:
        dropped.repeated += bar.ts_start in by_start
        by_start[bar.ts_start] = bar
    return [by_start[ts] for ts in sorted(by_start)]


def _without_live_row(bars: list[Bar], meta: Mapping[str, Any], interval: Interval, dropped: Dropped) -> list[Bar]:
    """The live row stands at the last trade's second, and has no volume of its own."""
    last_trade, opened = meta.get("regularMarketTime"), _regular(meta).get("start")
    live_at = None if last_trade == opened else instant_of(last_trade)
    kept = [bar for bar in bars if (bar.ts_start.second == 0 if interval == "1m" else bar.ts_start != live_at)]
    dropped.unaligned += len(bars) - len(kept)
    return kept


def _regular(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Regular hours of the exchange's current day."""
    return mapping(mapping(meta.get("currentTradingPeriod")).get("regular"))


class _Horizon(NamedTuple):
    """Up to when the answer is final."""

    until: datetime
    zone: tzinfo
    today: date | None
    today_ends: datetime | None

    @classmethod
    def of(cls, meta: Mapping[str, Any], now: datetime, zone: tzinfo) -> "_Horizon":
        """While the market trades, a delayed exchange is only as far as its last trade."""
        start, end = (instant_of(_regular(meta).get(name)) for name in ("start", "end"))
        last_trade = instant_of(meta.get("regularMarketTime"))
        until = now - GRACE
        if start and end and last_trade and last_trade >= start and now < end + LONGEST_DELAY:
            until = min(until, last_trade)
        return cls(until, zone, start.astimezone(zone).date() if start else None, end)

    def end_of(self, bar: Bar, interval: Interval) -> datetime:
        """End of a bar, exclusive: a day's is the regular close where the answer knows it, else midnight at the exchange."""
        if interval == "1m":
            return bar.ts_start + _MINUTE
        if bar.session_date == self.today and self.today_ends:
            return self.today_ends + LONGEST_DELAY
        return datetime.combine(bar.session_date + timedelta(days=1), time(), self.zone)


def _finished(bars: Sequence[Bar], horizon: _Horizon, interval: Interval, dropped: Dropped) -> list[Bar]:
    kept = [bar for bar in bars if horizon.end_of(bar, interval) <= horizon.until]
    dropped.unfinished += len(bars) - len(kept)
    return kept


def _with_edges(bars: Sequence[Bar]) -> Iterator[Bar]:
    """Mark the first and last bar of each day whose volume is 0; where nothing has a volume (currencies) 0 says nothing."""
    has_volume = any(bar.volume for bar in bars)
    for index, bar in enumerate(bars):
        is_first = index == 0 or bars[index - 1].session_date != bar.session_date
        is_last = index == len(bars) - 1 or bars[index + 1].session_date != bar.session_date
        yield bar._replace(is_edge=has_volume and bar.volume == 0 and (is_first or is_last))
