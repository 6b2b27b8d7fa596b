"""How far prices move a year, from the newest 20 sessions. Pure: frame in, frame out."""

import math

import polars as pl

from stock_platform.aggregates.daily import HIGH, LOG_RETURN, LOW, newest
from stock_platform.calendars.continuous import ContinuousCalendar

_WINDOW, _FEWEST = 20, 10
_OF_AN_EXCHANGE, _OF_ALL_DAYS = 252, 365
"""Sessions a year: of US exchanges as it is usual to count them, and of markets that never close."""


def volatilities(days: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol, of its newest day.

    Args:
        days: As in `daily`.
        instruments: symbol, calendar.
    Returns:
        symbol, session_date, volatility_pct, parkinson_volatility_pct, observation_count, sessions_per_year; sorted by symbol.
        Annualised, in percent. volatility_pct: sample standard deviation of the newest 20 log returns. parkinson_volatility_pct:
        root of the mean of ln(high / low)² / (4 ln 2) over the newest 20 sessions. Each is null below 10 of them.
    Source: Parkinson (1980), "The Extreme Value Method for Estimating the Variance of the Rate of Return", Journal of Business 53.
    """
    squares = (HIGH / LOW).log().tail(_WINDOW) ** 2
    year = pl.when(pl.col("calendar") == ContinuousCalendar.name).then(_OF_ALL_DAYS).otherwise(_OF_AN_EXCHANGE)
    found = newest(
        days,
        deviation=LOG_RETURN.tail(_WINDOW).std(),
        range_variance=pl.when(pl.len() >= _FEWEST).then(squares.mean() / (4 * math.log(2))),
        observation_count=LOG_RETURN.tail(_WINDOW).count().cast(pl.Int64),
    )
    is_enough = pl.col("observation_count") >= _FEWEST
    return (
        found.join(instruments.select("symbol", sessions_per_year=year.cast(pl.Int64)), on="symbol", how="inner")
        .with_columns(
            volatility_pct=pl.when(is_enough).then(pl.col("deviation") * pl.col("sessions_per_year").sqrt() * 100),
            parkinson_volatility_pct=(pl.col("range_variance") * pl.col("sessions_per_year")).sqrt() * 100,
        )
        .select("symbol session_date volatility_pct parkinson_volatility_pct observation_count sessions_per_year".split())
        .sort("symbol")
    )
