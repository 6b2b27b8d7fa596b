"""Write a judgement: accepted bars, their revisions, quarantine and check results, in one transaction.

Effectively once: key + content decide; a repeat changes nothing. A blocked batch writes its check results and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from psycopg import sql

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR, QUARANTINE, QuarantineState
from stock_platform.gate.batch import CONTENT, is_outdated
from stock_platform.gate.gate_run import record_run
from stock_platform.gate.judge import Judgement

_LOCK = 7_426_002
"""Key of the advisory lock that keeps gate runs and reviewers from promoting at the same time."""
_FORGET = """
DELETE FROM quality.quarantine AS refused
USING unnest(%s::text[], %s::timestamptz[]) AS bar (symbol, ts_start)
WHERE refused.symbol = bar.symbol AND refused.ts_start = bar.ts_start
"""
_WITHDRAW = """
WITH closed AS (
    UPDATE market.bar_1m_revision SET ts_valid_to = greatest(%(now)s, ts_valid_from)
    WHERE symbol = %(symbol)s AND ts_start = %(ts_start)s AND ts_valid_to IS NULL
)
DELETE FROM market.bar_1m WHERE symbol = %(symbol)s AND ts_start = %(ts_start)s
"""


@dataclass(frozen=True)
class Promotion:
    """What a gate run changed.

    Args:
        is_outdated: A restatement came in between: nothing was written, and the judgement says nothing of what is staged now.
    """

    inserted: int
    revised: int
    quarantined: int
    is_outdated: bool = False


def promote(connection: Connection, judgement: Judgement, *, dagster_run_id: str, code_version: str, now: datetime) -> Promotion:
    """Promote what the judgement lets through; the caller's transaction decides that all of it happens, or nothing.

    Where a restatement of the session was promoted since the batch was read, nothing is: what still waits is judged anew.
    """
    lock_promotions(connection)
    if is_outdated(connection, judgement.batch):
        return Promotion(0, 0, 0, is_outdated=True)
    record_results(connection, judgement, dagster_run_id=dagster_run_id, now=now)
    if judgement.is_blocked:
        return Promotion(0, 0, 0)
    record_run(connection, judgement.batch, dagster_run_id=dagster_run_id, code_version=code_version, now=now)
    stamped = judgement.bars.with_columns(dagster_run_id=pl.lit(dagster_run_id), revision=pl.lit(1, dtype=pl.Int64))
    accepted = stamped.filter(pl.col("verdict").is_not_null()).with_columns(ts_accepted=pl.lit(now))
    refused = stamped.filter(pl.col("verdict").is_null()).with_columns(
        ts_quarantined=pl.lit(now), state=pl.lit(QuarantineState.OPEN.value)
    )
    revisions = _accept(connection, accepted.select(BAR.names))
    quarantined = _quarantine(connection, refused.select(QUARANTINE.names))
    return Promotion(revisions.count(1), len(revisions) - revisions.count(1), quarantined)


def lock_promotions(connection: Connection) -> None:
    """Wait until nobody else promotes; from then until the end of the transaction nobody else does."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def withdraw(connection: Connection, bars: Iterable[tuple[str, datetime]], *, now: datetime) -> int:
    """Take bars out of market because there is no such bar; their revisions stay. Returns those that were certified.

    Args:
        bars: (symbol, ts_start) of each.
    """
    with connection.cursor() as cursor:
        cursor.executemany(_WITHDRAW, [{"symbol": symbol, "ts_start": ts_start, "now": now} for symbol, ts_start in bars])
        return max(cursor.rowcount, 0)


def forget_refusals(connection: Connection, bars: Iterable[tuple[str, datetime]]) -> None:
    """Take versions out of quarantine that are staged no more.

    Args:
        bars: (symbol, ts_start) of each.
    """
    found = list(bars)
    connection.execute(_FORGET, ([symbol for symbol, _ in found], [ts_start for _, ts_start in found]))


