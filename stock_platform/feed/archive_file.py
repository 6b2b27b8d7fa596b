"""The format of the tick archive: columns, order, row groups, and what is asked of a file. Not here: making one (archive).

One row group holds ten minutes, so a file of any length is read and written in the memory of one of them; a bar's ticks
are in one row group."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from stock_platform.adapters.parquet import read_pieces
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.record import Type

PIECE = timedelta(minutes=10)
"""5,000 symbols at one tick a second make 3,000,000 rows: 0.5 GB while they are sorted."""

_TYPES: dict[Type, Any] = {
    Type.TEXT: pl.String,
    Type.PRICE: pl.Decimal(18, 6),
    Type.QUANTITY: pl.Int64,
    Type.INSTANT: pl.Datetime("ms", "UTC"),
    Type.FLAG: pl.Boolean,
}
COLUMNS: dict[str, Any] = {column.name: _TYPES[column.type] for column in ARCHIVED_TICK.columns}
IDENTITY = ARCHIVED_TICK.key
ORDER = ("ts_event", "symbol", "day_volume", "price")
"""Unique; within a symbol and instant the order in which the stream job sees ticks (flink/functions BarState)."""


def archive_path(home: Path, session_date: date) -> Path:
    """Where a session's file is in a profile's folder."""
    return home / "archive" / "ticks" / f"session_date={session_date.isoformat()}.parquet"


def pieces(path: Path) -> Iterator[pl.DataFrame]:
    """The file's ticks in order, ten minutes at a time."""
    return read_pieces(path, types=COLUMNS)


def regular_bars(path: Path) -> pl.DataFrame:
    """What the stream job must have made of the file: symbol, ts_start, open, high, low, close, tick_count; by both."""
    return pl.concat([_bars(piece.filter(pl.col("session_phase") == "regular")) for piece in pieces(path)]).sort(
        "symbol", "ts_start"
    )


def symbols_of(path: Path) -> list[str]:
    """Symbols of the file, in order."""
    return pl.scan_parquet(path).select(pl.col("symbol").unique().sort()).collect()["symbol"].to_list()


def _bars(ticks: pl.DataFrame) -> pl.DataFrame:
    price, minute = pl.col("price"), pl.col("ts_event").dt.truncate("1m").cast(pl.Datetime("us", "UTC"))
    return ticks.group_by("symbol", ts_start=minute, maintain_order=True).agg(
        open=price.first(), high=price.max(), low=price.min(), close=price.last(), tick_count=pl.len().cast(pl.Int64)
    )
