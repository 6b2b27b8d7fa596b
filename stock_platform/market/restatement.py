"""Restate a session: compute its bars anew from its ticks, in batch mode, by the stream job's own SQL, beside staging.

Unit of parallelism: one restatement at a time. A repeat gives the same bars; a crashed one leaves rows that the next forgets.
Nothing of staging or market changes. Not here: the way of what was found into the truth (promotion)."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.flink_batch import BatchJobs, answered
from stock_platform.adapters.flink_script import fill_script
from stock_platform.adapters.postgres import connect
from stock_platform.contracts.epoch import EPOCH
from stock_platform.errors import JobRefused
from stock_platform.errors.restatement import SessionTicksMissing
from stock_platform.market import shadow
from stock_platform.market.archived_ticks import regular_symbols
from stock_platform.market.asked import Asked, read_asked, symbols_with
from stock_platform.market.comparison import Comparison, compare
from stock_platform.market.shadow import Counts
from stock_platform.market.tick_source import FromArchive, TickSource, choose_source

JOB = "restate_bars"
_WITHIN = timedelta(minutes=30)
"""5,000 symbols' session, 20,000,000 ticks, takes some minutes."""
_NO_LIMIT = "0"
"""Nothing is too late here."""
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Place:
    """Where restatements are made.

    Args:
        dsn: Of gate_owner.
        values: What the scripts leave open: addresses, and flink_writer's password.
        sql: Folder of flink/sql.
        folder: For scripts and ticks; readable by its owner and Flink only.
        archive: Where a session's archive is, or would be.
    """

    dsn: str
    flink_address: str
    kafka_bootstrap: str
    values: Mapping[str, str]
    sql: Path
    jar: Path
    folder: Path
    archive: Callable[[date], Path]
    clock: Clock


@dataclass(frozen=True)
class Restated:
    """What came out.

    Args:
        took: From the choice of the source to the end of the comparison.
    """

    restatement_id: int
    asked: Asked
    ticks_from: str
    counts: Counts
    took: timedelta
    comparison: Comparison


def restate(
    place: Place, session_date: date, symbols: Sequence[str] = (), *, ticks: FromArchive | None = None, closed_until: datetime
) -> Restated:
    """Restate a session into the shadow table and compare it with staging, for who only looks.

    Args:
        symbols: None stands for all that have the session.
    Raises:
        SessionUnknown, SymbolsUnknown: there is no such session.
        RestatementRunning: another one is under way; and all of `restated`.
    """
    with connect(place.dsn) as connection:
        asked = read_asked(connection, session_date, symbols)
    with shadow.only_restatement(place.dsn, asked, place.clock) as restatement_id:
        return restated(place, restatement_id, asked, ticks=ticks, closed_until=closed_until)


def restated(
    place: Place, restatement_id: int, asked: Asked, *, ticks: FromArchive | None = None, closed_until: datetime
) -> Restated:
    """Compute what is asked for into the shadow table, and compare it with staging; within shadow.only_restatement.

    Args:
        ticks: Take these instead of what Kafka or the archive has.
        closed_until: Bars that end later are not compared; asked before the ticks are read.
    Raises:
        SessionTicksMissing: its ticks are neither in the topic nor archived.
        JobRefused, JobFailed, JobTooSlow: Flink did not do it.
    """
    started = place.clock.now()
    # A killed restatement leaves its script, with a password in it, and its ticks.
    shutil.rmtree(place.folder, ignore_errors=True)
    source = ticks or choose_source(asked, bootstrap=place.kafka_bootstrap, archive=place.archive(asked.session_date))
    asked = _narrowed(place, asked, source)
    with connect(place.dsn) as connection:
        shadow.note_source(connection, restatement_id, asked, str(source), is_partial=False)
    with answered(JOB, place.flink_address):
        _run(place, asked, source, restatement_id)
    with connect(place.dsn) as connection:
        counts = shadow.keep_session(connection, restatement_id, asked)
        if not counts.bar_count:
            raise SessionTicksMissing(asked.session_date, f"{source} has no tick of its regular hours", "no archive has one")
        found = compare(connection, restatement_id, asked, closed_until=closed_until)
    return Restated(restatement_id, asked, str(source), counts, place.clock.now() - started, found)


def _narrowed(place: Place, asked: Asked, source: TickSource) -> Asked:
    """A file may lack symbols that have the session; that is no reason to take their bars away."""
    if asked.symbols or not isinstance(source, FromArchive):
        return asked
    found = regular_symbols(source.path)
    with connect(place.dsn) as connection:
        known = symbols_with(connection, asked.session_date)
        return asked if known <= found else read_asked(connection, asked.session_date, sorted(found & known or found))


def _run(place: Place, asked: Asked, source: TickSource, restatement_id: int) -> None:
    """The Flink job, from its text to its end; a job that a crashed restatement left is taken back first."""
    flink, jobs = FlinkRest(place.flink_address), BatchJobs(place.flink_address, place.clock)
    left = flink.running_job(JOB)
    if left and not jobs.cancel(left):
        raise JobRefused(JOB, place.flink_address, f"job {left} of an earlier restatement cannot be cancelled")
    jobs.require_slots(JOB, int(place.values["PARALLELISM"]))
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        script = Path(folder) / f"{JOB}.sql"
        script.touch(mode=0o600)
        ticks = Path(folder) / "ticks"
        ticks.mkdir()
        script.write_text(fill_script(place.sql, source.parts, _values(place, asked, source.values(asked, ticks), restatement_id)))
        job_id = flink.submit_sql(place.jar, script, name=JOB, restore_from=None)
        with connect(place.dsn) as connection:
            shadow.note_job(connection, restatement_id, job_id)
        jobs.finish(job_id, JOB, within=_WITHIN)


def _values(place: Place, asked: Asked, of_source: Mapping[str, str], restatement_id: int) -> dict[str, str]:
    """The restatement's number travels as a setting of the connection: the job's SQL knows nothing of it."""
    setting = f"options=-c%20stock_platform.restatement_id%3D{restatement_id}"
    return {
        **place.values,
        **of_source,
        "POSTGRES_URL": _with_parameters(place.values["POSTGRES_URL"], f"{setting}&reWriteBatchedInserts=true"),
        "LATE_LIMIT_MS": _NO_LIMIT,
        "TS_EVENT_FROM_MS": str(_epoch_ms(asked.ts_from)),
        "TS_EVENT_UNTIL_MS": str(_epoch_ms(asked.ts_until)),
        "SYMBOLS": f" {' '.join(asked.symbols)} " if asked.symbols else "",
    }


def _with_parameters(url: str, parameters: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{parameters}"


def _epoch_ms(ts: datetime) -> int:
    return (ts - EPOCH) // _MILLISECOND
