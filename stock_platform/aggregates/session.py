"""Statistics of one session. Pure: frame in, frame out."""

import polars as pl

from stock_platform.aggregates.coarser import coarsen


def session_statistics(bars: pl.DataFrame, previous_close: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol: range, return, opening gap and realised volatility of the session so far, all in percent.

    Args:
        bars: as for `coarsen`.
        previous_close: symbol, previous_close: the last certified close of an earlier session.
    Returns:
        symbol, session_date, open … close, volume, vwap, bar_count, range_pct, return_pct, gap_pct, realised_volatility_pct;
        sorted by symbol. The volatility is the square root of the summed squared 1-minute log returns, not annualised; null for
        one bar.
    Source: realised variance as in Andersen and Bollerslev (1998), "Answering the Skeptics", section 2.
    """
    floats = {name: pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close", "previous_close")}
    return (
        coarsen(bars, every=None)
        .join(_volatility(bars), on="symbol", how="left")
        .join(previous_close, on="symbol", how="left")
        .with_columns(
            range_pct=(floats["high"] - floats["low"]) / floats["open"] * 100,
            return_pct=(floats["close"] / floats["open"] - 1) * 100,
            gap_pct=(floats["open"] / floats["previous_close"] - 1) * 100,
        )
        .select(
            "symbol session_date open high low close volume vwap bar_count range_pct return_pct gap_pct "
            "realised_volatility_pct".split()
        )
        .sort("symbol")
    )


def _volatility(bars: pl.DataFrame) -> pl.DataFrame:
    ordered = bars.sort("symbol", "ts_start")
    log_return = pl.col("close").cast(pl.Float64).log().diff().over("symbol")
    squares = ordered.select("symbol", square=log_return**2).drop_nulls()
    return squares.group_by("symbol", maintain_order=True).agg(realised_volatility_pct=pl.col("square").sum().sqrt() * 100)
