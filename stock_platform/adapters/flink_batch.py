"""Door to Flink for jobs that end: wait for one, say why it failed, take it back. Not here: submission (flink)."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from stock_platform.adapters.clock import Clock, wait_until
from stock_platform.adapters.flink import ENDED, FlinkRest, root_cause
from stock_platform.adapters.http import HttpServer
from stock_platform.errors import JobRefused
from stock_platform.errors.restatement import JobFailed, JobTooSlow
from stock_platform.errors.stack import ServerSilent

_CANCELLED_WITHIN = timedelta(seconds=30)
_FREED_WITHIN = timedelta(seconds=10)
"""A job that has just ended gives its slots back a moment later."""
_NO_ANSWERS = 10
"""So many polls in a row without an answer, two seconds and more, and the JobManager is taken for gone, its jobs with it."""


@contextmanager
def answered(name: str, address: str) -> Generator[None]:
    """Whoever does not answer inside the block is named.

    Raises:
        JobRefused: a request to Flink failed.
    """
    try:
        yield
    except ServerSilent as error:
        raise JobRefused(name, address, f"it does not answer ({error.problem})") from None


class BatchJobs:
    """Bounded jobs of one JobManager.

    Args:
        address: e.g. http://127.0.0.1:8081.
    """

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._flink = FlinkRest(address)
        self._server = HttpServer(address)

    def require_slots(self, name: str, count: int) -> None:
        """Refuse a job that would only wait.

        Raises:
            JobRefused: fewer slots are free.
        """
        if not wait_until(lambda: self._free_slots() >= count, self._clock, within=_FREED_WITHIN):
            raise JobRefused(name, self._address, f"{self._free_slots()} task slots are free, expected {count}")

    def finish(self, job_id: str, name: str, *, within: timedelta) -> None:
        """Wait for the job's end; whoever stops waiting cancels it.

        Raises:
            JobFailed: it failed or was cancelled; the root cause.
            JobTooSlow: it was not over in time.
        """
        try:
            is_over = wait_until(lambda: self._state(job_id, name) in ENDED, self._clock, within=within)
            state = self._state(job_id, name)
        except BaseException:
            self.cancel(job_id)
            raise
        if not is_over:
            self.cancel(job_id)
            raise JobTooSlow(name, within, state)
        if state != "FINISHED":
            raise JobFailed(name, self._address, self._reason(job_id) if state == "FAILED" else "somebody cancelled it")

    def cancel(self, job_id: str) -> bool:
        """Take a job back; whether it is over. One that has ended already stays as it is."""
        try:
            self._flink.cancel(job_id, within=_CANCELLED_WITHIN)
        except (ServerSilent, JobRefused):
            return False
        return True

    def _free_slots(self) -> int:
        return int(self._server.json("/overview")["slots-available"])

    def _state(self, job_id: str, name: str) -> str:
        for _ in range(_NO_ANSWERS):
            try:
                return self._server.json(f"/jobs/{job_id}")["state"]
            except ServerSilent:
                self._clock.sleep(timedelta(milliseconds=200))
        raise JobFailed(name, self._address, "the JobManager does not answer, or has forgotten the job")

    def _reason(self, job_id: str) -> str:
        history: list[dict[str, Any]] = self._server.json(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
        return root_cause(str(history[0]["stacktrace"])) if history else "no reason is given"
