"""A row of table StockPrices: the newest accepted price of a symbol, from a tick and back. Pure.

Key: `symbol`. Prices are text, so that no digit is lost; instants are epoch milliseconds; `expires_at` (TTL, epoch seconds)
removes what nobody watches any more."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from stock_platform.adapters.dynamodb import Item
from stock_platform.api.shapes import Quote
from stock_platform.feed.tick import Candidate, Tick, epoch_ms, from_epoch_ms, price_text

_KEPT = timedelta(days=30)
_STEP = Decimal("0.000001")
"""As Flink writes it: rounded once, half up."""


def row_of(tick: Tick) -> Item:
    """The row of a tick; attributes without a value are left out."""
    numbers = {
        "ts_event_ms": epoch_ms(tick.ts_event),
        "ts_recv_ms": epoch_ms(tick.ts_recv),
        "day_volume": tick.day_volume,
        "expires_at": epoch_ms(tick.ts_recv + _KEPT) // 1000,
    }
    texts = {
        "symbol": tick.symbol,
        "price": price_text(tick.price),
        "previous_close": None if tick.previous_close is None else price_text(tick.previous_close),
        "currency": tick.currency,
        "session_phase": tick.session_phase,
        "source": tick.source,
    }
    return {name: {"S": text} for name, text in texts.items() if text is not None} | {
        name: {"N": str(number)} for name, number in numbers.items() if number is not None
    }


def quote_of(row: Item) -> Quote:
    """The row as the API answers it."""
    price = Decimal(row["price"]["S"])
    close = Decimal(row["previous_close"]["S"]) if "previous_close" in row else None
    return Quote(
        symbol=row["symbol"]["S"],
        price=price,
        previous_close=close,
        change_pct=((price - close) * 100 / close).quantize(_STEP, ROUND_HALF_UP) if close else None,
        day_volume=int(row["day_volume"]["N"]) if "day_volume" in row else None,
        currency=row["currency"]["S"],
        session_phase=row["session_phase"]["S"],
        ts_event=from_epoch_ms(int(row["ts_event_ms"]["N"])),
        ts_recv=from_epoch_ms(int(row["ts_recv_ms"]["N"])),
        source=row["source"]["S"],
    )


def candidate_of_row(row: Item) -> Candidate:
    """The row as a candidate that has been published: it rebuilds a validator's state, as a restarted line does."""
    quote = quote_of(row)
    return Candidate(
        symbol=quote.symbol,
        price=quote.price,
        day_volume=quote.day_volume,
        size=None,
        ts_event=quote.ts_event,
        ts_recv=quote.ts_recv,
        previous_close=quote.previous_close,
        ts_connected=quote.ts_recv,
        line_seq=0,
        payload=bytes,
        is_published=True,
    )
