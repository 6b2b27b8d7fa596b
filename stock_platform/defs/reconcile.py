"""Reconciliation after the close: a session's certified bars held against the vendor's, as an asset with a check; what asks for it.

Delivery: effectively once; a repeat asks the vendor again and replaces the session's rows. Instruments that the watchlist has as
`reconcile: correct` get the vendor's bar where a price differs. Not here: what differs means (market/reconciliation)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from stock_platform.config import FeedKind
from stock_platform.contracts.bar import BAR
from stock_platform.contracts.runs import PRIORITY
from stock_platform.contracts.vendor import VENDOR_BAR_1M, VENDOR_DIFFERENCE
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.ended import due_sessions, requested
from stock_platform.defs.priority import give_way
from stock_platform.defs.progress import bars_closed_until
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import ROW_COUNT, row_count, tell_each
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.errors.restatement import FeedUnheard, SessionProtected
from stock_platform.feed.choice import instruments_of
from stock_platform.feed.yahoo.history import MINUTES_KEPT
from stock_platform.market.asked import Stretch
from stock_platform.market.reconciliation import Reconciliation, keep, reconcile
from stock_platform.repair.restating_from_vendor import restate_from_vendor

DIFFERENCE = key_of(VENDOR_DIFFERENCE.address)
NEAR_VENDOR = "near_vendor"
FAR_BPS, FAR_SHARE = 50.0, 0.01
"""Half a percent is no rounding and no late print; one bar in a hundred is no single odd trade."""
_POOL = "restatement"
"""Shared with restatements: correcting is one."""


def reconciliation_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """quality/vendor_difference."""

    @dg.asset(
        key=DIFFERENCE,
        deps=[key_of(BAR.address), key_of(VENDOR_BAR_1M.address)],
        partitions_def=partitions,
        group_name="quality",
        kinds={"polars", "postgres"},
        pool=_POOL,
        retry_policy=retry_policy(first_after_s=20),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=f"{VENDOR_DIFFERENCE.meaning} Grain: {VENDOR_DIFFERENCE.grain}.",
        metadata={"dagster/column_schema": column_schema(VENDOR_DIFFERENCE)},
    )
    @retried_if_transient
    def quality_vendor_difference(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        give_way(context.run)
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        tell_each(context, DIFFERENCE, {day: metadata(_reconciled(context, world, day)) for day in days})
        return dg.MaterializeResult()

    return quality_vendor_difference


@dataclass(frozen=True)
class Reconciled:
    """One session, done.

    Args:
        found: Before anything was corrected.
        row_count: Rows that quality.vendor_difference has of it; corrected: certified bars that the vendor's replaced.
    """

    session_date: date
    found: Reconciliation
    row_count: int
    corrected: int


def metadata(done: Reconciled) -> dict[str, Any]:
    """What a person wants to know of a session."""
    return {
        ROW_COUNT: done.row_count,
        "corrected": done.corrected,
        "compared": done.found.both.height,
        "equal": done.found.equal_count,
        "only_ours": done.found.only_ours.height,
        "only_vendor": done.found.only_vendor.height,
        "summary": dg.MetadataValue.md(f"**{done.session_date}** {done.found.markdown()}"),
    }


def _reconciled(context: dg.AssetExecutionContext, world: World, session_date: date) -> Reconciled:
    found = _found(world, session_date)
    corrected = _correct(context, world, session_date, found.to_correct(corrected_symbols(world)))
    left = _found(world, session_date) if corrected else found
    with world.database("gate_owner") as connection:
        rows = keep(connection, session_date, left, dagster_run_id=context.run_id, now=world.clock.now())
    return Reconciled(session_date, found, rows, corrected)


def corrected_symbols(world: World) -> list[str]:
    """Instruments whose policy is to take the vendor's bar."""
    return [each.symbol for each in instruments_of(world.settings) if each.reconcile == "correct"]


def _found(world: World, session_date: date) -> Reconciliation:
    until = bars_closed_until(world)
    if until is None:
        raise FeedUnheard(session_date)
    with world.database("gate_owner") as connection:
        return reconcile(connection, session_date, until)


