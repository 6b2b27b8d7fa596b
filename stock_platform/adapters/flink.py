"""Door to Flink: its REST interface, and the checkpoints that it leaves on disk. Not here: a job's text (flink_script)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from stock_platform.errors import JobRefused

_ENTRY_CLASS = "stockplatform.SqlJob"
_ENDED = frozenset({"FINISHED", "FAILED", "CANCELED", "SUSPENDED"})


@dataclass(frozen=True)
class Checkpoint:
    """A completed checkpoint of a job."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class JobStatus:
    """A job as Flink sees it.

    Args:
        is_flowing: every task of it runs; a job whose state is RUNNING may still be waiting for its tasks.
        restart_count: from Flink's metrics, so some seconds behind, more on a busy machine; for display.
        ts_restarted: when it last began to restart, from the job itself.
    """

    job_id: str
    name: str
    state: str
    is_flowing: bool
    restart_count: int
    ts_started: datetime
    ts_restarted: datetime | None
    checkpoint: Checkpoint | None


def newest_checkpoint(folder: Path) -> Path | None:
    """Newest completed checkpoint of any job under a checkpoint folder; one without `_metadata` was not finished."""
    found = folder.glob("*/chk-*/_metadata")
    newest = max(found, key=lambda file: (file.stat().st_mtime_ns, int(file.parent.name[4:])), default=None)
    return newest.parent if newest else None


class FlinkRest:
    """Client of one JobManager.

    Args:
        address: e.g. http://127.0.0.1:8081.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        # Planning a job takes some seconds, and half a minute on a busy machine that has just started.
        self._client = httpx.Client(base_url=address, timeout=httpx.Timeout(10.0, read=120.0), trust_env=False)

    def slots_problem(self) -> str | None:
        """None when a TaskManager is there to run jobs, else the reason."""
        try:
            slots = self._get("/overview")["slots-total"]
        except httpx.HTTPError as error:
            return f"{self._address} does not answer ({type(error).__name__})"
        return None if slots else "no TaskManager has registered yet"

    def running_job(self, name: str) -> str | None:
        """Id of the job of that name that has not ended, restarting ones included."""
        jobs = self._get("/jobs/overview")["jobs"]
        return next((job["jid"] for job in jobs if job["name"] == name and job["state"] not in _ENDED), None)

    def job(self, job_id: str) -> JobStatus:
        """State, restarts and newest checkpoint of a job."""
        job = self._get(f"/jobs/{job_id}")
        return JobStatus(
            job_id=job_id,
            name=job["name"],
            state=job["state"],
            is_flowing=all(vertex["status"] == "RUNNING" for vertex in job["vertices"]),
            restart_count=self._restart_count(job_id),
            ts_started=_instant(job["start-time"]),
            ts_restarted=_instant(job["timestamps"]["RESTARTING"]) if job["timestamps"]["RESTARTING"] else None,
            checkpoint=self._checkpoint(job_id),
        )

    def submit_sql(self, jar: Path, script: Path, *, name: str, restore_from: str | None) -> str:
        """Start a script as a job, unless a job of that name runs already; returns the job's id.

        Args:
            jar: Our functions, with the class that plans the script inside the JobManager.
            restore_from: Path of a checkpoint or savepoint, which the new job takes over; None starts empty.
        Raises:
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
            return self._checked(name, self._client.post(f"/jars/{jar_id}/run", json=request))["jobid"]
        finally:
            self._client.delete(f"/jars/{jar_id}")

    def _upload(self, jar: Path, name: str) -> str:
        with jar.open("rb") as file:
            upload = {"jarfile": (jar.name, file, "application/x-java-archive")}
            return Path(self._checked(name, self._client.post("/jars/upload", files=upload))["filename"]).name

    def _checked(self, name: str, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_success:
            return answer.json()
        raise JobRefused(name, self._address, _root_cause(answer.text))

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._client.get(path, timeout=10.0)
        answer.raise_for_status()
        return answer.json()

    def _restart_count(self, job_id: str) -> int:
        metrics: Any = self._get(f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def _checkpoint(self, job_id: str) -> Checkpoint | None:
        latest = self._get(f"/jobs/{job_id}/checkpoints").get("latest", {}).get("completed")
        return Checkpoint(latest["external_path"], latest["state_size"]) if latest else None


def _instant(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def _root_cause(text: str) -> str:
    """Last `Caused by` of a Java stack trace in a JSON answer: the line that a person needs."""
    causes = re.findall(r"Caused by: (.+?)\\n", text)
    return causes[-1] if causes else text[:500]
