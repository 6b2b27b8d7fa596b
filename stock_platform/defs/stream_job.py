"""Keep the stream job running: a sensor that looks every few seconds, and a run that resubmits from the newest checkpoint."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from functools import lru_cache
from typing import Any

import dagster as dg
import httpx

from stock_platform.adapters.flink import FlinkRest, JobStatus
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.defs.external import STREAM_JOB
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.stack.stream_job import is_being_submitted, submit

_TAG = "stock_platform/flink_job"

_HEARTBEAT = """
INSERT INTO ops.flink_job
    (job_name, flink_job_id, state, restart_count, checkpoint_path, checkpoint_bytes, ts_started, ts_heartbeat)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (job_name) DO UPDATE SET
    flink_job_id = excluded.flink_job_id, state = excluded.state, restart_count = excluded.restart_count,
    checkpoint_path = coalesce(excluded.checkpoint_path, flink_job.checkpoint_path),
    checkpoint_bytes = coalesce(excluded.checkpoint_bytes, flink_job.checkpoint_bytes),
    ts_started = excluded.ts_started, ts_heartbeat = excluded.ts_heartbeat
"""


def record_heartbeat(connection: Connection, status: JobStatus, world: World) -> None:
    """Write what was seen of the job to ops.flink_job."""
    checkpoint = status.checkpoint
    connection.execute(
        _HEARTBEAT,
        (status.name, status.job_id, status.state, status.restart_count)
        + ((checkpoint.path, checkpoint.size_bytes) if checkpoint else (None, None))
        + (status.ts_started, world.clock.now()),
    )


@dg.op(tags={_TAG: JOB}, description="Submit the stream job from the newest retained checkpoint, unless it runs.")
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
    description="Looks at Flink every few seconds; asks for a resubmission when the job is gone.",
)
def flink_supervisor(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SkipReason | dg.RunRequest:
    """Keep ticks_to_bars running."""
    flink = _client(world.settings.flink_address)
    try:
        job_id = flink.running_job(JOB)
        status = flink.job(job_id) if job_id else None
    except httpx.HTTPError as error:
        return dg.SkipReason(f"Flink does not answer ({type(error).__name__}); the process manager restarts it.")
    if status:
        with world.database("gate_owner") as connection:
            record_heartbeat(connection, status, world)
        return dg.SkipReason(f"Job {JOB} is {status.state}, {status.restart_count} restarts.")
    if flink.slots_problem():
        return dg.SkipReason("Flink has no TaskManager yet; the job waits for one.")
    if is_being_submitted(world.settings):
        return dg.SkipReason("The job is being submitted.")
    if context.instance.get_runs(dg.RunsFilter(tags={_TAG: JOB}, statuses=UNDER_WAY), limit=1):
        return dg.SkipReason("A resubmission is under way.")
    return dg.RunRequest()
