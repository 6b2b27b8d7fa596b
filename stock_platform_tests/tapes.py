"""Pieces of the recorded tape, and the bars that they must give: recomputed in polars, without the platform's code."""

from datetime import datetime
from pathlib import Path

import polars as pl

from stock_platform_tests.topics import messages

OPEN = datetime.fromisoformat("2013-10-07T13:30:00+00:00")
CLOSE = datetime.fromisoformat("2013-10-07T20:00:00+00:00")


def cut(tape: Path, folder: Path, *, start: str, end: str) -> Path:
    """The tape's trades in [start, end), as a tape of its own."""
    bounds = [datetime.fromisoformat(text) for text in (start, end)]
    part = pl.read_parquet(tape).filter(pl.col("ts_event").is_between(*bounds, closed="left"))
    path = folder / "part.parquet"
    part.write_parquet(path)
    return path


def expected_bars(tape: Path, refused: pl.DataFrame) -> pl.DataFrame:
    """Per symbol and minute of the regular session: open, high, low, close, volume, tick_count of the accepted trades.

    Args:
        refused: row, the numbers of the trades that the feed refused.
    """
    trades = pl.read_parquet(tape).with_columns(pl.col("symbol").cast(pl.String), ms=pl.col("ts_event").dt.epoch("ms"))
    accepted = _without(trades, refused).filter(pl.col("ts_event").is_between(OPEN, CLOSE, closed="left"))
    return (
        accepted.sort("symbol", "ts_event", "seq")
        .group_by("symbol", ts_start=pl.col("ts_event").dt.truncate("1m"), maintain_order=True)
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
            volume=pl.col("size").sum().cast(pl.Int64),
            tick_count=pl.len().cast(pl.Int64),
        )
        .sort("symbol", "ts_start")
    )


def _without(trades: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Trades less those refused: the row number in the tape tells them apart."""
    rows = set(refused["row"].to_list())
    return trades.with_row_index("row").filter(~pl.col("row").is_in(rows)).drop("row")


def refused_rows(bootstrap: str) -> pl.DataFrame:
    """Rows of the tape that the feed refused, by their number."""
    headers = [dict(message.headers() or ()) for message in messages(bootstrap, "market.ticks.dlq.v1")]
    numbers = [int(header["line_seq"]) for header in headers if "line_seq" in header]
    return pl.DataFrame({"row": numbers}, schema={"row": pl.UInt32})
