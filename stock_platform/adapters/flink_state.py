"""What Flink leaves on disk to start from: checkpoints and savepoints, and beside them what each job was.

One folder holds `checkpoints/<job id>/chk-<n>`, `savepoints/<job id>/savepoint-<…>` and `jobs/<job id>.json`.
Not here: who asks Flink to write or to read them (adapters/flink, stack/stream_job)."""

import json
import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stock_platform.adapters.flink_script import Plan

CHECKPOINTS, SAVEPOINTS = "checkpoints", "savepoints"
_JOBS = "jobs"
_KEPT = 3
"""States of ended jobs that stay beside those of the running one: as many as a job itself keeps."""


@dataclass(frozen=True)
class State:
    """A complete checkpoint or savepoint.

    Args:
        ts_written: When its last file was written.
    """

    path: Path
    job_id: str
    ts_written: datetime


@dataclass(frozen=True)
class JobRecord:
    """What a job was when it was submitted.

    Args:
        restored_from: State that it took over; None: it began without, and older states are void.
        ts_from: Kafka time from which it reads where it began without state; None: from the topic's beginning.
    """

    job_id: str
    plan: Plan
    restored_from: str | None
    ts_submitted: datetime
    ts_from: datetime | None = None


def states(folder: Path) -> list[State]:
    """Every complete state, newest first; one without `_metadata` was not finished, or was damaged."""
    found = [*folder.glob(f"{CHECKPOINTS}/*/chk-*/_metadata"), *folder.glob(f"{SAVEPOINTS}/*/savepoint-*/_metadata")]
    return sorted(map(_state, found), key=lambda state: (state.ts_written, _number(state.path)), reverse=True)


def _state(metadata: Path) -> State:
    path = metadata.parent
    return State(path, path.parent.name, datetime.fromtimestamp(metadata.stat().st_mtime, UTC))


def _number(path: Path) -> int:
    """Orders the checkpoints of one instant; a savepoint is a job's last word."""
    number = path.name.removeprefix("chk-")
    return int(number) if number.isdigit() else 2**63


def keep_record(folder: Path, record: JobRecord) -> None:
    """Write down what was submitted; whole or not at all, after a power cut too."""
    path = folder / _JOBS / f"{record.job_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("w") as file:
        json.dump(asdict(record), file, indent=2, default=datetime.isoformat)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def drop_record(folder: Path, job_id: str) -> None:
    """Forget a job that never came to be."""
    (folder / _JOBS / f"{job_id}.json").unlink(missing_ok=True)


def records(folder: Path) -> dict[str, JobRecord]:
    """Every job that was submitted and still has a record that can be read, by id."""
    found = {path.stem: _read(path) for path in (folder / _JOBS).glob("*.json")}
    return {job_id: record for job_id, record in found.items() if record}


def _read(path: Path) -> JobRecord | None:
    """None where a disk has spoiled it: the states of that job are refused then, as those without a record are."""
    try:
        return _record(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError):
        return None


def _record(text: dict[str, Any]) -> JobRecord:
    ts_from = text["ts_from"] if "ts_from" in text else None
    return JobRecord(
        job_id=text["job_id"],
        plan=Plan(**text["plan"]),
        restored_from=text["restored_from"],
        ts_submitted=datetime.fromisoformat(text["ts_submitted"]),
        ts_from=datetime.fromisoformat(ts_from) if ts_from else None,
    )


def prune(folder: Path, *, running: Collection[str]) -> list[Path]:
    """Remove what no job will start from: all but the newest few states of ended jobs, and what they leave behind.

    Args:
        running: Ids of jobs that have not ended: what is theirs stays, and what they were restored from.
    """
    known = records(folder)
    taken = {record.restored_from for job_id, record in known.items() if job_id in running}
    ended = [state for state in states(folder) if state.job_id not in running]
    doomed = [state.path for state in ended[_KEPT:] if str(state.path) not in taken]
    for path in doomed:
        shutil.rmtree(path, ignore_errors=True)
    kept = {state.job_id for state in states(folder)} | set(running)
    for path in _job_folders(folder):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    _forget(folder, known.values(), kept)
    return doomed


def _job_folders(folder: Path) -> Iterable[Path]:
    return [*(folder / CHECKPOINTS).glob("*/"), *(folder / SAVEPOINTS).glob("*/")]


def _forget(folder: Path, known: Collection[JobRecord], kept: Collection[str]) -> None:
    """Remove records of jobs without states, but never the newest ones: they say where the present line of states began."""
    origin = origin_of(known)
    newest = sorted(known, key=lambda record: record.ts_submitted)[-_KEPT:]
    for record in known:
        if record.job_id not in kept and record not in newest and record is not origin:
            drop_record(folder, record.job_id)


def origin_of(known: Iterable[JobRecord]) -> JobRecord | None:
    """The newest job that began without state: what was written before it is void."""
    fresh = [record for record in known if record.restored_from is None]
    return max(fresh, key=lambda record: record.ts_submitted, default=None)
