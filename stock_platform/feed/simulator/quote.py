"""Yahoo's v7 quote over the simulated market: one answer for many symbols, unknown ones silently absent."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stock_platform.feed.simulator.chart import FIRST_TRADE, Charts
from stock_platform.feed.simulator.fault import Dividend, Split
from stock_platform.feed.simulator.shape import CLOSED, POST, PRE, REGULAR, Hours
from stock_platform.feed.simulator.updates import PRICE_SCALE, DailyBar, Update, instant
from stock_platform.feed.simulator.venue import kind_of, venue_of
from stock_platform.feed.simulator.world import World

_STATES = {PRE: "PRE", REGULAR: "REGULAR", POST: "POST", CLOSED: "CLOSED"}
_PREFIXES = {PRE: "preMarket", POST: "postMarket"}
_ACTION_DAYS = 30
Json = dict[str, Any]


class Quotes:
    """Answers to quote requests."""

    def __init__(self, world: World, charts: Charts, *, hours: Hours) -> None:
        self._world = world
        self._charts = charts
        self._hours: Hours = hours

    def answer(self, symbols: Iterable[str], *, now: int) -> Json:
        """A quote's JSON, in the order asked for."""
        found = [self._quote(symbol, now) for symbol in dict.fromkeys(symbols) if symbol in self._world.source.instruments]
        return {"quoteResponse": {"result": found, "error": None}}

    def _quote(self, symbol: str, now: int) -> Json:
        instrument = self._world.source.instruments[symbol]
        venue = venue_of(instrument, self._hours)
        local = instant(now).astimezone(ZoneInfo(venue.zone))
        offset = local.utcoffset() or timedelta()
        quote: Json = {
            "language": "en-US",
            "region": "US",
            "quoteType": kind_of(instrument),
            "symbol": symbol,
            "shortName": instrument.name,
            "longName": instrument.name,
            "currency": instrument.currency,
            "exchange": venue.name,
            "fullExchangeName": venue.full_name,
            "exchangeTimezoneName": venue.zone,
            "exchangeTimezoneShortName": local.tzname(),
            "gmtOffSetMilliseconds": int(offset.total_seconds()) * 1000,
            "exchangeDataDelayedBy": 0,
            "sourceInterval": 15,
            "priceHint": 2,
            "hasPrePostMarketData": venue.has_extended_hours,
            "firstTradeDateMilliseconds": FIRST_TRADE * 1000,
            "corporateActions": self._actions(symbol, now),
            "marketState": _STATES[self._phase(symbol, instant(now))],
        }
        return quote | self._prices(symbol, now)

    def _prices(self, symbol: str, now: int) -> Json:
        """Regular-hours facts, and those of the extended hours beside them while they last."""
        newest, bar = self._world.newest(symbol, now), self._charts.session_bar(symbol, now)
        if newest is None or bar is None:
            return {}
        last = self._world.last_regular(symbol, now) or newest
        opening, high, low = (price / PRICE_SCALE for price in (bar.open, bar.high, bar.low))
        prices: Json = {
            **_move("regularMarket", last.price, newest.previous_close if newest.phase != PRE else last.previous_close),
            "regularMarketTime": last.second,
            "regularMarketPreviousClose": last.previous_close,
            "regularMarketOpen": opening,
            "regularMarketDayHigh": high,
            "regularMarketDayLow": low,
            "regularMarketDayRange": f"{low} - {high}",
            "regularMarketVolume": self._volume(symbol, last, bar),
        }
        if prefix := _PREFIXES.get(newest.phase):
            prices |= {**_move(prefix, newest.price, last.price), f"{prefix}Time": newest.second}
        return prices

    def _volume(self, symbol: str, last: Update, bar: DailyBar) -> int:
        """The session's; of a coin that of the last 24 hours, of a currency 0."""
        kind = kind_of(self._world.source.instruments[symbol])
        return (last.day_volume or 0) if kind in ("CRYPTOCURRENCY", "CURRENCY") else bar.volume

    def _phase(self, symbol: str, now: datetime) -> int:
        phase = self._world.source.calendar(symbol).phase(now)
        return {"pre": PRE, "regular": REGULAR, "post": POST}.get(phase, CLOSED)

    def _actions(self, symbol: str, now: int) -> list[Json]:
        """Dividends and splits of the last month."""
        actions: list[Json] = []
        for timed in self._world.faults.of_market(symbol):
            if not now - _ACTION_DAYS * 86_400 <= timed.start <= now:
                continue
            match timed.fault:
                case Split(ratio=ratio):
                    text = f"{ratio:g}:1" if ratio >= 1 else f"1:{1 / ratio:g}"
                    actions.append(_action("Split", timed.start, splitRatio=text))
                case Dividend(amount=amount):
                    actions.append(_action("Dividend", timed.start, amount=f"{amount:g}"))
                case _:
                    pass
        return actions


def _move(prefix: str, price: float, before: float | None) -> Json:
    change = {} if before is None else {f"{prefix}Change": price - before, f"{prefix}ChangePercent": 100 * (price / before - 1)}
    return {f"{prefix}Price": price, **change}


def _action(header: str, second: int, **facts: str) -> Json:
    return {"header": header, "meta": {"eventType": header.upper(), "dateEpochMs": second * 1000, **facts}}