def _correct(context: dg.AssetExecutionContext, world: World, session_date: date, stretches: list[Stretch]) -> int:
    """Take the vendor's bars of these minutes; how many certified bars changed. A protected session is told of only."""
    if not stretches:
        return 0
    facts = {"run_id": context.run_id, "code_version": world.code_version}
    try:
        done = restate_from_vendor(
            world.settings, world.clock, session_date, stretches, closed_until=bars_closed_until(world), **facts
        )
    except SessionProtected as error:
        context.log.info("session is not corrected", extra={"reason": str(error)})
        return 0
    changes = len(done.outcome.difference.changes)
    with world.database("gate_owner") as connection:
        told = {**row_count(connection, BAR, session_date), "rows_written": changes, "ticks_from": done.done.ticks_from}
    context.log_event(dg.AssetMaterialization(key_of(BAR.address), partition=session_date.isoformat(), metadata=told))
    for event in refreshed(world, context.run_id, session_date):
        context.log_event(event)
    return changes


@dg.asset_check(
    asset=key_of(BAR.address),
    name=NEAR_VENDOR,
    additional_deps=[DIFFERENCE],
    description=f"At most {FAR_SHARE:.0%} of a session's closes are more than {FAR_BPS:g} bps off the vendor's.",
)
def near_vendor(context: dg.AssetCheckExecutionContext, world: dg.ResourceParam[World]) -> dg.AssetCheckResult:
    """The run's session, or without one the newest that the vendor was asked for."""
    session_date = _session(context, world)
    found = _found(world, session_date) if session_date else None
    return near_result(session_date, found)


def near_result(session_date: date | None, found: Reconciliation | None) -> dg.AssetCheckResult:
    """Whether few enough closes are far off; without anything to compare it holds."""
    share = found.far_share(FAR_BPS) if found else 0.0
    compared = found.both.height if found else 0
    return dg.AssetCheckResult(
        asset_key=key_of(BAR.address),
        check_name=NEAR_VENDOR,
        passed=share <= FAR_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"session": str(session_date or "none"), "observed": compared, "failed": round(share * compared)},
        description=f"{share:.1%} of {compared} closes are more than {FAR_BPS:g} bps off the vendor's.",
    )


def _session(context: dg.AssetCheckExecutionContext, world: World) -> date | None:
    key = context.run.tags.get("dagster/partition")
    if key:
        return date.fromisoformat(key)
    with world.database("gate_owner") as connection:
        row = connection.execute("SELECT max(session_date) FROM staging.vendor_bar_1m").fetchone()
    return row[0] if row else None


def reconcile_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """The vendor's minutes of a session, and our bars held against them."""
    assets = dg.AssetSelection.assets(key_of(VENDOR_BAR_1M.address), DIFFERENCE)
    return dg.define_asset_job(
        "reconcile_session",
        selection=assets | dg.AssetSelection.checks(near_vendor),
        partitions_def=partitions,
        tags={"dagster/max_runtime": "3600", PRIORITY: "-5"},
        description="Ask the vendor for a session's minutes, and hold our certified bars against them.",
    )


def ended_sessions_sensor(job: Any, partitions: dg.PartitionsDefinition[str], feed_kind: FeedKind) -> dg.SensorDefinition:
    """Ask for the reconciliation of each session that is over and judged, once, while the vendor has its minutes."""

    @dg.sensor(
        name="reconcile_ended_sessions",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if feed_kind != "tape" else dg.DefaultSensorStatus.STOPPED,
        description="Requests the reconciliation of each session that is over on every watched calendar and of which no bar waits.",
    )
    def reconcile_ended_sessions(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        if world.settings.feed_kind == "tape":
            return dg.SensorResult(skip_reason="This profile plays a tape: no vendor knows its time.")
        kept_since = (world.clock.now() - MINUTES_KEPT + timedelta(days=1)).date()
        due = due_sessions(context.instance, world, partitions, done=DIFFERENCE, job_name=job.name, since=kept_since)
        return requested(due, "reconciled")

    return reconcile_ended_sessions
