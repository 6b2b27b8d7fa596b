"""Sessions that nobody may restate: the list, and the refusal."""

from datetime import date, datetime

from stock_platform.adapters.postgres import Connection
from stock_platform.errors.restatement import SessionProtected

_PROTECT = """
INSERT INTO ops.protected_session (session_date, reason, ts_updated) VALUES (%s, %s, %s)
ON CONFLICT (session_date) DO UPDATE SET reason = excluded.reason, ts_updated = excluded.ts_updated
"""


def protect(connection: Connection, session_date: date, reason: str, *, now: datetime) -> None:
    """Nobody may restate the session from now on."""
    connection.execute(_PROTECT, (session_date, reason, now))


def lift(connection: Connection, session_date: date) -> bool:
    """Give the session free again; whether it was protected."""
    return connection.execute("DELETE FROM ops.protected_session WHERE session_date = %s", (session_date,)).rowcount > 0


def require_unprotected(connection: Connection, session_date: date) -> None:
    """Stop here when the session is protected.

    Raises:
        SessionProtected: says why and since when.
    """
    query = "SELECT reason, ts_updated FROM ops.protected_session WHERE session_date = %s"
    row = connection.execute(query, (session_date,)).fetchone()
    if row is not None:
        raise SessionProtected(session_date, *row)
