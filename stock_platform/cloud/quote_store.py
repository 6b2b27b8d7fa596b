"""The watchlist with the quotes of table StockPrices, as the API asks for it. Not here: the rows (price_row), endpoints (api).

The whole table is read at most once in 5 s: it changes once a minute, and a page asks every few seconds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.dynamodb import Item, Table, TableUnavailable
from stock_platform.api.shapes import FeedState, FeedStatus, Quote, Stock
from stock_platform.api.store import Freshness, StoreUnavailable
from stock_platform.calendars import calendar
from stock_platform.cloud.price_row import quote_of
from stock_platform.feed.watchlist import Instrument

_KEPT = timedelta(seconds=5)
_STALE_AFTER = timedelta(minutes=10)
"""Two turns of the slowest schedule."""


class DynamoStore:
    """Quotes of a watchlist; read-only."""

    def __init__(self, table: Table, instruments: Sequence[Instrument], clock: Clock, *, feed_kind: str) -> None:
        self._table = table
        self._by_symbol = {each.symbol: each for each in sorted(instruments, key=lambda each: each.symbol)}
        self._clock = clock
        self._feed_kind = feed_kind
        self._kept: tuple[datetime, dict[str, Item]] | None = None

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        chosen = [each for symbol, each in self._by_symbol.items() if symbol > after][:limit]
        rows = self._rows()
        return [_stock(each, rows.get(each.symbol)) for each in chosen]

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        instrument = self._by_symbol.get(symbol)
        if instrument is None:
            return None
        try:
            return _stock(instrument, self._table.read(symbol))
        except TableUnavailable as error:
            raise StoreUnavailable(str(error)) from error

    def problem(self) -> str | None:
        """None when the table answers, else the reason."""
        try:
            self._table.read(next(iter(self._by_symbol)))
        except TableUnavailable as error:
            return str(error)
        return None

    def freshness(self, now: datetime) -> Freshness:
        """State of the fetch, by its newest price. There are no bars."""
        quotes = [quote_of(row) for row in self._rows().values()]
        calendars = tuple(sorted({each.calendar for each in self._by_symbol.values()}))
        newest = max(quotes, key=lambda quote: quote.ts_recv, default=None)
        state = _state(newest, now, is_trading=any(calendar(name).is_trading(now) for name in calendars))
        feed = FeedStatus(
            kind=self._feed_kind,
            state=state,
            line="fetch",
            ts_event_last=max((quote.ts_event for quote in quotes), default=None),
            ts_heartbeat=newest.ts_recv if newest else None,
            stale_since=newest.ts_recv if newest and state is FeedState.STALE else None,
        )
        return Freshness(feed, feed.ts_event_last, None, None, calendars)

    def _rows(self) -> dict[str, Item]:
        now = self._clock.now()
        if self._kept is None or now - self._kept[0] >= _KEPT:
            try:
                self._kept = now, self._table.read_many(list(self._by_symbol))
            except TableUnavailable as error:
                raise StoreUnavailable(str(error)) from error
        return self._kept[1]


def _state(newest: Quote | None, now: datetime, *, is_trading: bool) -> FeedState:
    if newest and now - newest.ts_recv < _STALE_AFTER:
        return FeedState.RUNNING
    if not is_trading:
        return FeedState.CLOSED
    return FeedState.STALE if newest else FeedState.STOPPED


def _stock(instrument: Instrument, row: Item | None) -> Stock:
    return Stock(
        symbol=instrument.symbol,
        name=instrument.name,
        sector=instrument.sector,
        currency=instrument.currency,
        calendar=instrument.calendar,
        quote=quote_of(row) if row else None,
        sparkline=[],
    )
