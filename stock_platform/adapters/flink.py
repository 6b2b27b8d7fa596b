"""Door to Flink: its REST interface. Not here: a job's text (flink_script), what it leaves on disk (flink_state)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.http import HttpServer
from stock_platform.errors import JobRefused
from stock_platform.errors.stack import ServerSilent
from stock_platform.errors.stream import JobFailedAtStart, SavepointFailed

if TYPE_CHECKING:
    from httpx import Response

_ENTRY_CLASS = "stockplatform.SqlJob"
ENDED = frozenset({"FINISHED", "FAILED", "CANCELED", "SUSPENDED"})
"""States of a job that will do no more."""
_STARTING = frozenset({"INITIALIZING", "CREATED"})
_RESTORING = re.compile(r"BackendBuildingException|StateMigrationException|Could not restore (keyed|operator) state backend")
"""What Flink's runtime says of state that a task cannot read, whatever the backend; a server that is away causes none of it."""
_CLOCK = SystemClock()
_PLANNED_WITHIN_S = 120.0
"""Planning a job takes some seconds, and half a minute on a busy machine that has just started."""


@dataclass(frozen=True)
class Checkpoint:
    """A completed checkpoint of a job."""

    path: str
    size_bytes: int
    ts_completed: datetime
    duration_ms: int


@dataclass(frozen=True)
class JobStatus:
    """A job as Flink sees it.

    Args:
        is_flowing: every task of it runs; a job whose state is RUNNING may still be waiting for its tasks.
        restart_count: from Flink's metrics, so some seconds behind, more on a busy machine; for display.
        ts_restarted: when it last began to restart, from the job itself.
        parallelism: the widest of its tasks.
    """

    job_id: str
    name: str
    state: str
    is_flowing: bool
    restart_count: int
    ts_started: datetime
    ts_restarted: datetime | None
    parallelism: int
    checkpoint: Checkpoint | None


