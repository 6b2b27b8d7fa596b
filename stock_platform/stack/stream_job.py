"""Submit the stream job: from the newest retained checkpoint, once, whoever asks at the same time."""

from dataclasses import dataclass

from stock_platform.adapters.flink import FlinkRest, newest_checkpoint
from stock_platform.adapters.postgres import advisory_lock, connect, is_locked
from stock_platform.config import Settings
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.stack import layout

_LOCK = 7_426_003
"""Key of the advisory lock: `up` and the supervisor's run may ask in the same second, and planning takes some."""


@dataclass(frozen=True)
class Submission:
    """The running job, and the checkpoint that it was asked to take over."""

    job_id: str
    restored_from: str | None


def is_being_submitted(settings: Settings) -> bool:
    """Whether somebody is about to submit it; planning takes some seconds, in which Flink knows of no job."""
    with connect(settings.dsn("gate_owner")) as connection:
        return is_locked(connection, _LOCK)


def submit(settings: Settings) -> Submission:
    """Start the job unless it runs.

    Raises:
        JobRefused: Flink says why.
    """
    with advisory_lock(settings.dsn("gate_owner"), _LOCK):
        checkpoint = newest_checkpoint(layout.checkpoints(settings.home))
        job_id = FlinkRest(settings.flink_address).submit_sql(
            layout.FUNCTIONS_JAR,
            layout.job_script(settings.home),
            name=JOB,
            restore_from=checkpoint.as_uri() if checkpoint else None,
        )
    return Submission(job_id, str(checkpoint) if checkpoint else None)