def record_results(connection: Connection, judgement: Judgement, *, dagster_run_id: str, now: datetime) -> None:
    """One row per rule in quality.check_result."""
    rows = [
        (
            *(dagster_run_id, result.name, result.severity, judgement.batch.session_date, result.is_passed),
            *(result.observed_count, len(result.rows), result.sample, now),
        )
        for result in judgement.results
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO quality.check_result (dagster_run_id, check_name, severity, session_date, is_passed, observed_count, "
            "failed_count, detail, ts_checked) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (dagster_run_id, check_name) DO NOTHING",
            rows,
        )


def _accept(connection: Connection, bars: pl.DataFrame) -> list[int]:
    """Revisions of the rows that were inserted or changed."""
    _copy(connection, "accepted", BAR.address, bars)
    return [revision for (revision,) in connection.execute(_accept_statement()).fetchall()]


def _quarantine(connection: Connection, bars: pl.DataFrame) -> int:
    _copy(connection, "refused", QUARANTINE.address, bars)
    return connection.execute(_quarantine_statement()).rowcount


def _quarantine_statement() -> sql.Composed:
    """Upsert the refused version: a new one waits for a person again.

    A person may have decided after the batch was read: what is discarded or in the market by then, in this form, stays so."""
    values = [name for name in QUARANTINE.names if name not in (*QUARANTINE.key, "state")]
    return sql.SQL("""
        INSERT INTO quality.quarantine AS old ({names})
        SELECT {names} FROM refused
        WHERE NOT EXISTS (
            SELECT FROM market.bar_1m AS bar
            WHERE bar.symbol = refused.symbol AND bar.ts_start = refused.ts_start AND ({bars}) IS NOT DISTINCT FROM ({refused})
        )
        ON CONFLICT (symbol, ts_start) DO UPDATE SET {values},
            state = CASE WHEN ({olds}) IS DISTINCT FROM ({news}) THEN excluded.state ELSE old.state END
    """).format(
        names=_identifiers(QUARANTINE.names),
        values=_assignments(values),
        bars=_of("bar", CONTENT),
        refused=_of("refused", CONTENT),
        olds=_of("old", CONTENT),
        news=_of("excluded", CONTENT),
    )


def _copy(connection: Connection, name: str, like: str, frame: pl.DataFrame) -> None:
    table = sql.Identifier(name)
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {}) ON COMMIT DROP").format(table, sql.Identifier(*like.split(".")))
    )
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, _identifiers(frame.columns))) as copy:
        for row in frame.iter_rows():
            copy.write_row(row)


_NEXT_REVISION = sql.SQL("""1 + coalesce((
    SELECT max(known.revision) FROM market.bar_1m_revision AS known
    WHERE known.symbol = accepted.symbol AND known.ts_start = accepted.ts_start
), 0)""")
"""A bar that was taken out and comes back goes on counting."""


def _accept_statement() -> sql.Composed:
    """Upsert the current revision, close the one before, keep both; a bar that is accepted leaves the quarantine."""
    values = [name for name in BAR.names if name not in BAR.key]
    content = (*CONTENT, "verdict")
    numbered = [_NEXT_REVISION if name == "revision" else sql.Identifier("accepted", name) for name in BAR.names]
    return sql.SQL("""
        WITH changed AS (
            INSERT INTO market.bar_1m AS old ({names})
            SELECT {numbered} FROM accepted
            ON CONFLICT (symbol, ts_start) DO UPDATE SET {values}
            WHERE ({olds}) IS DISTINCT FROM ({news})
            RETURNING *
        ),
        closed AS (
            UPDATE market.bar_1m_revision AS earlier SET ts_valid_to = greatest(changed.ts_accepted, earlier.ts_valid_from)
            FROM changed
            WHERE earlier.symbol = changed.symbol AND earlier.ts_start = changed.ts_start AND earlier.ts_valid_to IS NULL
        ),
        released AS (
            DELETE FROM quality.quarantine AS refused USING accepted
            WHERE refused.symbol = accepted.symbol AND refused.ts_start = accepted.ts_start
        ),
        kept AS (
            INSERT INTO market.bar_1m_revision ({names}, ts_valid_from)
            SELECT {names}, ts_accepted FROM changed
        )
        SELECT revision FROM changed
    """).format(
        names=_identifiers(BAR.names),
        numbered=sql.SQL(", ").join(numbered),
        values=_assignments(values),
        olds=_of("old", content),
        news=_of("excluded", content),
    )


def _identifiers(names: tuple[str, ...] | list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _of(table: str, names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) for name in names)


def _assignments(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names)
