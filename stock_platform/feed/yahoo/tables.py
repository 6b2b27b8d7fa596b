"""The vendor's history as frames, in the columns of its contracts. Pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from stock_platform.contracts.record import Record, Type
from stock_platform.contracts.vendor import CORPORATE_ACTION, VENDOR_BAR_1D, VENDOR_BAR_1M, VENDOR_INSTRUMENT
from stock_platform.feed.yahoo.bars import Interval
from stock_platform.feed.yahoo.history import History
from stock_platform.feed.yahoo.polling import Batch

_POLARS: dict[Type, Any] = {
    Type.TEXT: pl.String,
    Type.PRICE: pl.Decimal(18, 6),
    Type.FACTOR: pl.Decimal(18, 9),
    Type.QUANTITY: pl.Int64,
    Type.INSTANT: pl.Datetime("us", "UTC"),
    Type.DAY: pl.Date,
    Type.FLAG: pl.Boolean,
}

BARS: dict[Interval, Record] = {"1m": VENDOR_BAR_1M, "1d": VENDOR_BAR_1D}


def bar_frame(history: History, interval: Interval, *, source: str, home: Path) -> pl.DataFrame:
    """The symbol's bars, sorted by time.

    Args:
        home: The profile's folder; paths of raw answers are written relative to it."""
    rows = [
        {
            **kept.bar._asdict(),
            "symbol": history.symbol,
            "currency": history.currency,
            "source": source,
            "response_path": str(kept.path.relative_to(home)),
            "ts_recv": kept.ts_recv,
            "rules": ",".join(kept.rules) or None,
        }
        for kept in history.bars
    ]
    return _frame(BARS[interval], rows)


def action_frame(history: History, *, source: str) -> pl.DataFrame:
    """The symbol's corporate actions, by day and kind."""
    rows = [
        {**action._asdict(), "symbol": history.symbol, "source": source, "ts_recv": history.ts_recv} for action in history.actions
    ]
    return _frame(CORPORATE_ACTION, rows)


def instrument_frame(batch: Batch, *, source: str) -> pl.DataFrame:
    """What the vendor says of each symbol that it knows."""
    rows = [
        {
            "symbol": quote.symbol,
            "name": quote.name,
            "instrument_type": quote.kind,
            "currency": quote.currency,
            "exchange": quote.exchange,
            "zone": quote.zone,
            "first_trade_date": quote.first_trade_date,
            "delay_s": None if quote.delay_minutes is None else 60 * quote.delay_minutes,
            "source": source,
            "ts_recv": batch.ts,
        }
        for quote in batch.quotes.values()
    ]
    return _frame(VENDOR_INSTRUMENT, rows)


def _frame(record: Record, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    schema = {column.name: _POLARS[column.type] for column in record.columns}
    return pl.DataFrame([[row[name] for name in record.names] for row in rows], schema=schema, orient="row")
