"""Which symbols rose and fell most. Pure: frame in, frame out."""

import polars as pl

from stock_platform.aggregates.coarser import PRICE
from stock_platform.aggregates.daily import change_pct, newest, previous_close

COUNT = 10
"""How many of each direction."""


def movers(days: pl.DataFrame) -> pl.DataFrame:
    """The ten highest changes of the newest close against the one before, and the ten lowest, whichever sign they have.

    Args:
        days: As in `daily`.
    Returns:
        session_date, direction (top, bottom), rank from 1, symbol, previous_close, close, change_pct, volume; sorted by direction
        and rank. Equal changes are in order of symbol; a symbol without an earlier close is left out. Below twenty symbols some
        are in both.
    """
    found = newest(
        days,
        previous_close=previous_close(),
        close=pl.col("close").last(),
        change_pct=change_pct().cast(PRICE),
        volume=pl.col("volume").last(),
    ).drop_nulls("change_pct")
    return pl.concat([_ranked(found, "bottom", is_descending=False), _ranked(found, "top", is_descending=True)])


def _ranked(found: pl.DataFrame, direction: str, *, is_descending: bool) -> pl.DataFrame:
    return (
        found.sort("change_pct", "symbol", descending=[is_descending, False])
        .head(COUNT)
        .with_columns(direction=pl.lit(direction), rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        .select("session_date direction rank symbol previous_close close change_pct volume".split())
    )
