"""ops.flink_job: what was last seen of the stream job, written by whoever looks, read by `status` and the checks."""

from dataclasses import dataclass
from datetime import datetime

from stock_platform.adapters.flink import JobStatus
from stock_platform.adapters.flink_script import Plan
from stock_platform.adapters.flink_state import JobRecord
from stock_platform.adapters.kafka_progress import progress
from stock_platform.adapters.postgres import Connection
from stock_platform.adapters.probe import port_problem
from stock_platform.config import Settings
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.contracts.tick import TICK
from stock_platform.errors import BrokerUnreachable, TopicMissing
from stock_platform.errors.stream import StateRefused

REFUSED = "refused"
"""State of a job that must not be started with the state that is there, nor without it."""

_REPORT = """
INSERT INTO ops.flink_job (
    job_name, flink_job_id, state, restart_count, checkpoint_path, checkpoint_bytes, ts_checkpoint, checkpoint_ms,
    ts_started, ts_heartbeat, lag_count, parallelism, restored_from, plan, last_error
)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, NULL)
ON CONFLICT (job_name) DO UPDATE SET
    flink_job_id = excluded.flink_job_id, state = excluded.state, restart_count = excluded.restart_count,
    checkpoint_path = coalesce(excluded.checkpoint_path, flink_job.checkpoint_path),
    checkpoint_bytes = coalesce(excluded.checkpoint_bytes, flink_job.checkpoint_bytes),
    ts_checkpoint = coalesce(excluded.ts_checkpoint, flink_job.ts_checkpoint),
    checkpoint_ms = coalesce(excluded.checkpoint_ms, flink_job.checkpoint_ms),
    ts_started = excluded.ts_started, ts_heartbeat = excluded.ts_heartbeat, lag_count = excluded.lag_count,
    parallelism = excluded.parallelism, restored_from = excluded.restored_from, plan = excluded.plan, last_error = NULL
"""
_REFUSAL = """
INSERT INTO ops.flink_job (job_name, flink_job_id, state, restart_count, ts_heartbeat, plan, last_error)
VALUES (%s, '', %s, 0, %s, %s, %s)
ON CONFLICT (job_name) DO UPDATE SET
    state = excluded.state, ts_heartbeat = excluded.ts_heartbeat, plan = excluded.plan, last_error = excluded.last_error
"""


@dataclass(frozen=True)
class Seen:
    """Newest checkpoint that was ever reported."""

    checkpoint_path: str
    ts_checkpoint: datetime


def last_seen(connection: Connection) -> Seen | None:
    """The newest checkpoint that the job is known to have had."""
    row = connection.execute(
        "SELECT checkpoint_path, ts_checkpoint FROM ops.flink_job WHERE job_name = %s AND ts_checkpoint IS NOT NULL", (JOB,)
    ).fetchone()
    return Seen(*row) if row else None


def lag_count(settings: Settings) -> int | None:
    """Records of the topic that no checkpoint of the job covers yet; None while Kafka does not tell."""
    if port_problem(settings.kafka_port):
        return None
    try:
        partitions = progress(settings.kafka_bootstrap, JOB, TICK.address)
    except (BrokerUnreachable, TopicMissing):
        return None
    return sum(each.offset_end - each.offset_next for each in partitions.values())


def report(connection: Connection, status: JobStatus, record: JobRecord | None, *, lag: int | None, now: datetime) -> None:
    """Write what was seen of the job."""
    newest = status.checkpoint
    checkpoint = (newest.path, newest.size_bytes, newest.ts_completed, newest.duration_ms) if newest else (None,) * 4
    origin = (record.restored_from, record.plan.fingerprint) if record else (None, None)
    seen = (status.name, status.job_id, status.state, status.restart_count, *checkpoint, status.ts_started, now, lag)
    connection.execute(_REPORT, (*seen, status.parallelism, *origin))


def report_refusal(connection: Connection, plan: Plan, error: StateRefused, *, now: datetime) -> None:
    """Write that the job is not started, and why; what is known of its checkpoints stays."""
    connection.execute(_REFUSAL, (JOB, REFUSED, now, plan.fingerprint, str(error)))
