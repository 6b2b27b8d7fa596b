"""Start the stream job with the newest state that fits it, once, whoever asks at the same time; stop it with a savepoint.

State is never lost in silence: what does not fit, or is gone, is refused with a sentence, and a person chooses.
Not here: what is on disk (adapters/flink_state), what operators see of the job (stack/stream_report)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

from stock_platform.adapters.clock import Clock, SystemClock
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.flink_script import Plan, reading_from
from stock_platform.adapters.flink_state import (
    SAVEPOINTS,
    JobRecord,
    State,
    drop_record,
    keep_record,
    origin_of,
    prune,
    records,
    states,
)
from stock_platform.adapters.postgres import advisory_lock, connect, is_locked
from stock_platform.config import Settings
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.errors.stack import ServerSilent
from stock_platform.errors.stream import (
    JobFailedAtStart,
    JobRefused,
    SavepointFailed,
    StateLost,
    StateOfOtherPlan,
    StateRefused,
    StateUnreadable,
)
from stock_platform.stack import layout
from stock_platform.stack.prepare import state_kept
from stock_platform.stack.stream_report import Seen, last_seen, report_refusal

Begin = Literal["with its state", "anew"]
"""Anew: without state, from as far before its newest checkpoint as state lives."""

_LOCK = 7_426_003
"""Key of the advisory lock: `up` and the supervisor's run may ask in the same second, and planning takes some."""
_TRIED = 3
"""States that are tried, newest first, when one cannot be read: an older one only reads more of the topic again."""


@dataclass(frozen=True)
class JobFiles:
    """What the job is made of, and where its states are.

    Args:
        folder: Flink's own, see adapters/flink_state.
        kept: How long a bar's state can be of use; None: for ever, so a job without state reads the topic from its beginning.
    """

    folder: Path
    jar: Path
    script: Path
    plan: Plan
    kept: timedelta | None = None


@dataclass(frozen=True)
class Submission:
    """The running job, and the state that it took over."""

    job_id: str
    restored_from: str | None


def job_files(settings: Settings) -> JobFiles:
    """The job as this start of the stack has prepared it."""
    plan = Plan(**json.loads(layout.job_plan(settings.home).read_text()))
    script = layout.job_script(settings.home)
    return JobFiles(layout.flink(settings.home), layout.FUNCTIONS_JAR, script, plan, state_kept(settings))


def is_being_submitted(settings: Settings) -> bool:
    """Whether somebody is about to submit it; planning takes some seconds, in which Flink knows of no job."""
    with connect(settings.dsn("gate_owner")) as connection:
        return is_locked(connection, _LOCK)


def submit(settings: Settings, *, begin: Begin = "with its state") -> Submission:
    """Start the job unless it runs; anew, also when it runs.

    Raises:
        JobRefused: Flink says why.
        StateRefused: it must not start with the state that is there, nor without it.
    """
    with advisory_lock(settings.dsn("gate_owner"), _LOCK), connect(settings.dsn("gate_owner"), autocommit=True) as connection:
        files, clock = job_files(settings), SystemClock()
        try:
            return start(FlinkRest(settings.flink_address), files, clock=clock, seen=last_seen(connection), begin=begin)
        except StateRefused as error:
            report_refusal(connection, files.plan, error, now=clock.now())
            raise


def refusal(settings: Settings) -> StateRefused | None:
    """Why the job must not be started, as far as can be told without Flink."""
    with connect(settings.dsn("gate_owner")) as connection:
        seen = last_seen(connection)
    files = job_files(settings)
    try:
        usable_states(files, states(files.folder), records(files.folder), seen=seen)
    except StateRefused as error:
        return error
    return None


def start(
    flink: FlinkRest, files: JobFiles, *, clock: Clock, seen: Seen | None = None, begin: Begin = "with its state"
) -> Submission:
    """Start the job unless it runs, and remove states that nobody will need; the caller sees to it that only one asks.

    Args:
        seen: Newest checkpoint that was ever reported of the job, to notice when all of them are gone.
    Raises:
        JobRefused: Flink says why.
        StateRefused: it must not start with the state that is there, nor without it.
    """
    known, running = records(files.folder), flink.running_job(JOB)
    if running and begin == "with its state":
        return _running(running, known)
    if running:
        flink.cancel(running)
    usable = usable_states(files, states(files.folder), known, seen=seen) if begin == "with its state" else []
    if usable:
        done = _start_from(flink, files, usable, clock)
    else:
        now = clock.now()
        ts_from = rebuilt_from(files.kept, seen, now=now) if begin == "anew" else _same_beginning(known)
        done = _start_one(flink, files, JobRecord(uuid4().hex, files.plan, None, now, ts_from))
    prune(files.folder, running=[done.job_id])
    return done


