"""Yahoo's v8 chart over the simulated market: the envelope, meta, rows and events. Not here: the bars themselves (bars)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stock_platform.calendars import Session
from stock_platform.feed.simulator.bars import MINUTE_S, Bars, History, coarser
from stock_platform.feed.simulator.chart_query import DAY, RANGES, ChartRefused, Span, span_of
from stock_platform.feed.simulator.fault import Dividend, Split
from stock_platform.feed.simulator.shape import REGULAR, Hours
from stock_platform.feed.simulator.updates import PRICE_SCALE, DailyBar, instant, second_of
from stock_platform.feed.simulator.venue import Venue, kind_of, venue_of
from stock_platform.feed.simulator.world import World

FIRST_TRADE = 946_857_600
"""2000-01-03, midnight UTC: nothing is known before."""
Json = dict[str, Any]
Rows = dict[str, list[Any]]
_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


class Charts:
    """Answers to chart requests; what is asked for at one second is the same for ever."""

    def __init__(self, world: World, *, hours: Hours) -> None:
        self._world = world
        self._history = History(world)
        self._hours: Hours = hours

    def answer(
        self,
        symbol: str,
        *,
        now: int,
        range_name: str | None,
        period1: int | None,
        period2: int | None,
        interval: str,
        has_extended: bool,
        events: str,
    ) -> Json:
        """A chart's JSON.

        Raises:
            ChartRefused: unknown symbol, or beyond Yahoo's limits.
        """
        if symbol not in self._world.source.instruments:
            raise ChartRefused(404, "Not Found", "No data found, symbol may be delisted")
        calendar = self._world.source.calendar(symbol)
        span = span_of(calendar, now=now, range_name=range_name, period1=period1, period2=period2, interval=interval)
        rows = self._intraday(symbol, span, now=now, has_extended=has_extended) if span.minutes else self._daily(symbol, span, now)
        meta = self._meta(symbol, span, now=now, range_name=range_name or "", has_extended=has_extended)
        return _envelope(meta, rows, self._events(symbol, span, events, now), is_daily=not span.minutes)

    def session_bar(self, symbol: str, now: int) -> DailyBar | None:
        """The running session, or the one that was last."""
        session = self._world.session(symbol, now)
        days = self._world.source.calendar(symbol).sessions(session.session_date - 6 * DAY, session.session_date + DAY)
        bars = self._history.daily(symbol, days[-2:], now=now)
        return bars[-1] if bars else None

    def _intraday(self, symbol: str, span: Span, *, now: int, has_extended: bool) -> Rows:
        seconds = (span.minutes or 1) * MINUTE_S
        bars = self._history.minutes(symbol, span.start, span.end, now=now)
        bars = bars if has_extended else bars.where(bars.phases == REGULAR)
        offset = second_of(self._world.session(symbol, now).ts_open) % seconds
        rows = _rows(coarser(bars, seconds, offset=offset))
        tail = self._history.running(symbol, now)
        if tail.starts.size and span.start <= now < span.end and (has_extended or tail.phases[-1] == REGULAR):
            newest = self._world.newest(symbol, now)
            price = int(tail.closes[-1]) / PRICE_SCALE
            _append(rows, (newest.second if newest else now, price, price, price, price, 0))
        return rows

    def _daily(self, symbol: str, span: Span, now: int) -> Rows:
        first, last = instant(max(span.start, FIRST_TRADE)).date(), instant(min(span.end, now)).date()
        sessions = self._world.source.calendar(symbol).sessions(first - DAY, last + 2 * DAY)
        inside = [each for each in sessions if span.start <= second_of(each.ts_open) < span.end]
        rows: Rows = {name: [] for name in _COLUMNS}
        for bar in self._history.daily(symbol, inside, now=now):
            prices = (price / PRICE_SCALE for price in (bar.open, bar.high, bar.low, bar.close))
            _append(rows, (bar.start, *prices, bar.volume))
        rows["adjclose"] = self._adjusted(symbol, rows)
        return rows

    def _adjusted(self, symbol: str, rows: Rows) -> list[float]:
        """Closes less later dividends, each as the share of the last close before it. Source: Yahoo's help, adjusted close."""
        factor, adjusted = 1.0, list[float]()
        dividends = sorted(
            (self._open(symbol, timed.start), timed.fault.amount)
            for timed in self._world.faults.of_market(symbol)
            if isinstance(timed.fault, Dividend)
        )
        for start, close in zip(reversed(rows["timestamp"]), reversed(rows["close"]), strict=True):
            while dividends and dividends[-1][0] > start:
                factor *= 1 - dividends.pop()[1] / close
            adjusted.append(round(close * factor, 6))
        return adjusted[::-1]

    def _open(self, symbol: str, second: int) -> int:
        """When the session that holds the second opens."""
        return second_of(self._world.session(symbol, second).ts_open)

    def _events(self, symbol: str, span: Span, wanted: str, now: int) -> Json:
        """Dividends and splits that went ex inside the span, by the second of their session's open."""
        events: Json = {}
        for timed in self._world.faults.of_market(symbol):
            day = self._open(symbol, timed.start)
            if timed.start > now or not span.start <= day < span.end:
                continue
            if isinstance(timed.fault, Dividend) and "div" in wanted:
                events.setdefault("dividends", {})[str(day)] = {"amount": timed.fault.amount, "date": day}
            if isinstance(timed.fault, Split) and "split" in wanted:
                events.setdefault("splits", {})[str(day)] = {"date": day, **_ratio(timed.fault.ratio)}
        return events

    def _meta(self, symbol: str, span: Span, *, now: int, range_name: str, has_extended: bool) -> Json:
        instrument = self._world.source.instruments[symbol]
        venue, bar = venue_of(instrument, self._hours), self.session_bar(symbol, now)
        newest = self._world.last_regular(symbol, now)
        session = self._world.session(symbol, now)
        zone = _zone(venue, session.ts_open)
        previous = self._world.previous_close(symbol, now)
        first = max(span.start, FIRST_TRADE)
        before = self._world.previous_close(symbol, first) if span.minutes else self._close_before(symbol, first, now)
        meta: Json = {
            "currency": instrument.currency,
            "symbol": symbol,
            "exchangeName": venue.name,
            "fullExchangeName": venue.full_name,
            "instrumentType": kind_of(instrument),
            "firstTradeDate": FIRST_TRADE,
            "regularMarketTime": newest.second if newest else None,
            "hasPrePostMarketData": venue.has_extended_hours,
            **zone,
            "exchangeTimezoneName": venue.zone,
            "regularMarketPrice": newest.price if newest else None,
            "longName": instrument.name,
            "shortName": instrument.name,
            "chartPreviousClose": before,
            "priceHint": 2,
            "currentTradingPeriod": _periods(session, zone),
            "dataGranularity": span.interval,
            "range": range_name,
            "validRanges": list(RANGES),
        }
        if bar:
            scaled = {"regularMarketDayHigh": bar.high, "regularMarketDayLow": bar.low}
            meta |= {name: price / PRICE_SCALE for name, price in scaled.items()} | {"regularMarketVolume": bar.volume}
        if span.minutes:
            meta |= {"previousClose": previous, "scale": 3}
            meta["tradingPeriods"] = self._trading_periods(symbol, span, now, has_extended=has_extended)
        return meta

    def _close_before(self, symbol: str, second: int, now: int) -> float | None:
        day = instant(second).date()
        sessions = self._world.source.calendar(symbol).sessions(day - 12 * DAY, day + 2 * DAY)
        bars = self._history.daily(symbol, [each for each in sessions if second_of(each.ts_open) < second][-1:], now=now)
        return bars[-1].close / PRICE_SCALE if bars else None

    def _trading_periods(self, symbol: str, span: Span, now: int, *, has_extended: bool) -> Any:
        first, last = instant(span.start).date(), instant(min(span.end, now)).date()
        venue = venue_of(self._world.source.instruments[symbol], self._hours)
        sessions = self._world.source.calendar(symbol).sessions(first - DAY, last + DAY)
        inside = [each for each in sessions if second_of(each.ts_post_end) > span.start and second_of(each.ts_pre) < span.end]
        periods = [_periods(each, _zone(venue, each.ts_open)) for each in inside]
        if has_extended:
            return {phase: [[each[phase]] for each in periods] for phase in ("pre", "post", "regular")}
        return [[each["regular"]] for each in periods]


