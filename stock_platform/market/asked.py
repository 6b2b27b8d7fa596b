"""What is to be restated: a session, the symbols that have it, and the stretch of time that it covers.

Reads reference.instrument and reference.session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from stock_platform.adapters.postgres import Connection
from stock_platform.errors.restatement import SessionNotBegun, SessionUnknown, SymbolsUnknown

_HOURS = """
SELECT instrument.symbol, session.ts_pre, session.ts_post_end
FROM reference.instrument AS instrument
JOIN reference.session AS session ON session.calendar = instrument.calendar
WHERE session.session_date = %s
ORDER BY instrument.symbol
"""
_KNOWN = """
SELECT min(session.session_date), max(session.session_date)
FROM reference.instrument AS instrument
JOIN reference.session AS session ON session.calendar = instrument.calendar
"""


@dataclass(frozen=True)
class Asked:
    """One session of some symbols.

    Args:
        symbols: Those asked for; none stands for all that have the session.
        ts_from: Earliest pre-market, inclusive.
        ts_until: Latest end of the post-market, exclusive.
    """

    session_date: date
    symbols: tuple[str, ...]
    ts_from: datetime
    ts_until: datetime

    @property
    def symbols_text(self) -> str | None:
        """As ops.restatement has them; None for all."""
        return " ".join(self.symbols) or None


@dataclass(frozen=True)
class Stretch:
    """Minutes of one symbol: those with ts_start in [ts_from, ts_until)."""

    symbol: str
    ts_from: datetime
    ts_until: datetime


def symbols_with(connection: Connection, session_date: date) -> set[str]:
    """Watched symbols that have the session."""
    return {symbol for symbol, _, _ in connection.execute(_HOURS, (session_date,)).fetchall()}


def whole_session(connection: Connection, asked: Asked) -> list[Stretch]:
    """All minutes of the symbols that are asked for."""
    symbols = asked.symbols or sorted(symbols_with(connection, asked.session_date))
    return [Stretch(symbol, asked.ts_from, asked.ts_until) for symbol in symbols]


def read_asked(connection: Connection, session_date: date, symbols: Sequence[str]) -> Asked:
    """Look the session up.

    Raises:
        SessionUnknown: nothing watched has it.
        SymbolsUnknown: some of the symbols do not.
    """
    hours = {symbol: (pre, end) for symbol, pre, end in connection.execute(_HOURS, (session_date,)).fetchall()}
    if not hours:
        first, last = connection.execute(_KNOWN).fetchone() or (None, None)
        raise SessionUnknown(session_date, first, last)
    unknown = sorted(set(symbols) - set(hours))
    if unknown:
        raise SymbolsUnknown(unknown, session_date, hours)
    wanted = [hours[symbol] for symbol in symbols or hours]
    return Asked(session_date, tuple(sorted(set(symbols))), min(pre for pre, _ in wanted), max(end for _, end in wanted))


def require_begun(asked: Asked, now: datetime) -> None:
    """Stop here when nothing of the session can have happened yet.

    Raises:
        SessionNotBegun: says when it begins.
    """
    if now < asked.ts_from:
        raise SessionNotBegun(asked.session_date, asked.ts_from)