def rebuilt_from(kept: timedelta | None, seen: Seen | None, *, now: datetime) -> datetime | None:
    """Kafka time from which a job that begins anew reads; None: from the topic's beginning.

    All that it reads lives in its memory for as long as state lives, counted from now: days of ticks would not fit. Bars from
    this instant on come out whole, and ticks of a standstill since the newest checkpoint are among them; older bars keep their
    rows. A job that never had a checkpoint has nothing to keep.
    """
    if kept is None or seen is None:
        return None
    return (min(now, seen.ts_checkpoint) - kept).replace(second=0, microsecond=0)


def _same_beginning(known: Mapping[str, JobRecord]) -> datetime | None:
    """Where the job began that ended before its first checkpoint; the topic's beginning for the first of all."""
    origin = origin_of(known.values())
    return origin.ts_from if origin else None


def usable_states(files: JobFiles, found: Collection[State], known: Mapping[str, JobRecord], *, seen: Seen | None) -> list[State]:
    """States that the job may start from, newest first; none where it has never had any. Decides only.

    Args:
        found: Newest first.
    """
    origin = origin_of(known.values())
    since = [state for state in found if origin is None or _begun(state, known) >= origin.ts_submitted]
    if not since:
        if seen and (origin is None or seen.ts_checkpoint >= origin.ts_submitted):
            raise StateLost(seen.checkpoint_path, seen.ts_checkpoint, files.folder)
        return []
    newest = since[0]
    if newest.job_id not in known:
        raise StateOfOtherPlan(newest.path, newest.ts_written, "no record tells what its job was: the platform")
    if known[newest.job_id].plan != files.plan:
        raise StateOfOtherPlan(newest.path, newest.ts_written, files.plan.differences(known[newest.job_id].plan))
    return [state for state in since if state.job_id in known and known[state.job_id].plan == files.plan][:_TRIED]


def _begun(state: State, known: Mapping[str, JobRecord]) -> datetime:
    """When the job of a state was submitted; without its record, not after the state was written."""
    return known[state.job_id].ts_submitted if state.job_id in known else state.ts_written


def _start_from(flink: FlinkRest, files: JobFiles, usable: list[State], clock: Clock) -> Submission:
    """The first state that Flink can read decides."""
    problem = ""
    for state in usable:
        try:
            return _start_one(flink, files, JobRecord(uuid4().hex, files.plan, str(state.path), clock.now()))
        except JobFailedAtStart as error:
            problem = error.problem
    raise StateUnreadable([state.path for state in usable], problem)


def _start_one(flink: FlinkRest, files: JobFiles, record: JobRecord) -> Submission:
    """Its record is written first: what a job without one leaves behind could not be told from another's."""
    keep_record(files.folder, record)
    try:
        restore_from = Path(record.restored_from).as_uri() if record.restored_from else None
        script = _script_of(files, record)
        job_id = flink.submit_sql(files.jar, script, name=JOB, restore_from=restore_from, job_id=record.job_id)
        if job_id == record.job_id:
            flink.check_started(job_id, JOB)
    except JobRefused:
        if flink.running_job(JOB) != record.job_id:
            drop_record(files.folder, record.job_id)
        raise
    if job_id == record.job_id:
        return Submission(job_id, record.restored_from)
    drop_record(files.folder, record.job_id)
    return _running(job_id, records(files.folder))


def _running(job_id: str, known: Mapping[str, JobRecord]) -> Submission:
    """A job that somebody else has started."""
    return Submission(job_id, known[job_id].restored_from if job_id in known else None)


def _script_of(files: JobFiles, record: JobRecord) -> Path:
    """The prepared script, or a copy beside it that begins where the record says."""
    if record.ts_from is None:
        return files.script
    script = files.script.with_suffix(".anew.sql")
    script.touch(mode=0o600)
    script.write_text(reading_from(files.script.read_text(), record.ts_from))
    return script


def save(settings: Settings) -> str:
    """Stop the job with a savepoint, so that the next start goes on from here; says what came of it."""
    flink = FlinkRest(settings.flink_address)
    try:
        job_id = flink.running_job(JOB)
        if job_id is None:
            return "does not run, so there is no savepoint; the newest checkpoint remains"
        return f"stopped with {flink.stop(job_id, layout.flink(settings.home) / SAVEPOINTS / job_id).name}"
    except ServerSilent as error:
        return f"no savepoint, because Flink does not answer ({error.problem}); the newest checkpoint remains"
    except SavepointFailed as error:
        return str(error)
