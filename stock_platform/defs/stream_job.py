"""Keep the stream job running: a sensor that looks every few seconds, and a run that resubmits it with its newest state."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from datetime import timedelta
from functools import lru_cache
from typing import Any

import dagster as dg

from stock_platform.adapters.flink import FlinkRest, JobStatus
from stock_platform.adapters.flink_state import records
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.defs.backoff import spread
from stock_platform.defs.external import STREAM_JOB
from stock_platform.defs.stream_checks import changed_evaluations, check_results
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.errors.stack import ServerSilent
from stock_platform.stack import layout
from stock_platform.stack.stream_job import is_being_submitted, job_files, refusal, submit
from stock_platform.stack.stream_report import lag_count, report, report_refusal

_TAG = "stock_platform/flink_job"
_BACKOFF_S = (0, 10, 30, 60, 120)
"""How long a resubmission is waited with after so many failed ones in a row; the last one is for all further ones."""


@dg.op(tags={_TAG: JOB}, description="Submit the stream job with its newest state, unless it runs.")
def submit_stream_job(context: dg.OpExecutionContext, world: dg.ResourceParam[World]) -> None:
    """Record what was submitted as a materialisation of flink/ticks_to_bars."""
    done = submit(world.settings)
    url = f"{world.settings.flink_address}/#/job/{done.job_id}"
    metadata: dict[str, Any] = {
        "flink_job_id": done.job_id,
        "restored_from": done.restored_from or "nothing",
        "Flink UI": dg.MetadataValue.url(url),
    }
    context.log_event(dg.AssetMaterialization(STREAM_JOB, metadata=metadata))


@dg.job(tags={_TAG: JOB, "dagster/max_runtime": "180"}, description="Start the stream job, or find it running.")
def flink_job() -> None:
    """One step."""
    submit_stream_job()


@lru_cache(maxsize=1)
def _client(address: str) -> FlinkRest:
    """One client for all looks: the sensor runs every few seconds in a long-lived process."""
    return FlinkRest(address)


@dg.sensor(
    job=flink_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at Flink every few seconds; asks for a resubmission when the job is gone and its state fits it.",
)
def flink_supervisor(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
    """Keep ticks_to_bars running."""
    reason = _look(context.instance, world)
    with world.database("gate_owner") as connection:
        results = check_results(connection, world.clock.now())
    events, cursor = changed_evaluations(results, context.cursor)
    requests = [] if reason else [dg.RunRequest()]
    return dg.SensorResult(run_requests=requests, skip_reason=reason, asset_events=events, cursor=cursor)


def _look(instance: dg.DagsterInstance, world: World) -> str | None:
    """Report the job; why it needs no resubmission now, or None: it does."""
    flink = _client(world.settings.flink_address)
    try:
        job_id = flink.running_job(JOB)
        if job_id:
            return _reported(flink.job(job_id), world)
        if world.settings.flink_job_owner == "operator":
            return "The job is Flink's operator's; it starts it again."
        if flink.slots_problem():
            return "Flink has no TaskManager yet; the job waits for one."
    except ServerSilent as error:
        return f"Flink does not answer ({error.problem}); the process manager restarts it."
    if is_being_submitted(world.settings):
        return "The job is being submitted."
    return _refused(world) or _under_way(instance, world)


def _reported(status: JobStatus, world: World) -> str:
    """Write what was seen to ops.flink_job; returns it in one sentence."""
    lag, record = lag_count(world.settings), records(layout.flink(world.settings.home)).get(status.job_id)
    now = world.clock.now()
    with world.database("gate_owner") as connection:
        report(connection, status, record, lag=lag, now=now)
    age = f"{(now - status.checkpoint.ts_completed).total_seconds():.0f} s old" if status.checkpoint else "not there yet"
    behind = "an unknown number of" if lag is None else str(lag)
    return f"Job {JOB} is {status.state}, {status.restart_count} restarts; its checkpoint is {age}, {behind} records are behind it."


def _refused(world: World) -> str | None:
    error = refusal(world.settings)
    if error is None:
        return None
    with world.database("gate_owner") as connection:
        report_refusal(connection, job_files(world.settings).plan, error, now=world.clock.now())
    return str(error)


def _under_way(instance: dg.DagsterInstance, world: World) -> str | None:
    """Why no run is asked for: one is on its way, or the last ones failed and the next has to wait."""
    found = list(instance.get_run_records(dg.RunsFilter(tags={_TAG: JOB}), limit=len(_BACKOFF_S)))
    if any(each.dagster_run.status in UNDER_WAY for each in found):
        return "A resubmission is under way."
    statuses = [each.dagster_run.status for each in found]
    failures = next((at for at, status in enumerate(statuses) if status is not dg.DagsterRunStatus.FAILURE), len(found))
    pause = timedelta(seconds=_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
    pause_s = spread(pause, JOB, failures=failures).total_seconds()
    waited_s = world.clock.now().timestamp() - (found[0].end_time or 0.0) if found else pause_s
    return None if waited_s >= pause_s else f"{failures} resubmissions failed; the next comes {pause_s - waited_s:.0f} s from now."
