"""Made-up days of symbols for tests of the daily aggregates."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from stock_platform.aggregates.coarser import PRICE
from stock_platform_tests.bars import SESSION

SCHEMA = {
    "symbol": pl.String,
    "session_date": pl.Date,
    **dict.fromkeys(("high", "low", "close"), PRICE),
    "volume": pl.Int64,
}


def day(before: int) -> date:
    """So many days before the session."""
    return SESSION - timedelta(days=before)


def days(**closes: Sequence[str | float | Decimal]) -> pl.DataFrame:
    """Each symbol's closes, the last one that of the session; high and low are the close, the volume is 100."""
    rows = [
        (symbol, day(len(values) - 1 - place), *[Decimal(str(value))] * 3, 100)
        for symbol, values in closes.items()
        for place, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def ranges(bars: Iterable[tuple[float, float, float]], symbol: str = "A") -> pl.DataFrame:
    """One symbol's high, low and close of each day, the last one the session's."""
    known = list(bars)
    rows = [
        (symbol, day(len(known) - 1 - place), *[Decimal(str(value)) for value in values], 100) for place, values in enumerate(known)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
