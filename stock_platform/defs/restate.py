"""A session restated as an asset: one click in Dagster, or a backfill for several. Not here: how it is done (repair/restating)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from stock_platform.contracts.bar import BAR, BAR_1D
from stock_platform.contracts.restatement import CHANGES, RESTATED_DIFFERENCE
from stock_platform.contracts.runs import RESTATE_JOB
from stock_platform.contracts.tick import TICK
from stock_platform.contracts.vendor import VENDOR_BAR_1M
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.aggregate_inputs import LOOKED_BACK_DAYS
from stock_platform.defs.aggregate_registry import AT_CLOSE, DAILY, EVERY_ONE
from stock_platform.defs.archive import ARCHIVE
from stock_platform.defs.data_docs import data_docs
from stock_platform.defs.progress import bars_closed_until
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import row_count
from stock_platform.defs.service_level import refreshed_level
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.repair.restating import Promoted
from stock_platform.repair.restating_from_vendor import restate_session

RESTATEMENT = key_of(RESTATED_DIFFERENCE.address)
_SHOWN_COUNT = 50
POOL = "restatement"
"""One restatement at a time, whoever asks for it."""


class Restate(dg.Config):
    """What is restated, and from what."""

    symbols: list[str] = Field([], description="None: all that have the session.")
    tape: str = Field("", description="Path of a Parquet of trades to take instead of what Kafka or the archive has.")
    from_vendor: bool = Field(False, description="Take the vendor's 1-minute bars, even where there are ticks.")


def restatement_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """quality/restatement."""

    @dg.asset(
        key=RESTATEMENT,
        deps=[key_of(TICK.address), ARCHIVE, key_of(VENDOR_BAR_1M.address)],
        partitions_def=partitions,
        group_name="quality",
        kinds={"flink", "postgres", "great-expectations"},
        pool=POOL,
        retry_policy=retry_policy(first_after_s=20, tries=2),
        description=f"{RESTATED_DIFFERENCE.meaning} Materialise a session's partition to restate it.",
        metadata={"dagster/column_schema": column_schema(RESTATED_DIFFERENCE)},
    )
    @retried_if_transient
    def quality_restatement(
        context: dg.AssetExecutionContext, config: Restate, world: dg.ResourceParam[World]
    ) -> dg.MaterializeResult:
        session_date = date.fromisoformat(context.partition_key)
        done = restate_session(
            world.settings,
            world.clock,
            session_date,
            config.symbols,
            tape=config.tape,
            from_vendor=config.from_vendor,
            closed_until=bars_closed_until(world),
            run_id=context.run_id,
            code_version=world.code_version,
        )
        metadata = restatement_metadata(done) | data_docs(world, context.run_id, done.outcome.judgement)
        for event in followed_up(world, context.run_id, session_date, metadata):
            context.log_event(event)
        with world.database("gate_owner") as connection:
            return dg.MaterializeResult(metadata=metadata | row_count(connection, RESTATED_DIFFERENCE, session_date))

    return quality_restatement


def followed_up(world: World, run_id: str, session_date: date, metadata: dict[str, Any]) -> Iterator[dg.AssetMaterialization]:
    """What follows from certified bars that have changed: their event, the aggregates made of them, the session's service level."""
    with world.database("gate_owner") as connection:
        of_bars = metadata | row_count(connection, BAR, session_date)
    yield dg.AssetMaterialization(key_of(BAR.address), partition=session_date.isoformat(), metadata=of_bars)
    yield from remade(world, run_id, session_date)
    yield refreshed_level(world, run_id, session_date)


def remade(world: World, run_id: str, session_date: date) -> Iterator[dg.AssetMaterialization]:
    """The session's aggregates, and those of later sessions that look back at its day where that has changed."""
    has_changed = False
    for event in refreshed(world, run_id, session_date, EVERY_ONE):
        has_changed |= event.asset_key == key_of(BAR_1D.address) and event.metadata["changed"].value != 0
        yield event
    for day in _later_sessions(world, session_date) if has_changed else ():
        yield from refreshed(world, run_id, day, (*DAILY, *AT_CLOSE))


def _later_sessions(world: World, session_date: date) -> list[date]:
    query = "SELECT DISTINCT session_date FROM aggregates.bar_1d WHERE session_date > %s AND session_date < %s ORDER BY 1"
    with world.database("gate_owner") as connection:
        found = connection.execute(query, (session_date, session_date + timedelta(days=LOOKED_BACK_DAYS))).fetchall()
    return [day for (day,) in found]


def restate_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """Restate one session."""
    return dg.define_asset_job(
        RESTATE_JOB,
        selection=dg.AssetSelection.assets(RESTATEMENT),
        partitions_def=partitions,
        tags={"dagster/max_runtime": "3600"},
        description="Compute a session anew from its ticks, or take the vendor's bars; promote what differs, refresh aggregates.",
    )


def restatement_metadata(done: Promoted) -> dict[str, Any]:
    """What a person wants to know of a promoted restatement."""
    found, difference = done.done, done.outcome.difference
    return {
        "rows_written": len(difference.changes),
        **{change: difference.count(change) for change in CHANGES},
        "quarantined": done.outcome.promotion.quarantined,
        "restatement": found.restatement_id,
        "ticks_from": found.ticks_from,
        "ticks": found.counts.tick_count,
        "bars": found.counts.bar_count,
        "diff": dg.MetadataValue.md(difference.markdown(_SHOWN_COUNT)),
    }
