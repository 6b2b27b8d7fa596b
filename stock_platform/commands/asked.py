"""What a person asked a verb for, held against what there is. Not here: what the verbs then do."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

import typer

from stock_platform.config import Settings

if TYPE_CHECKING:
    from stock_platform.adapters.postgres import Connection


def require_order(first: datetime, last: datetime) -> None:
    """Refuse days of which the last comes before the first.

    Raises:
        BadParameter: it does.
    """
    if first > last:
        problem = f"{first:%Y-%m-%d} is after --to {last:%Y-%m-%d}; expected the first day and the last"
        raise typer.BadParameter(problem, param_hint="--from")


@contextmanager
def gate_database(settings: Settings) -> "Generator[Connection]":
    """A connection of the gate's owner.

    Raises:
        DatabaseUnreachable: there is none.
    """
    from stock_platform.adapters.postgres import connect, server_problem
    from stock_platform.errors.quarantine import DatabaseUnreachable

    dsn = settings.dsn("gate_owner")
    problem = server_problem(dsn)
    if problem:
        raise DatabaseUnreachable(f"{settings.postgres_host}:{settings.postgres_port}", problem)
    with connect(dsn) as connection:
        yield connection


def watched_symbols(connection: "Connection") -> list[str]:
    """The watchlist, in order."""
    return [symbol for (symbol,) in connection.execute("SELECT symbol FROM reference.instrument ORDER BY symbol").fetchall()]


def require_watched(connection: "Connection", symbol: str) -> None:
    """For a symbol of which nothing was found: it may be misspelled.

    Raises:
        SymbolUnwatched: nobody watches it.
    """
    from stock_platform.errors import SymbolUnwatched

    known = watched_symbols(connection)
    if symbol not in known:
        raise SymbolUnwatched(symbol, known)


def require_session(connection: "Connection", session_date: date) -> None:
    """Refuse a day on which no market is open.

    Raises:
        SessionUnknown: it is one; names the first and the last session.
    """
    from stock_platform.market.asked import read_asked

    read_asked(connection, session_date, ())
