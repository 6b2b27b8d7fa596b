"""What the daily aggregates share: each symbol's newest session beside those before it. Pure.

A frame of days has symbol, session_date, high, low, close, volume in the shares of the newest session; any order. Which days they
are, and whose, is not known here (defs/aggregate_inputs)."""

import polars as pl

CLOSE, HIGH, LOW = (pl.col(name).cast(pl.Float64) for name in ("close", "high", "low"))
LOG_RETURN = CLOSE.log().diff()
"""Against the day before; null on the first day."""


def newest(days: pl.DataFrame, **statistics: pl.Expr) -> pl.DataFrame:
    """One row per symbol, by symbol.

    Args:
        statistics: Of a symbol's days in their order, one value each.
    Returns:
        symbol, session_date of the newest day, and the statistics."""
    ordered = days.sort("symbol", "session_date")
    return ordered.group_by("symbol", maintain_order=True).agg(pl.col("session_date").last(), **statistics)


def moving_average(length: int) -> pl.Expr:
    """Mean of the newest closes; null where there are fewer."""
    return pl.when(pl.len() >= length).then(CLOSE.tail(length).mean())


def previous_close() -> pl.Expr:
    """Close of the day before the newest one; null where there is none."""
    return pl.col("close").shift(1).last()


def change_pct() -> pl.Expr:
    """Change of the newest close against the one before, in percent."""
    return (CLOSE.last() / CLOSE.shift(1).last() - 1) * 100


def finite(value: pl.Expr) -> pl.Expr:
    """Null instead of what is no number."""
    return pl.when(value.is_finite()).then(value)
