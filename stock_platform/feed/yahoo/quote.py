"""v7 quote: last prices and instrument data of many symbols in one answer. Pure and total.

Unknown symbols are absent from the answer, and delisted ones come without a price."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.yahoo.answer import Unusable, instant_of, integer_of, mapping, price_of, results_of, text_of

_PHASES = (("regular", 1), ("pre", 0), ("post", 2))
"""Prefix of the quote's fields, and the market_hours that the stream gives the same price."""
_WITHOUT_SESSION_VOLUME = frozenset({"CRYPTOCURRENCY", "CURRENCY"})
"""As in the stream: a coin's volume is that of the last 24 hours, a currency pair has none."""


class LastSale(NamedTuple):
    """The newest price of a quote.

    Args:
        day_volume: Of the regular session; None for a price outside it and for coins and currencies, as in the stream.
        previous_close: Before the opening the last regular price, else the vendor's previous close; None where it says 0.
        vendor_phase: market_hours as the stream would say it.
    """

    price: Decimal
    ts_event: datetime
    day_volume: int | None
    previous_close: Decimal | None
    vendor_phase: int


@dataclass(frozen=True)
class Quote:
    """One symbol's part of the answer.

    Args:
        kind: EQUITY, ETF, INDEX, CRYPTOCURRENCY …; NONE where the vendor no longer knows the symbol.
        delay: How much later than real time the exchange is shown.
        last_sale: None where there is no price with a time.
        payload: The vendor's own part, written anew as JSON.
    """

    symbol: str
    name: str | None
    kind: str
    currency: str | None
    exchange: str | None
    zone: str | None
    first_trade_date: date | None
    delay_minutes: int | None
    last_sale: LastSale | None
    payload: Callable[[], bytes]


def parse_quotes(answer: Answer) -> tuple[Quote, ...] | Unusable:
    """Quotes in the order of the answer; none where no symbol is known."""
    results = results_of(answer, "quoteResponse")
    if isinstance(results, Unusable):
        return results
    return tuple(_quote(part, symbol) for each in results if (symbol := text_of((part := mapping(each)).get("symbol"))) is not None)


def _quote(part: Mapping[str, Any], symbol: str) -> Quote:
    first_ms = integer_of(part.get("firstTradeDateMilliseconds"))
    first = instant_of(None if first_ms is None else first_ms // 1000)
    return Quote(
        symbol=symbol,
        name=text_of(part.get("longName")) or text_of(part.get("shortName")),
        kind=text_of(part.get("quoteType")) or "NONE",
        currency=text_of(part.get("currency")),
        exchange=text_of(part.get("exchange")),
        zone=text_of(part.get("exchangeTimezoneName")),
        first_trade_date=None if first is None else first.date(),
        delay_minutes=integer_of(part.get("exchangeDataDelayedBy")),
        last_sale=_last_sale(part),
        payload=lambda: json.dumps(part, separators=(",", ":")).encode(),
    )


def _last_sale(part: Mapping[str, Any]) -> LastSale | None:
    sales = [sale for prefix, phase in _PHASES if (sale := _sale(part, prefix, phase)) is not None]
    return max(sales, key=lambda sale: sale.ts_event, default=None)


def _sale(part: Mapping[str, Any], prefix: str, phase: int) -> LastSale | None:
    price, ts = price_of(part.get(f"{prefix}MarketPrice")), instant_of(part.get(f"{prefix}MarketTime"))
    if price is None or ts is None:
        return None
    has_volume = prefix == "regular" and part.get("quoteType") not in _WITHOUT_SESSION_VOLUME
    before = part.get("regularMarketPrice" if prefix == "pre" else "regularMarketPreviousClose")
    return LastSale(
        price=price,
        ts_event=ts,
        day_volume=integer_of(part.get("regularMarketVolume")) if has_volume else None,
        previous_close=price_of(before) or None,
        vendor_phase=phase,
    )
