"""A store in memory whose prices move, for the page's tests: it keeps the contract of `api.store.Store` and needs no database.

Not here: how good the data of a real store is (integration, end_to_end)."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stock_platform.adapters.clock import Clock
from stock_platform.api.shapes import Bar, FeedState, FeedStatus, Interval, Quote, Stock
from stock_platform.api.store import BarQuery, Freshness

MINUTE = timedelta(minutes=1)
BARS = 60
PROVISIONAL = 2
STEP = Decimal("0.05")
NAMES = {
    "AAPL": "Apple Inc.",
    "BTC-USD": "Bitcoin USD",
    "MSFT": "Microsoft Corporation",
    "SPY": "SPDR S&P 500 ETF Trust",
}


class LivelyStore:
    """Each symbol's price climbs by one step a tick and falls back at the tenth, so that every tick changes a number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticks = 0

    def follow(self, should_stop: Callable[[], bool]) -> Iterator[bytes]:
        """Quote updates as `market.quotes.v1` carries them, some ten a second."""
        pause = threading.Event()
        while not should_stop():
            self._ticks += 1
            for symbol in NAMES:
                yield _message(self._quote(symbol))
            pause.wait(0.1)

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        return [self._stock(symbol) for symbol in sorted(NAMES) if symbol > after][:limit]

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        return self._stock(symbol) if symbol in NAMES else None

    def bars(self, query: BarQuery) -> list[Bar]:
        """An hour of minutes, the last ones provisional, one suspect and one restated; a single bar of any other length."""
        newest = self._clock.now().replace(second=0, microsecond=0)
        count = BARS if query.interval is Interval.ONE_MINUTE else 1
        return [_bar(newest - back * MINUTE, back) for back in range(count)][: query.limit][::-1]

    def freshness(self, now: datetime) -> Freshness:
        """A simulated feed that runs."""
        feed = FeedStatus(
            kind="simulator",
            state=FeedState.RUNNING,
            line="test",
            ts_event_last=now,
            ts_heartbeat=now,
            stale_since=None,
        )
        minute = now.replace(second=0, microsecond=0)
        return Freshness(
            feed=feed,
            ts_clock=now,
            ts_bar_last=minute,
            ts_bar_certified_last=minute - PROVISIONAL * MINUTE,
            calendars=("24/7", "XNYS"),
        )

    def problem(self) -> str | None:
        """Memory always answers."""
        return None

    def _price(self, symbol: str) -> Decimal:
        return 100 * (1 + sorted(NAMES).index(symbol)) + STEP * (self._ticks % 10)

    def _quote(self, symbol: str) -> Quote:
        price, now = self._price(symbol), self._clock.now()
        return Quote(
            symbol=symbol,
            price=price,
            previous_close=price - 1,
            change_pct=Decimal("0.5"),
            day_volume=1000 * self._ticks,
            currency="USD",
            session_phase="regular",
            ts_event=now,
            ts_recv=now,
            source="simulator",
        )

    def _stock(self, symbol: str) -> Stock:
        return Stock(
            symbol=symbol,
            name=NAMES[symbol],
            sector="Technology",
            currency="USD",
            calendar="24/7" if symbol.endswith("-USD") else "XNYS",
            quote=self._quote(symbol),
            sparkline=[bar.close for bar in self.bars(BarQuery(symbol, Interval.ONE_MINUTE, None, None, BARS))],
        )


def _bar(start: datetime, back: int) -> Bar:
    price = Decimal(100) + STEP * (back % 7)
    is_certified = back >= PROVISIONAL
    return Bar(
        ts_start=start,
        ts_end=start + MINUTE,
        session_date=start.date(),
        open=price,
        high=price + 1,
        low=price - 1,
        close=price + (STEP if back % 2 else -STEP),
        volume=1000 + back,
        vwap=price,
        tick_count=10,
        is_certified=is_certified,
        verdict={5: "suspect", 9: "restated"}.get(back, "passed") if is_certified else None,
        revision=(2 if back == 9 else 1) if is_certified else None,
    )


def _message(quote: Quote) -> bytes:
    """Instants in epoch milliseconds, as the topic has them."""
    instants = {name: int(getattr(quote, name).astimezone(UTC).timestamp() * 1000) for name in ("ts_event", "ts_recv")}
    return json.dumps({**quote.model_dump(mode="json"), **instants}).encode()
