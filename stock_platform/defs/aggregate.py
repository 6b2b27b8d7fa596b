"""Aggregates as assets, partitioned by session: read the session's certified bars, compute, upsert what changed."""

# Dagster's decorators refuse MaterializeResult with its type argument.
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

import dagster as dg
import polars as pl

from stock_platform.adapters.postgres import drop_others, read_frame, upsert_frame
from stock_platform.aggregates.coarser import PRICE, coarsen
from stock_platform.aggregates.session import session_statistics
from stock_platform.contracts.bar import BAR, BAR_1D, BAR_1H, BAR_5M, BAR_15M, SESSION_STAT
from stock_platform.contracts.record import Record
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.gate.hold import hold_of

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
    return [_asset(record, compute, partitions) for record, compute in _aggregates()]


def refreshed(world: World, run_id: str, session_date: date) -> Iterator[dg.AssetMaterialization]:
    """Bring every aggregate of a session up to date from within another run; the same as to materialise its partition.

    One that is held stays as it is: what ends the hold refreshes it."""
    with world.database("gate_owner") as connection:
        if hold_of(connection, session_date):
            return
    for record, compute in _aggregates():
        metadata = _refresh(world, run_id, session_date, record, compute)
        yield dg.AssetMaterialization(key_of(record.address), partition=session_date.isoformat(), metadata=metadata)


def _aggregates() -> list[tuple[Record, Compute]]:
    coarse = ((BAR_5M, "5m"), (BAR_15M, "15m"), (BAR_1H, "1h"), (BAR_1D, None))
    return [*((record, _coarsening(every)) for record, every in coarse), (SESSION_STAT, session_statistics)]


def _coarsening(every: str | None) -> Compute:
    return lambda bars, _previous_close: coarsen(bars, every=every)


def _asset(record: Record, compute: Compute, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key_of(record.address),
        deps=[key_of(BAR.address)],
        partitions_def=partitions,
        group_name="aggregates",
        kinds={"polars", "postgres"},
        owners=["team:data-platform"],
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
    )
    def computed(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        session_date = date.fromisoformat(context.partition_key)
        return dg.MaterializeResult(metadata=_refresh(world, context.run_id, session_date, record, compute))

    return computed


def _refresh(world: World, run_id: str, session_date: date, record: Record, compute: Compute) -> dict[str, int]:
    """Compute one aggregate of a session and upsert what changed; the run's metadata."""
    with world.database("gate_owner") as connection:
        hold = hold_of(connection, session_date)
    if hold:
        raise dg.Failure(description=str(hold), allow_retries=False)
    result = compute(*_read(world, run_id, session_date))
    with world.database("gate_owner") as connection:
        stamped = result.with_columns(dagster_run_id=pl.lit(run_id), ts_updated=pl.lit(world.clock.now()))
        changed = upsert_frame(connection, record.address, stamped.select(record.names), key=record.key)
        changed += drop_others(connection, record.address, stamped, key=record.key, within={"session_date": session_date})
    return {"dagster/row_count": result.height, "changed": changed}


@lru_cache(maxsize=1)
def _read(world: World, _run_id: str, session_date: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read once a run: all its aggregates are made from the same bars."""
    parameters = {"session_date": session_date}
    with world.database("gate_owner") as connection:
        bars = read_frame(connection, _BARS, parameters, schema=_SCHEMA)
        return bars, read_frame(connection, _PREVIOUS, parameters, schema={"symbol": pl.String, "previous_close": PRICE})
