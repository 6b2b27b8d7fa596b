"""The restatement's row in ops.restatement and its bars in staging.bar_1m_restated.

One restatement at a time: an advisory lock, which goes with its holder. When one begins, earlier shadow rows of its session go,
those of a crashed one as well, so that a repeat starts from nothing; and those of any session that ended a week ago."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.errors.restatement import RestatementRunning
from stock_platform.market.asked import Asked

_LOCK = 7_426_012
_KEPT = timedelta(days=7)
"""Long enough to look at what was found; a session of 5,000 symbols has 2 million rows."""
_RUNNING = """
SELECT format('session %s is being restated since %s', session_date, to_char(ts_started, 'HH24:MI:SS"Z"'))
FROM ops.restatement WHERE state = 'running' ORDER BY restatement_id DESC LIMIT 1
"""
_FORGET = """
DELETE FROM staging.bar_1m_restated
WHERE restatement_id IN (SELECT restatement_id FROM ops.restatement WHERE session_date = %s OR ts_ended < %s)
"""
_BURY = "UPDATE ops.restatement SET state = 'failed', ts_ended = clock_timestamp(), last_error = 'it ended without a word'"
"""Waits for a promotion that reads the bars of the row that still runs."""
_BEGIN = """
INSERT INTO ops.restatement (session_date, symbols, state, ts_started, dagster_run_id)
VALUES (%s, %s, 'running', %s, %s)
RETURNING restatement_id
"""
_SOURCE = """
UPDATE ops.restatement SET symbols = %s, ticks_from = %s, is_partial = %s, flink_job_id = NULL WHERE restatement_id = %s
"""
_JOB = "UPDATE ops.restatement SET flink_job_id = %s WHERE restatement_id = %s"
_END = """
UPDATE ops.restatement SET state = %s, is_promoted = %s, last_error = %s, ts_ended = clock_timestamp()
WHERE restatement_id = %s AND state = 'running'
"""
_TRIM = """
DELETE FROM staging.bar_1m_restated AS bar
WHERE
    bar.restatement_id = %(restatement_id)s
    AND NOT EXISTS (
        SELECT FROM reference.instrument AS instrument
        JOIN reference.session AS session ON session.calendar = instrument.calendar
        WHERE
            instrument.symbol = bar.symbol
            AND session.session_date = %(session_date)s
            AND bar.ts_start >= session.ts_pre
            AND bar.ts_start < session.ts_post_end
    )
"""
"""Exchanges of other hours have bars between the session's first and last instant that are none of its bars."""
_COUNTS = "SELECT count(*), coalesce(sum(tick_count), 0)::bigint FROM staging.bar_1m_restated WHERE restatement_id = %s"


class Counts(NamedTuple):
    """What a restatement made."""

    bar_count: int
    tick_count: int


@contextmanager
def only_restatement(dsn: str, asked: Asked, clock: Clock, *, dagster_run_id: str | None = None) -> Generator[int]:
    """Be the only restatement while the block runs; its number, whose row says how the block ended.

    A block that ends well and has promoted nothing has only compared.

    Args:
        dagster_run_id: Run that asks for it; None for a command.
    Raises:
        RestatementRunning: another one is under way.
    """
    with connect(dsn, autocommit=True) as connection:
        held = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if held != (True,):
            row = connection.execute(_RUNNING).fetchone()
            raise RestatementRunning(asked.session_date, row[0] if row else "another one is about to start")
        with connect(dsn) as ledger:
            restatement_id = begin(ledger, asked, now=clock.now(), dagster_run_id=dagster_run_id)
        try:
            yield restatement_id
        except BaseException as error:
            with connect(dsn) as ledger:
                fail(ledger, restatement_id, str(error) or type(error).__name__)
            raise
        with connect(dsn) as ledger:
            ledger.execute(_END, ("finished", False, None, restatement_id))


def begin(connection: Connection, asked: Asked, *, now: datetime, dagster_run_id: str | None = None) -> int:
    """Write the restatement down, and forget the session's earlier shadow and all old ones; its number. Under the lock only.

    Args:
        now: Before it was looked which ticks there are: a bar that changes later may have ticks that are not among them.
    """
    connection.execute(f"{_BURY} WHERE state = 'running'")
    connection.execute(_FORGET, (asked.session_date, now - _KEPT))
    row = connection.execute(_BEGIN, (asked.session_date, asked.symbols_text, now, dagster_run_id)).fetchone()
    assert row is not None
    return row[0]


def note_source(connection: Connection, restatement_id: int, asked: Asked, ticks_from: str, *, is_partial: bool) -> None:
    """Say where its ticks come from, and of which symbols; of a source that had none before, nothing stays.

    Args:
        is_partial: Minutes that it does not have stay as they are.
    """
    connection.execute(_SOURCE, (asked.symbols_text, ticks_from, is_partial, restatement_id))


def note_job(connection: Connection, restatement_id: int, job_id: str) -> None:
    """Say which Flink job computes it."""
    connection.execute(_JOB, (job_id, restatement_id))


def keep_session(connection: Connection, restatement_id: int, asked: Asked) -> Counts:
    """Leave only the session's own bars, and count them."""
    connection.execute(_TRIM, {"restatement_id": restatement_id, "session_date": asked.session_date})
    return Counts(*(connection.execute(_COUNTS, (restatement_id,)).fetchone() or (0, 0)))


def note_promotion(connection: Connection, restatement_id: int) -> None:
    """Say that it is promoted; in the promotion's own transaction. A row that was given up meanwhile stays as it is."""
    connection.execute(_END, ("finished", True, None, restatement_id))


def fail(connection: Connection, restatement_id: int, problem: str) -> None:
    """Write down why there is no result; what is promoted already stays so."""
    connection.execute(_END, ("failed", False, problem, restatement_id))
