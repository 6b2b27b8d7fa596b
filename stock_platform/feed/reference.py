"""What is watched, and its sessions, into Postgres: reference.instrument and reference.session.

Effectively once: rows are upserted by key, and what is no longer true is deleted; a repeat changes nothing. Not here: who
asks for it (each start of the stack, and a daily Dagster run)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import LiteralString, cast

from stock_platform.adapters.postgres import Connection
from stock_platform.calendars import Session, calendar
from stock_platform.config import Settings
from stock_platform.contracts.record import Record
from stock_platform.contracts.reference import INSTRUMENT, SESSION
from stock_platform.feed.watchlist import Instrument

AHEAD = timedelta(days=370)
"""How far ahead sessions are loaded: a year, so that yesterday's refresh is never missed."""


@dataclass(frozen=True)
class Loaded:
    """What is in the tables now, and how many session rows were not so before."""

    instrument_count: int
    session_count: int
    changed_count: int


def days(settings: Settings, today: date) -> tuple[date, date]:
    """First and last day of which sessions are kept; a tape's own days where it is played in its own time."""
    return settings.sessions_first, settings.sessions_last or today + AHEAD


def load(connection: Connection, instruments: Sequence[Instrument], *, first: date, last: date) -> Loaded:
    """Instruments, and the sessions of their calendars on the days [first, last]."""
    names = calendars_of(instruments)
    rows = [(name, *session) for name in names for session in sessions_of(name, first, last)]
    with connection.cursor() as cursor:
        cursor.executemany(_upsert(INSTRUMENT), [_row(each) for each in instruments])
        cursor.execute("DELETE FROM reference.instrument WHERE symbol <> ALL(%s)", ([each.symbol for each in instruments],))
        cursor.executemany(_upsert(SESSION), rows)
        changed = max(0, cursor.rowcount)
        for name in names:
            days = [session_date for each, session_date, *_ in rows if each == name]
            cursor.execute(
                "DELETE FROM reference.session WHERE calendar = %s AND session_date >= %s AND session_date <= %s "
                "AND session_date <> ALL(%s)",
                (name, first, last, days),
            )
            changed += cursor.rowcount
    return Loaded(len(instruments), len(rows), changed)


def calendars_of(instruments: Iterable[Instrument]) -> list[str]:
    """Names of the calendars watched, in order."""
    return sorted({instrument.calendar for instrument in instruments})


def sessions_of(name: str, first: date, last: date) -> list[Session]:
    """Sessions of a calendar on the days [first, last]."""
    return calendar(name).sessions(first, last + timedelta(days=1))


def _row(instrument: Instrument) -> tuple[object, ...]:
    return tuple(getattr(instrument, name) for name in INSTRUMENT.names)


def _upsert(record: Record) -> LiteralString:
    """INSERT … ON CONFLICT that leaves rows alone which say nothing new."""
    values = [name for name in record.names if name not in record.key]
    old, new = (", ".join(f"{table}.{name}" for name in values) for table in ("old", "excluded"))
    return cast(
        LiteralString,
        f"INSERT INTO {record.address} AS old ({', '.join(record.names)}) VALUES ({', '.join(['%s'] * len(record.names))}) "
        f"ON CONFLICT ({', '.join(record.key)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)} "
        f"WHERE ({old}) IS DISTINCT FROM ({new})",
    )
