"""Aggregates as assets, partitioned by session: read what a session's are made of, compute, upsert what changed.

A gate run makes what the bars that have changed touch, symbols and windows; every other run makes all of it. Unit of parallelism:
session. Delivery: effectively once; a repeat changes no row. Not here: which there are (aggregate_registry), what they read
(aggregate_inputs), what has changed (aggregate_touched)."""

# Dagster's decorators refuse MaterializeResult with its type argument.
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from stock_platform.adapters.postgres import Connection, drop_others, replace_part, upsert_frame
from stock_platform.contracts.runs import INTRADAY_STEP
from stock_platform.defs.aggregate_inputs import SessionInputs, forget_inputs, inputs_of
from stock_platform.defs.aggregate_registry import AT_CLOSE, DAILY, EVERY_RUN, INTRADAY, Aggregate
from stock_platform.defs.aggregate_touched import Touched, claim, only_maker
from stock_platform.defs.certify import GATE
from stock_platform.defs.priority import give_way
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import row_count, tell_each
from stock_platform.defs.world import World, column_schema
from stock_platform.gate.hold import Hold, hold_of

Changed = dict[str, int]
"""What is told of a table's session: rows that it has, rows that the run changed."""


class MadeAgain(dg.Config):
    """Of whom an intraday aggregate is made."""

    symbols: list[str] = Field(default_factory=list, description="Only these; none stands for all that have the session.")


def aggregate_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """One asset per aggregate table; those that are made together are one step, which costs a run more than what it computes."""
    return [
        _intraday(partitions),
        _looking_back("daily_aggregates", DAILY, partitions),
        _looking_back("closed_session_aggregates", AT_CLOSE, partitions),
    ]


def refreshed(
    world: World, run_id: str, session_date: date, aggregates: Iterable[Aggregate] = EVERY_RUN
) -> Iterator[dg.AssetMaterialization]:
    """Bring aggregates of a session up to date from within another run; the same as to materialise its partition.

    One that is held stays as it is: what ends the hold refreshes it."""
    if _holds(world, [session_date]):
        return
    wanted = list(aggregates)
    intraday = [each for each in wanted if each in INTRADAY]
    forget_inputs()
    for aggregate, metadata in zip(intraday, _all_made(world, run_id, session_date, intraday), strict=True):
        yield dg.AssetMaterialization(aggregate.key, partition=session_date.isoformat(), metadata=metadata)
    for aggregate in wanted:
        if aggregate not in intraday:
            metadata = _made(world, run_id, session_date, aggregate)
            yield dg.AssetMaterialization(aggregate.key, partition=session_date.isoformat(), metadata=metadata)


