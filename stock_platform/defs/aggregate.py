"""Aggregates as assets, partitioned by session: read what a session's are made of, compute, upsert what changed.

Unit of parallelism: session. Delivery: effectively once; a repeat changes no row. Not here: which there are (aggregate_registry),
what they read (aggregate_inputs)."""

# Dagster's decorators refuse MaterializeResult with its type argument.
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterable, Iterator
from datetime import date

import dagster as dg
import polars as pl

from stock_platform.adapters.postgres import drop_others, upsert_frame
from stock_platform.defs.aggregate_inputs import inputs_of
from stock_platform.defs.aggregate_registry import EVERY_ONE, EVERY_RUN, Aggregate
from stock_platform.defs.world import World, column_schema
from stock_platform.gate.hold import Hold, hold_of


def aggregate_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """One asset per aggregate table."""
    return [_asset(aggregate, partitions) for aggregate in EVERY_ONE]


def refreshed(
    world: World, run_id: str, session_date: date, aggregates: Iterable[Aggregate] = EVERY_RUN
) -> Iterator[dg.AssetMaterialization]:
    """Bring aggregates of a session up to date from within another run; the same as to materialise its partition.

    One that is held stays as it is: what ends the hold refreshes it."""
    if _holds(world, [session_date]):
        return
    for aggregate in aggregates:
        metadata = _refresh(world, run_id, session_date, aggregate)
        yield dg.AssetMaterialization(aggregate.key, partition=session_date.isoformat(), metadata=metadata)


def _asset(aggregate: Aggregate, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=aggregate.key,
        deps=aggregate.upstream,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="aggregates",
        kinds={"polars", "postgres"},
        owners=["team:data-platform"],
        description=aggregate.description,
        metadata={
            "dagster/column_schema": column_schema(aggregate.record),
            "dagster/column_lineage": aggregate.column_lineage,
        },
    )
    def computed(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        days = sorted(map(date.fromisoformat, context.partition_keys))
        if holds := _holds(world, days):
            raise dg.Failure(description=" ".join(map(str, holds)), allow_retries=False)
        done = [_refresh(world, context.run_id, day, aggregate) for day in days]
        return dg.MaterializeResult(metadata={name: sum(each[name] for each in done) for name in done[0]})

    return computed


def _holds(world: World, days: list[date]) -> list[Hold]:
    with world.database("gate_owner") as connection:
        return [hold for day in days if (hold := hold_of(connection, day))]


def _refresh(world: World, run_id: str, session_date: date, aggregate: Aggregate) -> dict[str, int]:
    """Compute one aggregate of a session and upsert what changed; the run's metadata."""
    record = aggregate.record
    result = aggregate.compute(inputs_of(world, run_id, session_date))
    with world.database("gate_owner") as connection:
        stamped = result.with_columns(dagster_run_id=pl.lit(run_id), ts_updated=pl.lit(world.clock.now()))
        changed = upsert_frame(connection, record.address, stamped.select(record.names), key=record.key)
        changed += drop_others(connection, record.address, stamped, key=record.key, within={"session_date": session_date})
    return {"dagster/row_count": result.height, "changed": changed}
