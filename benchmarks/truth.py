"""The right bars of a tick file, computed by polars alone, and how far a table is from them.

Not here: the ticks (ticks), anything of the stream job. Rules: README of flink/."""

import polars as pl

KEY = ("symbol", "ts_start")
COMPARED = ("open", "high", "low", "close", "volume")
PRICE = pl.Decimal(18, 6)


def bars(ticks: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol and minute, sorted by both: the distinct ticks, ties in the total order, volume at the boundary.

    Args:
        ticks: symbol, ts_event (epoch ms), price, day_volume; any order, with repeats.
    Returns:
        symbol, ts_start (UTC), open, high, low, close, tick_count, volume, vwap.
    """
    ordered = (
        ticks.unique(["symbol", "day_volume", "ts_event", "price"])
        .sort("ts_event", "day_volume", "price")
        .with_columns(ts_start=pl.from_epoch(pl.col("ts_event") // 60_000 * 60, "s").dt.replace_time_zone("UTC"))
    )
    inside = ordered.group_by(*KEY, maintain_order=True).agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
        tick_count=pl.len().cast(pl.Int64),
        day_volume_last=pl.col("day_volume").max(),
    )
    before = pl.col("day_volume_last").cum_max().shift(1, fill_value=0).over("symbol")
    sized = inside.sort(KEY).with_columns(volume=pl.col("day_volume_last") - before)
    return sized.join(_vwap(ordered), on=KEY, maintain_order="left").drop("day_volume_last")


def wrong_bars(truth: pl.DataFrame, found: pl.DataFrame) -> int:
    """Bars that are missing, too many, or differ in a compared column."""
    both = truth.select(*KEY, *COMPARED).join(found.select(*KEY, *COMPARED), on=KEY, how="full", suffix="_found")
    is_right = pl.all_horizontal(pl.col(name).eq(pl.col(f"{name}_found")).fill_null(value=False) for name in COMPARED)
    return both.height - both.select(is_right.sum()).item()


def _vwap(ordered: pl.DataFrame) -> pl.DataFrame:
    """Rise of the day volume x price, summed in whole micro-dollars."""
    rise = pl.col("day_volume") - pl.col("day_volume").shift(1, fill_value=0).over("symbol", order_by="day_volume")
    notional = (pl.col("price") * 1_000_000).cast(pl.Int128) * rise
    return (
        ordered.with_columns(notional=notional, rise=rise)
        .group_by(KEY)
        .agg(vwap=pl.col("notional").sum().cast(pl.Float64) / pl.col("rise").sum() / 1_000_000)
    )
