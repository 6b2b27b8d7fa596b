"""quality.gap in Postgres: its rows as they are, and as they are to be. In the caller's transaction, one look at a time.

Not here: what the rows are made of (facts, topic), what they are to be (rows)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import date, datetime
from typing import Any, LiteralString, cast

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.gap import GAP, GapClass, GapState
from stock_platform.market.gaps.rows import Accepted, Row

_LOCK = 7_426_004
"""Key of the advisory lock of whoever changes the ledger: two looks at once would find the same gap twice."""

_NAMES = ", ".join(GAP.names)
_ROWS = f"SELECT {_NAMES} FROM quality.gap WHERE session_date = %s ORDER BY symbol, ts_start"
_ACCEPTED = """
SELECT bar.symbol, extract(EPOCH FROM bar.ts_start)::bigint / 60, bar.dagster_run_id
FROM quality.gap AS gap
JOIN market.bar_1m AS bar ON bar.symbol = gap.symbol AND bar.ts_start >= gap.ts_start AND bar.ts_start < gap.ts_end
WHERE gap.session_date = %s
"""
_OPEN = f"SELECT {_NAMES} FROM quality.gap WHERE state = 'open' ORDER BY ts_start, symbol"
_NEWEST = f"""
SELECT {_NAMES} FROM quality.gap
WHERE
    (%(session_date)s::date IS NULL OR session_date = %(session_date)s)
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(with_repaired)s OR state <> 'repaired')
ORDER BY ts_start DESC, symbol
LIMIT %(limit)s
"""
_BEGIN = f"""
UPDATE quality.gap SET attempt_count = attempt_count + 1
WHERE state = 'open' AND (symbol, ts_start) IN (SELECT * FROM unnest(%s::text[], %s::timestamptz[]))
RETURNING {_NAMES}
"""
_CLOSE = """
UPDATE quality.gap SET
    state = %(state)s, gap_class = coalesce(%(gap_class)s, gap_class), closed_by_run = %(run_id)s, closed_reason = %(reason)s,
    ts_closed = %(now)s
WHERE state = 'open' AND symbol = %(symbol)s AND ts_start = %(ts_start)s
"""
_INSERT = f"INSERT INTO quality.gap ({_NAMES}) VALUES ({', '.join(['%s'] * len(GAP.names))})"


@dataclass(frozen=True)
class Wanted:
    """Which rows a person wants to see; None: all."""

    session_date: date | None
    symbol: str | None
    with_repaired: bool


@dataclass(frozen=True)
class Closing:
    """Why rows are closed that got no bars.

    Args:
        run_id: Run that found it out; None: it needed none.
        gap_class: What they turned out to be; None: what they were.
    """

    state: GapState
    reason: str
    run_id: str | None
    gap_class: GapClass | None = None


def lock_ledger(connection: Connection) -> None:
    """Wait until nobody else changes the ledger; from then until the end of the transaction nobody else does."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def read_rows(connection: Connection, session_date: date) -> list[Row]:
    """The session's rows as they are."""
    return [_row_of(row) for row in connection.execute(cast(LiteralString, _ROWS), (session_date,)).fetchall()]


def read_accepted(connection: Connection, session_date: date) -> Accepted:
    """Of the rows' minutes, those that have a certified bar."""
    return {(symbol, minute): run for symbol, minute, run in connection.execute(_ACCEPTED, (session_date,)).fetchall()}


def write_rows(connection: Connection, stored: Sequence[Row], rows: Sequence[Row]) -> int:
    """Bring the ledger from what is stored to what is to be; rows that stay the same are not touched. Returns the rows changed."""
    before, after = set(stored), set(rows)
    with connection.cursor() as cursor:
        gone = [(row.symbol, row.ts_start) for row in before - after]
        cursor.executemany("DELETE FROM quality.gap WHERE symbol = %s AND ts_start = %s", gone)
        cursor.executemany(cast(LiteralString, _INSERT), [astuple(row) for row in rows if row not in before])
    return len({(row.symbol, row.ts_start) for row in before ^ after})


def read_open(connection: Connection) -> list[Row]:
    """Open rows of all sessions, by time."""
    return [_row_of(row) for row in connection.execute(cast(LiteralString, _OPEN)).fetchall()]


def read_newest(connection: Connection, wanted: Wanted, *, limit: int) -> list[Row]:
    """Rows for a person, the newest first."""
    found = connection.execute(cast(LiteralString, _NEWEST), {**asdict(wanted), "limit": limit})
    return [_row_of(row) for row in found.fetchall()]


def begin_attempt(connection: Connection, keys: Sequence[tuple[str, datetime]]) -> list[Row]:
    """Count a repair run on those of the rows that are still open; these rows."""
    lock_ledger(connection)
    found = connection.execute(cast(LiteralString, _BEGIN), ([symbol for symbol, _ in keys], [start for _, start in keys]))
    return [_row_of(row) for row in found.fetchall()]


def close_rows(connection: Connection, rows: Iterable[Row], closing: Closing, *, now: datetime) -> None:
    """Write down that nothing more is done about these rows, and why; one that was closed meanwhile stays as it is."""
    lock_ledger(connection)
    facts = {"state": closing.state, "gap_class": closing.gap_class, "run_id": closing.run_id, "reason": closing.reason, "now": now}
    with connection.cursor() as cursor:
        cursor.executemany(_CLOSE, [{**facts, "symbol": row.symbol, "ts_start": row.ts_start} for row in rows])


def _row_of(row: Sequence[Any]) -> Row:
    named: dict[str, Any] = dict(zip(GAP.names, row, strict=True))
    named |= {"gap_class": GapClass(named["gap_class"]), "state": GapState(named["state"])}
    return Row(**named)
