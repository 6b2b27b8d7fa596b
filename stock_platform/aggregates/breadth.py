"""How many symbols of each sector rose and fell. Pure: frame in, frame out."""

import polars as pl

from stock_platform.aggregates.daily import CLOSE, change_pct, moving_average, newest

ALL = "ALL"
"""The row over every sector."""


def sector_breadth(days: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """One row per sector that has a bar of the session, and one over all.

    Args:
        days: As in `daily`.
        instruments: symbol, sector.
    Returns:
        session_date, sector, symbol_count, advancing_count, declining_count, unchanged_count, above_sma_50_ratio,
        mean_change_pct, volume; sorted by sector. A symbol without an earlier close is counted in symbol_count alone. The ratio is
        taken over the symbols that have an SMA 50; null where none has.
    """
    found = newest(
        days,
        change_pct=change_pct(),
        is_above=CLOSE.last() > moving_average(50),
        volume=pl.col("volume").last(),
    ).join(instruments.select("symbol", "sector"), on="symbol", how="inner", maintain_order="left")
    return pl.concat([_counted(found), _counted(found.with_columns(sector=pl.lit(ALL)))]).sort("sector")


def _counted(found: pl.DataFrame) -> pl.DataFrame:
    change = pl.col("change_pct")
    return found.group_by("session_date", "sector", maintain_order=True).agg(
        symbol_count=pl.len().cast(pl.Int64),
        advancing_count=(change > 0).sum().cast(pl.Int64),
        declining_count=(change < 0).sum().cast(pl.Int64),
        unchanged_count=(change == 0).sum().cast(pl.Int64),
        above_sma_50_ratio=pl.col("is_above").mean(),
        mean_change_pct=change.mean(),
        volume=pl.when(pl.col("volume").count() > 0).then(pl.col("volume").sum()),
    )
