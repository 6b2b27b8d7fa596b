"""Pieces of the recorded tape, and the bars that they must give: recomputed in polars, without the platform's code."""

from datetime import datetime
from pathlib import Path

import polars as pl

from stock_platform_tests.topics import messages

SESSION = "2013-10-07"
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

    A refused trade has a wrong price, but was traded: its size is in the next accepted trade's cumulative volume.

    Args:
        refused: row, the numbers of the trades that the feed refused.
    """
    trades = pl.read_parquet(tape).with_columns(pl.col("symbol").cast(pl.String), ms=pl.col("ts_event").dt.epoch("ms"))
    regular = trades.with_row_index("row").filter(pl.col("ts_event").is_between(OPEN, CLOSE, closed="left"))
    cumulative = regular.with_columns(day_volume=pl.col("size").cast(pl.Int64).cum_sum().over("symbol"))
    accepted = cumulative.filter(~pl.col("row").is_in(refused["row"].to_list()))
    bars = (
        accepted.sort("symbol", "ts_event", "seq")
        .group_by("symbol", ts_start=pl.col("ts_event").dt.truncate("1m"), maintain_order=True)
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
            day_volume=pl.col("day_volume").last(),
            tick_count=pl.len().cast(pl.Int64),
        )
        .sort("symbol", "ts_start")
    )
    before = pl.col("day_volume").shift(1, fill_value=0).over("symbol")
    volume = (pl.col("day_volume") - before).alias("volume")
    return bars.select("symbol", "ts_start", "open", "high", "low", "close", volume, "tick_count")


def refused_rows(bootstrap: str) -> pl.DataFrame:
    """Rows of the tape that the feed refused, by their number."""
    headers = [dict(message.headers() or ()) for message in messages(bootstrap, "market.ticks.dlq.v1")]
    numbers = [int(header["line_seq"]) for header in headers if "line_seq" in header]
    return pl.DataFrame({"row": numbers}, schema={"row": pl.UInt32})


def spoil(tape: Path, folder: Path) -> tuple[Path, pl.DataFrame]:
    """The tape with five wrong trades: two prices a hundredfold, two sizes, one a minute late; and the rows that a feed refuses."""
    trades = pl.read_parquet(tape).with_row_index("row")
    regular = trades.filter(pl.col("ts_event") >= pl.datetime(2013, 10, 7, 13, 31, time_zone="UTC"), pl.col("symbol") == "SPY")
    rows = [regular["row"][len(regular) * share // 7] for share in (1, 2, 3, 4, 5)]
    row, minute = pl.col("row"), pl.duration(minutes=1)
    wrong = trades.with_columns(
        price=pl.when(row.is_in(rows[:2])).then(pl.col("price") * 100).otherwise(pl.col("price")).cast(trades.schema["price"]),
        size=pl.when(row.is_in(rows[2:4])).then(pl.col("size") + 1_000_000).otherwise(pl.col("size")).cast(trades.schema["size"]),
        ts_event=pl.when(row == rows[4]).then(pl.col("ts_event") + minute).otherwise(pl.col("ts_event")),
    ).sort("ts_event", maintain_order=True)
    refused = wrong.with_row_index("place").filter(row.is_in(rows[:2])).select(pl.col("place").alias("row"))
    path = folder / "spoilt.parquet"
    wrong.drop("row").write_parquet(path)
    return path, refused


def different(bars: pl.DataFrame, others: pl.DataFrame) -> list[tuple[str, object]]:
    """(symbol, ts_start) of the bars that differ between two tables of the same bars."""
    key = ["symbol", "ts_start"]
    both = bars.join(others, on=key, suffix="_other")
    assert both.height == bars.height == others.height
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_other")) for name in bars.columns if name not in key)
    return both.filter(differs).select(key).sort(key).rows()
