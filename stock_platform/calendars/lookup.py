"""Calendars by name, read once from their rendered tables. Not here: how a table is rendered (export)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from stock_platform.calendars.calendar import Calendar, ContinuousCalendar, ExchangeCalendar, Session
from stock_platform.errors import CalendarUnknown

CALENDARS = ("XNYS", "24/7")

_SATURDAY = 5


@cache
def calendar(name: str) -> Calendar:
    """The calendar of that name.

    Raises:
        CalendarUnknown: the name is not one of CALENDARS.
    """
    if name not in CALENDARS:
        raise CalendarUnknown(name, CALENDARS)
    return ContinuousCalendar() if name == "24/7" else ExchangeCalendar(name, _read_table(name))


def _read_table(name: str) -> list[Session]:
    lines = files("stock_platform.calendars").joinpath(f"{name.lower()}.txt").read_text().splitlines()
    table = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in lines if not line.startswith("#")}
    exceptions = {date.fromisoformat(key): value for key, value in table.items() if key[0].isdigit()}
    first, last = (date.fromisoformat(text) for text in table["range"].split(" .. "))
    return list(_sessions(first, last, exceptions, regular=table["regular"], zone=ZoneInfo(table["zone"])))


def _sessions(first: date, last: date, exceptions: Mapping[date, str], *, regular: str, zone: ZoneInfo) -> Iterator[Session]:
    day = first
    while day <= last:
        hours = exceptions.get(day, "closed" if day.weekday() >= _SATURDAY else regular)
        if hours != "closed":
            opens, closes = (_instant(day, text, zone) for text in hours.split("-"))
            yield Session(day, opens, closes)
        day += timedelta(days=1)


def _instant(day: date, text: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)
