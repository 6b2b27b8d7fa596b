"""What a session's aggregates are made of: its certified 1-minute bars, and the days of its symbols up to it.

Reads market, aggregates.bar_1d, staging.vendor_bar_1d, reference. Not here: which aggregate needs what (aggregate_registry)."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import polars as pl

from stock_platform.adapters.postgres import copy_frame
from stock_platform.aggregates.coarser import PRICE
from stock_platform.defs.world import World

LOOKED_BACK_DAYS = 400
"""275 sessions of an exchange, for an SMA 200 with room for gaps; what is further back weighs less than 1e-8 in every average."""

_INSTANT = pl.Datetime("us", "UTC")
_BARS_SCHEMA = {
    "symbol": pl.String,
    "ts_start": pl.Int64,  # seconds since the epoch: half a million timestamps as text take a second to read
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), PRICE),  # in the order of the query
    "volume": pl.Int64,
    "tick_count": pl.Int64,
    "verdict": pl.String,
}
_HOURS_SCHEMA = {"symbol": pl.String, "session_date": pl.Date, "ts_open": _INSTANT, "ts_close": _INSTANT}
_DAYS_SCHEMA = {
    "symbol": pl.String,
    "session_date": pl.Date,
    **dict.fromkeys(("high", "low", "close"), PRICE),
    "volume": pl.Int64,
}

_BARS = """
SELECT symbol, extract(EPOCH FROM ts_start)::bigint AS ts_start, open, high, low, close, vwap, volume, tick_count, verdict
FROM market.bar_1m
WHERE session_date = %(session_date)s
"""
_HOURS = """
SELECT instrument.symbol, session.session_date, session.ts_open, session.ts_close
FROM reference.instrument AS instrument
JOIN reference.session AS session ON session.calendar = instrument.calendar
WHERE session.session_date = %(session_date)s
"""

# One row per symbol that has a certified bar of the session, and session up to it: our certified bar, else the vendor's daily one.
# All in the shares of the session asked for. A certified bar is in the shares of its own day; the vendor's are in those of the day
# on which it told them (ADR 0015). A bar that one of the vendor's rules holds is left out.
DAYS = """
WITH span AS MATERIALIZED (
    SELECT symbol, session_date_from, session_date_until, split_ratio FROM reference.adjustment_span
),
watched AS (
    SELECT bar.symbol, instrument.currency
    FROM aggregates.bar_1d AS bar
    JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol
    WHERE bar.session_date = %(session_date)s
),
known AS (
    SELECT bar.symbol, bar.session_date, bar.high, bar.low, bar.close, bar.volume, bar.session_date AS day_of_shares,
        1 AS preference, bar.ts_start
    FROM watched
    JOIN aggregates.bar_1d AS bar ON bar.symbol = watched.symbol
    WHERE bar.session_date > %(session_date)s - %(days)s AND bar.session_date <= %(session_date)s
    UNION ALL
    SELECT bar.symbol, bar.session_date, bar.high, bar.low, bar.close, bar.volume, (bar.ts_recv AT TIME ZONE 'UTC')::date,
        2, bar.ts_start
    FROM watched
    JOIN staging.vendor_bar_1d AS bar ON bar.symbol = watched.symbol AND bar.currency = watched.currency
    WHERE bar.session_date > %(session_date)s - %(days)s AND bar.session_date < %(session_date)s
        AND bar.rules IS NULL
),
best AS (
    SELECT DISTINCT ON (symbol, session_date) symbol, session_date, high, low, close, volume, day_of_shares
    FROM known
    ORDER BY symbol, session_date, preference, ts_start
),
scaled AS (
    SELECT best.*, (coalesce(asked.split_ratio, 1) / coalesce(had.split_ratio, 1))::numeric(38, 18) AS factor
    FROM best
    LEFT JOIN span AS had ON had.symbol = best.symbol
        AND best.day_of_shares >= had.session_date_from AND best.day_of_shares < had.session_date_until
    LEFT JOIN span AS asked ON asked.symbol = best.symbol
        AND %(session_date)s >= asked.session_date_from AND %(session_date)s < asked.session_date_until
)
SELECT symbol, session_date, (high * factor)::numeric(18, 6) AS high, (low * factor)::numeric(18, 6) AS low,
    (close * factor)::numeric(18, 6) AS close, (volume / factor)::bigint AS volume
FROM scaled
ORDER BY symbol, session_date
"""

_INSTRUMENTS = "SELECT symbol, sector, calendar FROM reference.instrument ORDER BY symbol"


class SessionInputs:
    """Frames of one session, each read when it is first asked for: the days only after the session's bar_1d was made."""

    def __init__(self, world: World, session_date: date) -> None:
        self._world, self._session_date = world, session_date

    @cached_property
    def bars(self) -> pl.DataFrame:
        """The session's certified bars with its open and close, as `coarsen` takes them; by symbol and time."""
        start = pl.from_epoch("ts_start", time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        bars = self._read(_BARS, _BARS_SCHEMA).with_columns(start)
        whole = bars.join(self._read(_HOURS, _HOURS_SCHEMA), on="symbol", how="inner")
        return whole.with_columns(ts_end=pl.col("ts_start") + pl.duration(minutes=1)).sort("symbol", "ts_start")

    def of(self, symbols: Sequence[str]) -> "SessionInputs":
        """The bars of these symbols alone."""
        part = SessionInputs(self._world, self._session_date)
        part.bars = self.bars.filter(pl.col("symbol").is_in(list(symbols)))
        return part

    @cached_property
    def days(self) -> pl.DataFrame:
        """Days of the symbols that have a certified bar of the session, as `aggregates.daily` takes them."""
        return self._read(DAYS, _DAYS_SCHEMA)

    @cached_property
    def instruments(self) -> pl.DataFrame:
        """symbol, sector, calendar."""
        return self._read(_INSTRUMENTS, dict.fromkeys(("symbol", "sector", "calendar"), pl.String))

    def _read(self, query: str, schema: dict[str, Any]) -> pl.DataFrame:
        parameters = {"session_date": self._session_date, "days": LOOKED_BACK_DAYS}
        with self._world.database("gate_owner") as connection:
            return copy_frame(connection, query, parameters, schema=schema)


@lru_cache(maxsize=1)
def inputs_of(world: World, _run_id: str, session_date: date) -> SessionInputs:
    """Read once a run, after `forget_inputs`: all its aggregates are made from the same bars."""
    return SessionInputs(world, session_date)


def forget_inputs() -> None:
    """What has been read may be true no more."""
    inputs_of.cache_clear()