def _rows(bars: Bars) -> Rows:
    prices = {"open": bars.opens, "high": bars.highs, "low": bars.lows, "close": bars.closes}
    scaled = {name: (column / PRICE_SCALE).tolist() for name, column in prices.items()}
    return {"timestamp": bars.starts.tolist(), **scaled, "volume": bars.volumes.tolist()}


def _append(rows: Rows, row: Sequence[Any]) -> None:
    for name, value in zip(_COLUMNS, row, strict=True):
        rows[name].append(value)


def _envelope(meta: Json, rows: Rows, events: Json, *, is_daily: bool) -> Json:
    """As Yahoo: without bars there is no timestamp, and an empty quote."""
    result: Json = {"meta": meta}
    quote = {name: rows[name] for name in _COLUMNS[1:]} if rows["timestamp"] else {}
    if rows["timestamp"]:
        result["timestamp"] = rows["timestamp"]
    if events:
        result["events"] = events
    result["indicators"] = {"quote": [quote], **({"adjclose": [{"adjclose": rows["adjclose"]}]} if is_daily and quote else {})}
    return {"chart": {"result": [result], "error": None}}


def _periods(session: Session, zone: Json) -> Json:
    bounds = {
        "pre": (session.ts_pre, session.ts_open),
        "regular": (session.ts_open, session.ts_close),
        "post": (session.ts_close, session.ts_post_end),
    }
    facts = {"timezone": zone["timezone"], "gmtoffset": zone["gmtoffset"]}
    return {name: {"start": second_of(start), "end": second_of(end), **facts} for name, (start, end) in bounds.items()}


def _zone(venue: Venue, ts: datetime) -> Json:
    local = ts.astimezone(ZoneInfo(venue.zone))
    offset = local.utcoffset() or timedelta()
    return {"gmtoffset": int(offset.total_seconds()), "timezone": local.tzname()}


def _ratio(ratio: float) -> Json:
    new, old = (ratio, 1) if ratio >= 1 else (1, 1 / ratio)
    return {"numerator": new, "denominator": old, "splitRatio": f"{new:g}:{old:g}"}
