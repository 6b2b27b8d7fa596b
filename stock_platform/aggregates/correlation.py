"""Which symbols move together. Pure: frame in, frame out."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from stock_platform.aggregates.daily import CLOSE, finite

_WINDOW, _FEWEST = 60, 20
_LOOKED_BACK = timedelta(days=200)
"""Sixty sessions are 88 days; two calendars with many holidays of their own need some more."""
_SCHEMA = {
    "session_date": pl.Date,
    "symbol": pl.String,
    "other_symbol": pl.String,
    "correlation": pl.Float64,
    "observation_count": pl.Int64,
}


def correlations(days: pl.DataFrame) -> pl.DataFrame:
    """Pearson's correlation of each pair's newest 60 daily log returns, each from one session that both have to the next.

    Args:
        days: As in `daily`.
    Returns:
        session_date of the newest day, symbol, other_symbol (after it in the alphabet), correlation, observation_count; sorted by
        both symbols. Null below 20 observations, and where one of the two did not move.
    """
    session_date = days.select(pl.col("session_date").max()).item()
    recent = days.filter(pl.col("session_date") > pl.col("session_date").max() - pl.lit(_LOOKED_BACK))
    ordered = recent.sort("symbol", "session_date").select("symbol", "session_date", log=CLOSE.log())
    pairs = pl.concat([pl.DataFrame(schema=_SCHEMA).drop("session_date"), *_pairs(ordered)])
    return pairs.select(pl.lit(session_date, dtype=pl.Date).alias("session_date"), *pairs.columns)


def _pairs(ordered: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """A symbol with all behind it at a time: of 500 symbols all pairs at once are ten million rows."""
    parts = ordered.partition_by("symbol", maintain_order=True)
    place = 0
    for part in parts:
        place += part.height
        common = ordered[place:].join(part.select("session_date", log_one="log"), on="session_date", maintain_order="left")
        yield (
            common.group_by("symbol", maintain_order=True)
            .agg(found=pl.corr(_returns("log_one"), _returns("log")), observation_count=_returns("log").count().cast(pl.Int64))
            .select(
                pl.lit(part["symbol"][0]).alias("symbol"),
                pl.col("symbol").alias("other_symbol"),
                pl.when(pl.col("observation_count") >= _FEWEST).then(finite(pl.col("found")).clip(-1, 1)).alias("correlation"),
                "observation_count",
            )
        )


def _returns(name: str) -> pl.Expr:
    return pl.col(name).diff().tail(_WINDOW)
