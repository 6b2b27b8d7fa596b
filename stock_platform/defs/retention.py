"""Bounded size: once a day what has outlived its use is forgotten, in Dagster's storage and in ours, and both are measured.

Delivery: a repeat finds nothing more to do; what was cut off is finished by the next run. Never touched: bars, revisions,
decisions, gaps, service levels, and runs that are under way; but what a feed line, whose run may never end, said long ago goes.
Not here: what goes from Dagster's tables (adapters/dagster_storage)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, LiteralString

import dagster as dg

from stock_platform.adapters.dagster_storage import Ages, Purged, Size, purge, sizes
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.contracts.runs import PRIORITY
from stock_platform.defs.certify import JOB as CERTIFY
from stock_platform.defs.feed_line import feed_line
from stock_platform.defs.priority import give_way
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.service_level import LATENCIES
from stock_platform.defs.world import World

RETENTION = dg.AssetKey(["ops", "retention"])
FREQUENT_JOBS = (CERTIFY,)
"""Jobs with a run every minute."""
ENDLESS_JOBS = (feed_line.name,)
"""Jobs whose run says something every minute, and on a market that never closes has no end."""
_OURS: dict[str, LiteralString] = {
    "ops.latency_minute": "DELETE FROM ops.latency_minute WHERE ts_updated < %(before)s",
    "quality.check_result": "DELETE FROM quality.check_result WHERE ts_checked < %(before)s",
    "quality.validation_page": "DELETE FROM quality.validation_page WHERE ts_rendered < %(frequent_before)s",
}


@dg.asset(
    key=RETENTION,
    deps=[LATENCIES],
    group_name="ops",
    kinds={"postgres", "dagster"},
    retry_policy=retry_policy(first_after_s=60),
    description="Forgets old runs, events and ticks of Dagster, old latencies, check results and pages of Data Docs; rows and "
    "bytes as metadata. A run that is the newest word on a partition or check stays, without the rest of its log.",
)
@retried_if_transient
def ops_retention(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
    """Forget, then measure."""
    give_way(context.run)
    settings, now = world.settings, world.clock.now()
    ages = ages_of(settings, now)
    with connect(settings.dsn("dagster", "dagster"), autocommit=True) as connection:
        purged, of_dagster = purge(connection, ages), sizes(connection)
    delete_logs(context.instance, purged.runs)
    with world.database("gate_owner") as connection:
        rows = forget_rows(connection, now - timedelta(days=settings.retention_rows_days), frequent_before=ages.frequent_before)
        ours = sizes(connection)
    return dg.MaterializeResult(metadata=retention_metadata(purged, rows, of_dagster, ours))


def ages_of(settings: Settings, now: datetime) -> Ages:
    """What Dagster's storage forgets at this instant."""
    return Ages(
        FREQUENT_JOBS,
        ENDLESS_JOBS,
        frequent_before=now - timedelta(days=settings.retention_gate_runs_days),
        before=now - timedelta(days=settings.retention_runs_days),
    )


def delete_logs(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> None:
    """What the runs wrote to their output and errors, on disk."""
    for run_id in run_ids:
        instance.compute_log_manager.delete_logs(prefix=[run_id])


def forget_rows(connection: Connection, before: datetime, *, frequent_before: datetime) -> dict[str, int]:
    """Rows deleted by table.

    Args:
        frequent_before: Of what goes with the runs of every minute."""
    limits = {"before": before, "frequent_before": frequent_before}
    return {table: connection.execute(statement, limits).rowcount for table, statement in _OURS.items()}


def retention_metadata(purged: Purged, rows: dict[str, int], of_dagster: list[Size], ours: list[Size]) -> dict[str, Any]:
    """What went, and what is left: figures that Dagster plots from run to run."""
    named = [(f"dagster_{each.schema}", each) for each in of_dagster] + [(each.schema, each) for each in ours]
    return {
        "runs": len(purged.runs) - purged.kept,
        "runs_kept_as_newest": purged.kept,
        "events": purged.events,
        "check_executions": purged.checks,
        "ticks": purged.ticks,
        **{f"{table} rows": count for table, count in rows.items()},
        **{f"{name}_bytes": each.byte_count for name, each in named},
        **{f"{name}_rows": each.row_count for name, each in named},
    }


def retention_job() -> Any:
    """Once a day, and by hand."""
    return dg.define_asset_job(
        "forget_old",
        selection=dg.AssetSelection.assets(RETENTION),
        tags={"dagster/max_runtime": "3600", PRIORITY: "-10"},
        description="Forget old runs, events, ticks and operational rows; measure what is left.",
    )


def retention_schedule(job: Any) -> dg.ScheduleDefinition:
    """Every night between the markets of America and Asia."""
    return dg.ScheduleDefinition(
        name="daily_retention",
        job=job,
        cron_schedule="40 22 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Keeps the platform's own records bounded, once a day.",
    )
