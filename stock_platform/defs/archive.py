"""The tick archive as an asset: a session's ticks as a tape, checked against its certified bars; and what asks for it."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from stock_platform.adapters.postgres import read_frame
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.bar import BAR
from stock_platform.contracts.runs import PRIORITY
from stock_platform.contracts.tick import TICK
from stock_platform.defs.ended import due_sessions, requested
from stock_platform.defs.priority import give_way
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.feed.archive import Archived, SessionHours, archive_session
from stock_platform.feed.archive_file import archive_path, regular_bars

ARCHIVE = key_of(ARCHIVED_TICK.address)
COVERS, RECOMPUTED = "ticks_cover_bars", "bars_recomputed"
_BAR_KEY = ["symbol", "ts_start"]
_BAR_CONTENT = ("open", "high", "low", "close", "tick_count")
_PRICE = pl.Decimal(18, 6)
_BAR_SCHEMA: dict[str, Any] = {
    "symbol": pl.String,
    "ts_start": pl.Datetime("us", "UTC"),
    **dict.fromkeys(("open", "high", "low", "close"), _PRICE),
    "tick_count": pl.Int64,
}

_HOURS = """
SELECT instrument.symbol, instrument.calendar, session.ts_pre, session.ts_post_end
FROM reference.instrument AS instrument
JOIN reference.session AS session ON session.calendar = instrument.calendar
WHERE session.session_date = %s
ORDER BY instrument.symbol
"""

_CERTIFIED = """
SELECT symbol, ts_start, open, high, low, close, tick_count
FROM market.bar_1m
WHERE session_date = %(session_date)s AND verdict <> 'vendor' AND kafka_partition >= 0
"""


def archive_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """archive/tick, one file a session."""

    @dg.asset(
        key=ARCHIVE,
        deps=[key_of(TICK.address), key_of(BAR.address)],
        partitions_def=partitions,
        group_name="archive",
        kinds={"kafka", "polars", "parquet"},
        retry_policy=retry_policy(first_after_s=20),
        description=f"{ARCHIVED_TICK.meaning} Grain: {ARCHIVED_TICK.grain}. Again after late ticks: the same file and more.",
        metadata={"dagster/column_schema": column_schema(ARCHIVED_TICK)},
        check_specs=[
            dg.AssetCheckSpec(COVERS, asset=ARCHIVE, description="Per symbol, no fewer ticks than its certified bars count."),
            dg.AssetCheckSpec(RECOMPUTED, asset=ARCHIVE, description="Every certified bar comes out of the archive as it is."),
        ],
    )
    @retried_if_transient
    def archive_tick(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        give_way(context.run)
        session_date = date.fromisoformat(context.partition_key)
        limit_s = 0 if world.settings.feed_kind == "tape" else world.settings.flink_late_limit_s
        with world.database("gate_owner") as connection:
            hours = [SessionHours(*row) for row in connection.execute(_HOURS, (session_date,)).fetchall()]
        path = archive_path(world.settings.home, session_date)
        late = timedelta(seconds=limit_s) if limit_s else None
        done = archive_session(path, hours, bootstrap=world.settings.kafka_bootstrap, late=late)
        with world.database("gate_owner") as connection:
            certified = read_frame(connection, _CERTIFIED, {"session_date": session_date}, schema=_BAR_SCHEMA)
        found = regular_bars(path) if done.path else pl.DataFrame(schema=_BAR_SCHEMA)
        return dg.MaterializeResult(metadata=_metadata(done), check_results=list(archive_checks(certified, found)))

    return archive_tick


def archive_checks(certified: pl.DataFrame, found: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """Certified bars against those of the archive. A warning only: what came too late for the job is in the archive alone."""
    counts = [bars.group_by("symbol").agg(pl.col("tick_count").sum()) for bars in (certified, found)]
    both = counts[0].join(counts[1], on="symbol", how="left", suffix="_found").with_columns(pl.col("tick_count_found").fill_null(0))
    short = both.filter(pl.col("tick_count_found") < pl.col("tick_count")).sort("symbol")
    yield _result(COVERS, short, observed=both.height)
    bars = certified.join(found, on=_BAR_KEY, how="left", suffix="_found")
    is_equal = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_found")) for name in _BAR_CONTENT)
    yield _result(RECOMPUTED, bars.filter(~is_equal).sort(_BAR_KEY), observed=bars.height)


def _result(name: str, wrong: pl.DataFrame, *, observed: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=ARCHIVE,
        check_name=name,
        passed=wrong.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"observed": observed, "failed": wrong.height, "sample": "; ".join(map(str, wrong.head(3).rows())) or "none"},
    )


def _metadata(done: Archived) -> dict[str, Any]:
    return {
        "dagster/row_count": done.row_count,
        "symbols": ", ".join(done.symbols),
        "bytes": done.byte_count,
        "sha256": done.sha256,
        "offsets": {str(each.partition): [each.start, each.end] for each in done.ranges},
        "unread": done.unread_count,
        "path": dg.MetadataValue.path(done.path) if done.path else "none",
    }


def archive_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """Archive one session; again whenever somebody asks for it."""
    return dg.define_asset_job(
        "archive_session",
        selection=dg.AssetSelection.assets(ARCHIVE),
        partitions_def=partitions,
        tags={"dagster/max_runtime": "3600", PRIORITY: "-5"},
        description="Write a session's ticks as a tape, and recompute its certified bars from them.",
    )


def certified_sessions_sensor(job: Any, partitions: dg.PartitionsDefinition[str]) -> dg.SensorDefinition:
    """Ask for the archive of each session that is over and judged, once."""

    @dg.sensor(
        name="certified_sessions",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests the archive of each session that is over on every watched calendar and of which no bar waits.",
    )
    def certified_sessions(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        return requested(due_sessions(context.instance, world, partitions, done=ARCHIVE, job_name=job.name), "archived")

    return certified_sessions
