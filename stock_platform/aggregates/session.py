"""Statistics of one session. Pure: frame in, frame out."""

import polars as pl

from stock_platform.aggregates.coarser import coarsen
from stock_platform.aggregates.daily import newest, previous_close

_USUAL, _FEWEST = 20, 5


def session_statistics(bars: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol: range, return, opening gap, realised volatility and relative volume of the session so far.

    Args:
        bars: as for `coarsen`.
        days: As in `daily`; the newest one of each symbol is this session.
    Returns:
        symbol, session_date, open … close, volume, vwap, bar_count, range_pct, return_pct, gap_pct, realised_volatility_pct,
        volume_ratio_20; sorted by symbol. The volatility is the square root of the summed squared 1-minute log returns, not
        annualised; null for one bar. volume_ratio_20 is the volume over the mean of the 20 sessions' before; null where fewer than
        5 of them have one.
    Source: realised variance as in Andersen and Bollerslev (1998), "Answering the Skeptics", section 2.
    """
    floats = {name: pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close", "previous_close")}
    earlier = newest(days, previous_close=previous_close(), usual_volume=_usual_volume()).drop("session_date")
    return (
        coarsen(bars, every=None)
        .join(_volatility(bars), on="symbol", how="left")
        .join(earlier, on="symbol", how="left")
        .with_columns(
            range_pct=(floats["high"] - floats["low"]) / floats["open"] * 100,
            return_pct=(floats["close"] / floats["open"] - 1) * 100,
            gap_pct=(floats["open"] / floats["previous_close"] - 1) * 100,
            volume_ratio_20=pl.when(pl.col("usual_volume") > 0).then(pl.col("volume") / pl.col("usual_volume")),
        )
        .select(
            "symbol session_date open high low close volume vwap bar_count range_pct return_pct gap_pct "
            "realised_volatility_pct volume_ratio_20".split()
        )
        .sort("symbol")
    )


def _usual_volume() -> pl.Expr:
    before = pl.col("volume").slice(0, pl.len() - 1).tail(_USUAL)
    return pl.when(before.count() >= _FEWEST).then(before.mean())


def _volatility(bars: pl.DataFrame) -> pl.DataFrame:
    ordered = bars.sort("symbol", "ts_start")
    log_return = pl.col("close").cast(pl.Float64).log().diff().over("symbol")
    squares = ordered.select("symbol", square=log_return**2).drop_nulls()
    return squares.group_by("symbol", maintain_order=True).agg(realised_volatility_pct=pl.col("square").sum().sqrt() * 100)
