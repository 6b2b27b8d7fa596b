"""How much is traded in each half hour, and at what cost. Pure: frame in, frame out."""

import polars as pl

from stock_platform.aggregates.coarser import bucket_end, bucket_start, has_vwap, money, notional

_EVERY = "30m"


def liquidity(bars: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol and half hour from the open that has a bar.

    Args:
        bars: As for `coarsen`.
    Returns:
        symbol, ts_start, ts_end, session_date, volume, volume_share_ratio, notional, tick_count, bar_count, mean_range_bps,
        amihud_pct; sorted by symbol and ts_start. volume_share_ratio is of the session's volume so far, notional the exact sum of
        vwap x volume, mean_range_bps the mean over the 1-minute bars of (high - low) / open. Null where volume is not known; the
        last one also where nothing was traded; it and notional also where the vendor's bar states no VWAP.
    Source: amihud_pct is |return| / dollar volume, as in Amihud (2002), "Illiquidity and stock returns", Journal of Financial
        Markets 5, equation 1, of one half hour instead of the mean over days; in percent per million.
    """
    floats = {name: pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close", "notional")}
    is_known = pl.col("volume").count() > 0
    return (
        bars.sort("symbol", "ts_start")
        .with_columns(
            bucket=bucket_start(_EVERY), notional=notional(), range_bps=(floats["high"] - floats["low"]) / floats["open"] * 10_000
        )
        .group_by("symbol", "bucket", maintain_order=True)
        .agg(
            pl.col("ts_close", "session_date", "open").first(),
            pl.col("close").last(),
            volume=pl.when(is_known).then(pl.col("volume").sum()),
            notional=pl.when(is_known & has_vwap().all()).then(pl.col("notional").sum()),
            tick_count=pl.col("tick_count").sum(),
            bar_count=pl.len().cast(pl.Int64),
            mean_range_bps=pl.col("range_bps").mean(),
        )
        .with_columns(notional=money("notional"), session_volume=pl.col("volume").sum().over("symbol"))
        .with_columns(
            ts_start=pl.col("bucket"),
            ts_end=bucket_end(_EVERY),
            volume_share_ratio=pl.when(pl.col("session_volume") > 0).then(pl.col("volume") / pl.col("session_volume")),
            amihud_pct=pl.when(pl.col("notional") > 0).then(
                (floats["close"] / floats["open"] - 1).abs() * 100 / (floats["notional"] / 1_000_000)
            ),
        )
        .select(
            "symbol ts_start ts_end session_date volume volume_share_ratio notional tick_count bar_count mean_range_bps "
            "amihud_pct".split()
        )
    )
