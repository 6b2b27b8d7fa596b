"""Dagster's own launcher of runs, which also looks at their processes: whether one still works, whether it is frozen.

Not here: what then becomes of the run.

Run monitoring asks. Without an answer a run whose process died with its code server counts as under way until its time is over."""

# Dagster's instance is typed in part only.
# pyright: reportUnknownMemberType=false

import dagster as dg
import psutil
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

_ASKED_FOR_S = 5


class WatchedRunLauncher(DefaultRunLauncher):
    """Runs as processes of the code server, on this machine; named in dagster.yaml."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does: processes can be looked at."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run has a process: the code server's, or one that outlives the code server that started it."""
        if self._is_kept(run) or self._process(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The run's process is gone, and so is the code server that started it.")

    def terminate(self, run_id: str) -> bool:
        """End a run. A frozen process is killed and its run fails: asked to end itself, it would hold the code server's lock.

        No run could be launched meanwhile."""
        run = self._instance.get_run_by_id(run_id)
        process = self._process(run) if run and not run.is_finished else None
        if run is None or process is None or process.status() != psutil.STATUS_STOPPED:
            return super().terminate(run_id)
        process.kill()
        self._instance.report_engine_event("The run's process was frozen, so that it could not end itself; it was killed.", run)
        return True

    def _is_kept(self, run: dg.DagsterRun) -> bool:
        """Whether the code server has the run's process; one that does not answer may have it."""
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            return False
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=_ASKED_FOR_S)
        except DagsterUserCodeUnreachableError:
            return True
        return deserialize_value(answer, CanCancelExecutionResult).can_cancel

    def _process(self, run: dg.DagsterRun) -> psutil.Process | None:
        """The run's process, by the run's own log; it may outlive the code server that started it."""
        for entry in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            pid = entry.get_dagster_event().engine_event_data.metadata.get("pid")
            if isinstance(pid, dg.TextMetadataValue) and pid.text:
                return living(int(pid.text), since=entry.timestamp)
        return None


def living(pid: int, *, since: float) -> psutil.Process | None:
    """The process that had this number then, unless it has ended; a younger one that has been given the number is another.

    Args:
        since: Seconds since the epoch.
    """
    try:
        process = psutil.Process(pid)
        return process if process.create_time() <= since and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
