"""Prices by asking: one batch quote request for many symbols, where the stream is silent. Not here: when to ask (the line).

Delivery: a price that was seen before comes again; the tick's identity tells that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.vendor_door import Door
from stock_platform.config import Settings
from stock_platform.errors import PlatformError, VendorAnswerUnusable
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.yahoo.answer import Unusable
from stock_platform.feed.yahoo.door import open_door
from stock_platform.feed.yahoo.quote import Quote, parse_quotes

QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
SYMBOLS_PER_REQUEST = 100
"""A batch is one request of the budget; at 20 characters a symbol its address stays below 2,100 characters."""


@dataclass(frozen=True)
class Batch:
    """Quotes of one request, by symbol."""

    ts: datetime
    quotes: Mapping[str, Quote]


def fetch_quotes(door: Door, symbols: Sequence[str]) -> Batch:
    """Quotes of up to SYMBOLS_PER_REQUEST symbols; those that the vendor does not know are absent.

    Raises:
        VendorAnswerUnusable: no quotes came.
        VendorBlocked, VendorBudgetSpent, VendorUnreachable: see the door.
    """
    answer = door.get(QUOTE_URL, {"symbols": ",".join(symbols)})
    quotes = parse_quotes(answer)
    if isinstance(quotes, Unusable):
        raise VendorAnswerUnusable(answer.url, answer.status, quotes.reason, quotes.detail)
    return Batch(answer.ts, {quote.symbol: quote for quote in quotes})


class QuotePoller:
    """Candidates of a line by polling.

    Args:
        sequence: The line's own order.
    """

    def __init__(self, settings: Settings, *, clock: Clock, sequence: Iterator[int]) -> None:
        self._door = open_door(settings, clock)
        self._sequence = sequence
        self.last_error: str | None = None
        """Why the newest poll gave nothing, or not all; None when it did."""
        self.missing: frozenset[str] = frozenset()
        """Symbols of the newest poll that the vendor did not answer."""

    def poll(self, symbols: Sequence[str]) -> Sequence[Candidate | Refusal]:
        """Ask once for all symbols. Never raises for what a vendor can do: what came before the trouble is returned."""
        self.last_error, self.missing = None, frozenset()
        found: list[Candidate | Refusal] = []
        for start in range(0, len(symbols), SYMBOLS_PER_REQUEST):
            asked = symbols[start : start + SYMBOLS_PER_REQUEST]
            try:
                batch = fetch_quotes(self._door, asked)
            except PlatformError as error:
                self.last_error = str(error)
                break
            self.missing |= frozenset(asked) - batch.quotes.keys()
            found.extend(candidate_of(each, batch.ts, line_seq=next(self._sequence)) for each in batch.quotes.values())
        return found


def candidate_of(quote: Quote, ts: datetime, *, line_seq: int) -> Candidate | Refusal:
    """A quote's newest price as a candidate; a refusal where it has none."""
    sale = quote.last_sale
    if sale is None:
        detail = f"{quote.symbol} ({quote.kind}) has no price with a time"
        return Refusal("no_price", detail, ts, line_seq, quote.payload)
    return Candidate(
        symbol=quote.symbol,
        price=sale.price,
        day_volume=sale.day_volume,
        size=None,
        ts_event=sale.ts_event,
        ts_recv=ts,
        previous_close=sale.previous_close,
        ts_connected=ts,
        line_seq=line_seq,
        payload=quote.payload,
        vendor_phase=sale.vendor_phase,
    )