class FlinkRest:
    """Client of one JobManager.

    Args:
        address: e.g. http://127.0.0.1:8081.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._server = HttpServer(address)

    def slots_problem(self) -> str | None:
        """None when a TaskManager is there to run jobs, else the reason."""
        try:
            slots = self._server.json("/overview")["slots-total"]
        except ServerSilent as error:
            return f"{self.address} does not answer ({error.problem})"
        return None if slots else "no TaskManager has registered yet"

    def running_job(self, name: str) -> str | None:
        """Id of the job of that name that has not ended, restarting ones included."""
        jobs = self._server.json("/jobs/overview")["jobs"]
        return next((job["jid"] for job in jobs if job["name"] == name and job["state"] not in ENDED), None)

    def job(self, job_id: str) -> JobStatus:
        """State, restarts and newest checkpoint of a job."""
        job = self._server.json(f"/jobs/{job_id}")
        return JobStatus(
            job_id=job_id,
            name=job["name"],
            state=job["state"],
            is_flowing=_is_flowing(job),
            restart_count=self._restart_count(job_id),
            ts_started=_instant(job["start-time"]),
            ts_restarted=_instant(job["timestamps"]["RESTARTING"]) if job["timestamps"]["RESTARTING"] else None,
            parallelism=max((vertex["parallelism"] for vertex in job["vertices"]), default=0),
            checkpoint=self._checkpoint(job_id),
        )

    def submit_sql(self, jar: Path, script: Path, *, name: str, restore_from: str | None, job_id: str | None = None) -> str:
        """Start a script as a job, unless a job of that name runs already; returns the job's id.

        Args:
            jar: Our functions, with the class that plans the script inside the JobManager.
            restore_from: Path of a checkpoint or savepoint, which the new job takes over; None starts empty.
            job_id: Id of the new job, 32 hexadecimal digits; None lets Flink choose.
        Raises:
            JobFailedAtStart: it was planned, and could not begin: most likely its state cannot be read.
            JobRefused: Flink says why.
        """
        running = self.running_job(name)
        if running:
            return running
        jar_id = self._upload(jar, name)
        try:
            request: dict[str, Any] = {"entryClass": _ENTRY_CLASS, "programArgsList": ["--script", str(script), "--name", name]}
            if restore_from:
                request |= {"savepointPath": restore_from, "claimMode": "CLAIM"}
            if job_id:
                request |= {"jobId": job_id}
            answer = self._server.ask("POST", f"/jars/{jar_id}/run", json=request, within_s=_PLANNED_WITHIN_S)
            if not answer.is_success and job_id and self._came_up(job_id, name, root_cause(answer.text)):
                return job_id
            return self._checked(name, answer)["jobid"]
        finally:
            self._server.ask("DELETE", f"/jars/{jar_id}")

    def check_started(self, job_id: str, name: str, *, within: timedelta = timedelta(seconds=60)) -> None:
        """Wait until all tasks of a job run, so that each has the state that it takes over.

        One that does not get so far in time, because a server is away, is left to Flink, which tries for ever; one that cannot
        read its state is cancelled, because it would do so too.

        Raises:
            JobFailedAtStart: it was not set up, or a task cannot restore its state.
        """
        wait_until(lambda: self._is_settled(job_id), _CLOCK, within=within)
        reason = self._failure(job_id) or "no reason was given"
        if self._state(job_id) == "FAILED":
            raise JobFailedAtStart(name, self.address, root_cause(reason))
        if is_unreadable_state(reason):
            self.cancel(job_id)
            raise JobFailedAtStart(name, self.address, root_cause(reason))

    def _is_settled(self, job_id: str) -> bool:
        job = self._server.json(f"/jobs/{job_id}")
        return job["state"] in ENDED or _is_flowing(job) or is_unreadable_state(self._failure(job_id))

    def _failure(self, job_id: str) -> str:
        """Stack trace of what last failed the job or made it restart; empty when nothing has."""
        entries = self._server.json(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
        return entries[0]["stacktrace"] if entries else ""

    def _came_up(self, job_id: str, name: str, problem: str) -> bool:
        """Whether a job is there although its submission was answered with an error."""
        if not self._server.ask("GET", f"/jobs/{job_id}").is_success:
            return False
        wait_until(lambda: self._state(job_id) not in _STARTING, _CLOCK, within=timedelta(seconds=60))
        if self._state(job_id) in ENDED:
            raise JobFailedAtStart(name, self.address, problem)
        return True

    def cancel(self, job_id: str, *, within: timedelta = timedelta(seconds=60)) -> None:
        """End a job without a savepoint; its checkpoints stay.

        Raises:
            JobRefused: it did not end in time.
        """
        self._server.ask("PATCH", f"/jobs/{job_id}", params={"mode": "cancel"})
        if not wait_until(lambda: self._state(job_id) in ENDED, _CLOCK, within=within):
            raise JobRefused(job_id, self.address, f"it was cancelled and has not ended within {within.total_seconds():.0f} s")

    def stop(self, job_id: str, folder: Path, *, within: timedelta = timedelta(seconds=60)) -> Path:
        """End a job with a savepoint below the folder; what it had read is written by then. Returns the savepoint.

        Raises:
            SavepointFailed: it was not written in time; the job may go on.
        """
        request = {"targetDirectory": folder.as_uri(), "drain": False}
        answer = self._server.ask("POST", f"/jobs/{job_id}/stop", json=request, within_s=_PLANNED_WITHIN_S)
        if not answer.is_success:
            raise SavepointFailed(job_id, root_cause(answer.text))
        trigger, deadline = answer.json()["request-id"], _CLOCK.now() + within
        while (found := self._server.json(f"/jobs/{job_id}/savepoints/{trigger}"))["status"]["id"] != "COMPLETED":
            if _CLOCK.now() > deadline:
                raise SavepointFailed(job_id, f"it was not complete after {within.total_seconds():.0f} s")
            _CLOCK.sleep(timedelta(milliseconds=200))
        if "failure-cause" in found["operation"]:
            raise SavepointFailed(job_id, root_cause(found["operation"]["failure-cause"]["stack-trace"]))
        return Path(urlparse(str(found["operation"]["location"])).path)

    def _state(self, job_id: str) -> str:
        return self._server.json(f"/jobs/{job_id}")["state"]

    def _upload(self, jar: Path, name: str) -> str:
        with jar.open("rb") as file:
            upload = {"jarfile": (jar.name, file, "application/x-java-archive")}
            return Path(self._checked(name, self._server.ask("POST", "/jars/upload", files=upload))["filename"]).name

    def _checked(self, name: str, answer: "Response") -> dict[str, Any]:
        if answer.is_success:
            return answer.json()
        raise JobRefused(name, self.address, root_cause(answer.text))

    def _restart_count(self, job_id: str) -> int:
        metrics: Any = self._server.json(f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def _checkpoint(self, job_id: str) -> Checkpoint | None:
        latest = self._server.json(f"/jobs/{job_id}/checkpoints").get("latest", {}).get("completed")
        if not latest:
            return None
        completed = _instant(latest["trigger_timestamp"] + latest["end_to_end_duration"])
        return Checkpoint(latest["external_path"], latest["state_size"], completed, latest["end_to_end_duration"])


def is_unreadable_state(stacktrace: str) -> bool:
    """Whether a task failed while it restored its state: trying again with the same one would not help."""
    return bool(_RESTORING.search(stacktrace))


def _is_flowing(job: dict[str, Any]) -> bool:
    return bool(job["vertices"]) and all(vertex["status"] == "RUNNING" for vertex in job["vertices"])


def _instant(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def root_cause(text: str) -> str:
    """Last `Caused by` of a Java stack trace, bare or in a JSON answer: the line that a person needs."""
    causes = re.findall(r"Caused by: (.+?)(?:\\n|\n|$)", text)
    return (causes[-1] if causes else text.partition("\n")[0])[:500]
