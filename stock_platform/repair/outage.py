"""An outage repaired, where its stages are joined: minutes taken from the vendor's history or made of Kafka's ticks, then one look,
which closes the rows that got bars; of the others it is written down why there are none.

Effectively once: a repeat finds the rows closed and does nothing. A run that dies leaves them open, and counts as an attempt.
Not here: who asks for it, and when (defs/gap_repair)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.errors import HistoryTooOld, PlatformError
from stock_platform.errors.restatement import (
    SessionProtected,
    SessionTicksMissing,
    SessionUnknown,
    SymbolsUnknown,
    VendorNotAsked,
)
from stock_platform.market.asked import Stretch
from stock_platform.market.gaps.facts import read_stretches, read_until
from stock_platform.market.gaps.ledger import Closing, begin_attempt, close_rows
from stock_platform.market.gaps.rows import Row
from stock_platform.repair.look import look_at
from stock_platform.repair.restating import Promoted, restate_and_promote
from stock_platform.repair.restating_from_vendor import restate_from_vendor

ATTEMPTS = 3
_HOPELESS = (HistoryTooOld, SessionProtected, SessionTicksMissing, SessionUnknown, SymbolsUnknown, VendorNotAsked)
"""Another try would say the same."""
_MINUTE = timedelta(minutes=1)
_NEWEST = "SELECT symbol, max(ts_start) FROM staging.vendor_bar_1m WHERE session_date = %s AND symbol = ANY (%s) GROUP BY symbol"


@dataclass(frozen=True)
class Repairer:
    """Who repairs.

    Args:
        closed_until: Bars that end later are left to the stream.
    """

    settings: Settings
    clock: Clock
    closed_until: datetime | None
    run_id: str
    code_version: str


@dataclass(frozen=True)
class Repair:
    """What became of the rows.

    Args:
        rows: That were open when it began.
        promoted: None where there was nothing to do, or no way to do it.
        rows_left: Still open: another run is to try again.
    """

    rows: tuple[Row, ...] = ()
    promoted: Promoted | None = None
    rows_left: tuple[Row, ...] = ()
    problem: str | None = None


def repair(by: Repairer, session_date: date, keys: Sequence[tuple[str, datetime]]) -> Repair:
    """Repair the rows of one outage.

    Raises:
        PlatformError: it did not go this time, and another run may try.
    """
    with _ledger(by) as connection:
        rows = begin_attempt(connection, keys)
    if not rows:
        return Repair()
    try:
        promoted = _restated(by, session_date, rows)
    except PlatformError as error:
        reason = _hopeless(error, max(row.attempt_count for row in rows))
        if reason is None:
            raise
        with _ledger(by) as connection:
            close_rows(connection, rows, Closing(GapState.UNREPAIRABLE, reason, by.run_id), now=by.clock.now())
        return Repair(tuple(rows), problem=reason)
    return Repair(tuple(rows), promoted, tuple(_settled(by, session_date, rows, promoted)))


def _restated(by: Repairer, session_date: date, rows: Sequence[Row]) -> Promoted:
    """Make the missing bars, or all that can be made of them."""
    if rows[0].gap_class is GapClass.PIPELINE_GAP:
        symbols = sorted({row.symbol for row in rows})
        return restate_and_promote(
            by.settings,
            by.clock,
            session_date,
            symbols,
            closed_until=by.closed_until,
            run_id=by.run_id,
            code_version=by.code_version,
        )
    with _ledger(by) as connection:
        stretches = stretches_of(connection, session_date, rows)
    return restate_from_vendor(
        by.settings,
        by.clock,
        session_date,
        stretches,
        closed_until=by.closed_until,
        run_id=by.run_id,
        code_version=by.code_version,
    )


def stretches_of(connection: Connection, session_date: date, rows: Sequence[Row]) -> list[Stretch]:
    """Every minute that the outage touches, of every symbol that it touches: also those of which some ticks were heard."""
    since, until = min(row.ts_start for row in rows), max(row.ts_end for row in rows)
    return read_stretches(connection, session_date, since=since, until=until)


def _hopeless(error: PlatformError, attempt_count: int) -> str | None:
    """Why nobody need try again; None when another run may."""
    if isinstance(error, _HOPELESS):
        return str(error)
    return f"{attempt_count} repair runs failed; the last one: {error}" if attempt_count >= ATTEMPTS else None


def _settled(by: Repairer, session_date: date, rows: Sequence[Row], promoted: Promoted) -> list[Row]:
    """Look again, and close what got no bar; the rows that are still open for want of an answer."""
    now = by.clock.now()
    with _ledger(by) as connection:
        until = read_until(connection, session_date)
        assert until is not None, "a promotion has just written it"
        found = look_at(connection, by.settings.kafka_bootstrap, session_date, until, run_id=by.run_id, now=now)
        minutes = {(row.symbol, minute) for row in rows for minute in row.minutes}
        missing = [row for row in found.rows if row.state is GapState.OPEN and (row.symbol, row.minutes.start) in minutes]
        missing = [row for row in missing if row.gap_class is rows[0].gap_class]
        if rows[0].gap_class is GapClass.PIPELINE_GAP:
            reason = f"restated from {promoted.done.ticks_from}, and no bar came of its ticks: market.ticks.dlq.v1 says why"
            close_rows(connection, missing, Closing(GapState.UNREPAIRABLE, reason, by.run_id), now=now)
            return []
        newest = dict(connection.execute(_NEWEST, (session_date, [row.symbol for row in missing])).fetchall())
        sure = [row for row in missing if _is_past(row, newest.get(row.symbol)) or row.attempt_count >= ATTEMPTS]
        reason = f"the vendor's history has no usable bar of it either ({promoted.done.ticks_from})"
        close_rows(connection, sure, Closing(GapState.EXPLAINED, reason, by.run_id, GapClass.NO_TRADE), now=now)
    return [row for row in missing if row not in sure]


def _is_past(row: Row, newest: datetime | None) -> bool:
    """Whether the vendor's history goes on behind the gap: then it lacks what was not traded, and not what is still to come."""
    return newest is not None and newest + _MINUTE >= row.ts_end


def _ledger(by: Repairer) -> AbstractContextManager[Connection]:
    return connect(by.settings.dsn("gate_owner"))
