"""Aggregates as assets, partitioned by session: read the session's certified bars, compute, upsert what changed."""

# Dagster's decorators refuse MaterializeResult with its type argument.
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import dagster as dg
import polars as pl

from stock_platform.adapters.postgres import read_frame, upsert_frame
from stock_platform.aggregates.coarser import PRICE, coarsen
from stock_platform.aggregates.session import session_statistics
from stock_platform.contracts.bar import BAR, BAR_1D, BAR_1H, BAR_5M, BAR_15M, SESSION_STAT
from stock_platform.contracts.record import Record
from stock_platform.contracts.restatement import RESTATED_DIFFERENCE
from stock_platform.defs.world import World, column_schema, key_of

Compute = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
"""Session's bars and previous closes in, aggregate out."""

_INSTANT = pl.Datetime("us", "UTC")
_SCHEMA = {
    "symbol": pl.String,
    "ts_start": _INSTANT,
    "ts_end": _INSTANT,
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), PRICE),  # in the order of the query
    "volume": pl.Int64,
    "tick_count": pl.Int64,
    "session_date": pl.Date,
    "ts_open": _INSTANT,
    "ts_close": _INSTANT,
}

_BARS = """
SELECT bar.symbol, bar.ts_start, bar.ts_end, bar.open, bar.high, bar.low, bar.close, bar.vwap, bar.volume, bar.tick_count,
    bar.session_date, session.ts_open, session.ts_close
FROM market.bar_1m AS bar
JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar AND session.session_date = bar.session_date
WHERE bar.session_date = %(session_date)s
ORDER BY bar.symbol, bar.ts_start
"""

_PREVIOUS = """
SELECT DISTINCT ON (symbol) symbol, close AS previous_close
FROM aggregates.bar_1d
WHERE session_date < %(session_date)s
ORDER BY symbol, session_date DESC
"""


def aggregate_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """One asset per aggregate table."""
    coarse = ((BAR_5M, "5m"), (BAR_15M, "15m"), (BAR_1H, "1h"), (BAR_1D, None))
    bars = [_asset(record, _coarsening(every), partitions) for record, every in coarse]
    return [*bars, _asset(SESSION_STAT, session_statistics, partitions)]


def _coarsening(every: str | None) -> Compute:
    return lambda bars, _previous_close: coarsen(bars, every=every)


def _asset(record: Record, compute: Compute, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key_of(record.address),
        # A restatement changes certified bars too: in its job they are made after it.
        deps=[key_of(BAR.address), key_of(RESTATED_DIFFERENCE.address)],
        partitions_def=partitions,
        group_name="aggregates",
        kinds={"polars", "postgres"},
        owners=["team:data-platform"],
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
    )
    def computed(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        result = compute(*_read(world, context.run_id, date.fromisoformat(context.partition_key)))
        with world.database("gate_owner") as connection:
            stamped = result.with_columns(dagster_run_id=pl.lit(context.run_id), ts_updated=pl.lit(world.clock.now()))
            changed = upsert_frame(connection, record.address, stamped.select(record.names), key=record.key)
        return dg.MaterializeResult(metadata={"dagster/row_count": result.height, "changed": changed})

    return computed


@lru_cache(maxsize=1)
def _read(world: World, _run_id: str, session_date: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read once a run: all its aggregates are made from the same bars."""
    parameters = {"session_date": session_date}
    with world.database("gate_owner") as connection:
        bars = read_frame(connection, _BARS, parameters, schema=_SCHEMA)
        return bars, read_frame(connection, _PREVIOUS, parameters, schema={"symbol": pl.String, "previous_close": PRICE})
