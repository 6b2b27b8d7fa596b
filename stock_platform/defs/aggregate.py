"""Aggregates as assets, partitioned by session: read what a session's are made of, compute, upsert what changed.

Unit of parallelism: session. Delivery: effectively once; a repeat changes no row. Not here: which there are (aggregate_registry),
what they read (aggregate_inputs)."""

# Dagster's decorators refuse MaterializeResult with its type argument.
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import dagster as dg
import polars as pl

from stock_platform.adapters.postgres import drop_others, upsert_frame
from stock_platform.defs.aggregate_inputs import inputs_of
from stock_platform.defs.aggregate_registry import AT_CLOSE, DAILY, EVERY_RUN, INTRADAY, Aggregate
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.world import World, column_schema
from stock_platform.gate.hold import Hold, hold_of


def aggregate_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """One asset per aggregate table; those that are made together are one step, which costs a run more than what it computes."""
    return [
        _step("intraday_aggregates", INTRADAY, partitions),
        _step("daily_aggregates", DAILY, partitions),
        _step("closed_session_aggregates", AT_CLOSE, partitions),
    ]


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


def _step(name: str, aggregates: Sequence[Aggregate], partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name,
        specs=[_spec(aggregate) for aggregate in aggregates],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        retry_policy=retry_policy(),
    )
    @retried_if_transient
    def made(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        days = sorted(map(date.fromisoformat, context.partition_keys))
        if holds := _holds(world, days):
            raise dg.Failure(description=" ".join(map(str, holds)), allow_retries=False)
        wanted = [aggregate for aggregate in aggregates if aggregate.key in context.selected_asset_keys]
        done = [[_refresh(world, context.run.run_id, day, aggregate) for aggregate in wanted] for day in days]
        for aggregate, of_days in zip(wanted, zip(*done, strict=True), strict=True):
            metadata = {name: sum(each[name] for each in of_days) for name in of_days[0]}
            yield dg.MaterializeResult(asset_key=aggregate.key, metadata=metadata)

    return made


def _spec(aggregate: Aggregate) -> dg.AssetSpec:
    return dg.AssetSpec(
        aggregate.key,
        deps=aggregate.upstream,
        group_name="aggregates",
        kinds={"polars", "postgres"},
        owners=["team:data-platform"],
        description=aggregate.description,
        metadata={
            "dagster/column_schema": column_schema(aggregate.record),
            "dagster/column_lineage": aggregate.column_lineage,
        },
    )


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
