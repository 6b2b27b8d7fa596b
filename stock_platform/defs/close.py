"""What is made of a session once it is over: the aggregates that are too large for every minute, and what asks for them."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from dataclasses import replace
from typing import Any

import dagster as dg

from stock_platform.contracts.runs import PRIORITY
from stock_platform.defs.aggregate_registry import AT_CLOSE
from stock_platform.defs.ended import due_sessions, requested
from stock_platform.defs.world import UNDER_WAY, World

_JOB = "close_session"


def close_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """Make one session's; again whenever somebody asks for it."""
    return dg.define_asset_job(
        _JOB,
        selection=dg.AssetSelection.assets(*(aggregate.key for aggregate in AT_CLOSE)),
        partitions_def=partitions,
        tags={"dagster/max_runtime": "1800", PRIORITY: "-5"},
        description="Make the aggregates of a session that are not made every minute.",
    )


def session_closed_sensor(job: Any, partitions: dg.PartitionsDefinition[str]) -> dg.SensorDefinition:
    """Ask for each session that is over and judged, once; one after the other."""

    @dg.sensor(
        name="session_closed",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests what is made of a session once it is over on every watched calendar and no bar of it waits.",
    )
    def session_closed(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        running = context.instance.get_runs(dg.RunsFilter(job_name=_JOB, statuses=UNDER_WAY), limit=1)
        if running:
            return dg.SensorResult(skip_reason=f"Run {running[0].run_id[:8]} is under way.")
        due = due_sessions(context.instance, world, partitions, done=AT_CLOSE[0].key, job_name=_JOB)
        return requested(replace(due, asked=due.asked[:1]), "closed")

    return session_closed