def _intraday(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @_step(INTRADAY_STEP, INTRADAY, partitions)
    @retried_if_transient
    def made(
        context: dg.AssetExecutionContext, config: MadeAgain, world: dg.ResourceParam[World]
    ) -> Iterator[dg.MaterializeResult]:
        wanted, run_id = _wanted(context, INTRADAY), context.run.run_id
        is_touched_only = GATE in context.run.tags and len(wanted) == len(INTRADAY)
        give_way(context.run)
        forget_inputs()
        days = _free_days(context, world)
        if is_touched_only:
            done = [mend_touched(world, run_id, day) for day in days]
        else:
            done = [_all_made(world, run_id, day, wanted, symbols=config.symbols) for day in days]
        of_some = {"symbols": ", ".join(config.symbols)} if config.symbols and not is_touched_only else {}
        yield from _results(context, wanted, dict(zip(days, done, strict=True)), **of_some)

    return made


def _looking_back(name: str, aggregates: Sequence[Aggregate], partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @_step(name, aggregates, partitions)
    @retried_if_transient
    def made(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        give_way(context.run)
        wanted, run_id = _wanted(context, aggregates), context.run.run_id
        days = _free_days(context, world)
        yield from _results(context, wanted, {day: [_made(world, run_id, day, each) for each in wanted] for day in days})

    return made


def _step(name: str, aggregates: Sequence[Aggregate], partitions: dg.PartitionsDefinition[str]) -> Any:
    """Decorator of a step that makes these tables."""
    return dg.multi_asset(
        name=name,
        specs=[_spec(aggregate) for aggregate in aggregates],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        retry_policy=retry_policy(),
    )


def _wanted(context: dg.AssetExecutionContext, aggregates: Sequence[Aggregate]) -> list[Aggregate]:
    return [aggregate for aggregate in aggregates if aggregate.key in context.selected_asset_keys]


def _free_days(context: dg.AssetExecutionContext, world: World) -> list[date]:
    """The run's sessions in order; a held one refuses them all."""
    days = sorted(map(date.fromisoformat, context.partition_keys))
    if holds := _holds(world, days):
        raise dg.Failure(description=" ".join(map(str, holds)), allow_retries=False)
    return days


def _results(
    context: dg.AssetExecutionContext, wanted: Sequence[Aggregate], done: Mapping[date, Sequence[Changed]], **of_run: str
) -> Iterator[dg.MaterializeResult]:
    """One per table; of each session it tells what is the session's."""
    for number, aggregate in enumerate(wanted):
        tell_each(context, aggregate.key, {day: of_day[number] for day, of_day in done.items()})
        yield dg.MaterializeResult(asset_key=aggregate.key, metadata=of_run)


def _spec(aggregate: Aggregate) -> dg.AssetSpec:
    return dg.AssetSpec(
        aggregate.key,
        deps=aggregate.upstream,
        group_name="aggregates",
        kinds={"polars", "postgres"},
        description=aggregate.description,
        metadata={
            "dagster/column_schema": column_schema(aggregate.record),
            "dagster/column_lineage": aggregate.column_lineage,
        },
    )


def _holds(world: World, days: list[date]) -> list[Hold]:
    with world.database("gate_owner") as connection:
        return [hold for day in days if (hold := hold_of(connection, day))]


def mend_touched(world: World, run_id: str, session_date: date) -> list[Changed]:
    """Every intraday aggregate, brought up to date where bars have changed."""
    with world.database("gate_owner") as connection:
        only_maker(connection, session_date)
        touched = claim(connection, session_date)
        if touched.minutes.is_empty():
            return [_told(connection, each, session_date, changed=0) for each in INTRADAY]
        inputs = inputs_of(world, run_id, session_date).of(touched.symbols)
        cut = {"session_date": session_date, "symbol": touched.symbols_cut}
        return [_mended(connection, _stamped(world, run_id, each, inputs), each, touched, cut) for each in INTRADAY]


def _all_made(
    world: World, run_id: str, session_date: date, aggregates: Sequence[Aggregate], *, symbols: Sequence[str] = ()
) -> list[Changed]:
    """Intraday aggregates, made anew whatever has changed."""
    within: dict[str, Any] = {"session_date": session_date, **({"symbol": list(symbols)} if symbols else {})}
    with world.database("gate_owner") as connection:
        only_maker(connection, session_date)
        if len(aggregates) == len(INTRADAY):
            claim(connection, session_date, list(symbols) or None)
        inputs = inputs_of(world, run_id, session_date)
        of_symbols = inputs.of(symbols) if symbols else inputs
        return [_replaced(connection, _stamped(world, run_id, each, of_symbols), each, within) for each in aggregates]


def _made(world: World, run_id: str, session_date: date, aggregate: Aggregate) -> Changed:
    """An aggregate that looks back, made anew."""
    inputs = inputs_of(world, run_id, session_date)
    with world.database("gate_owner") as connection:
        return _replaced(connection, _stamped(world, run_id, aggregate, inputs), aggregate, {"session_date": session_date})


def _stamped(world: World, run_id: str, aggregate: Aggregate, inputs: SessionInputs) -> pl.DataFrame:
    """What the inputs give, as the table has it."""
    result = aggregate.compute(inputs)
    stamped = result.with_columns(dagster_run_id=pl.lit(run_id), ts_updated=pl.lit(world.clock.now()))
    return stamped.select(aggregate.record.names)


def _replaced(connection: Connection, result: pl.DataFrame, aggregate: Aggregate, within: dict[str, Any]) -> Changed:
    """This part of the table is the result from now on."""
    record = aggregate.record
    changed = replace_part(connection, record.address, result, key=record.key, within=within)
    return _told(connection, aggregate, within["session_date"], changed=changed)


def _mended(connection: Connection, whole: pl.DataFrame, aggregate: Aggregate, touched: Touched, cut: dict[str, Any]) -> Changed:
    """Rows that hold a changed bar are written; those of which nothing is left go."""
    record = aggregate.record
    result = whole if aggregate.is_of_session else touched.rows(whole)
    changed = upsert_frame(connection, record.address, result, key=record.key)
    if touched.symbols_cut:
        changed += drop_others(connection, record.address, whole, key=record.key, within=cut)
    return _told(connection, aggregate, cut["session_date"], changed=changed)


def _told(connection: Connection, aggregate: Aggregate, session_date: date, *, changed: int) -> Changed:
    return {**row_count(connection, aggregate.record, session_date), "changed": changed}
