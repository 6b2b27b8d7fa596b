"""Calendars by name, read once from their rendered tables. Not here: how a table is read (table) or rendered (export)."""

from functools import cache
from importlib.resources import files

from stock_platform.calendars import forex, table
from stock_platform.calendars.calendar import Calendar, ExchangeCalendar
from stock_platform.calendars.continuous import ContinuousCalendar
from stock_platform.errors import CalendarUnknown

TABLES = (
    *("XNYS", "XTSE", "XMEX", "BVMF", "CMES"),
    *("XLON", "XDUB", "XLIS", "XPAR", "XAMS", "XBRU", "XETR", "XSWX", "XWBO", "XMIL", "XMAD"),
    *("XOSL", "XCSE", "XSTO", "XHEL", "XJSE"),
    *("XTKS", "XKRX", "XSHG", "XHKG", "XTAI", "XSES", "XIDX", "XBOM", "XASX", "XNZE"),
)
"""Exchanges with a table of their own."""

SAME_HOURS = {"XNAS": "XNYS", "XFRA": "XETR", "XSHE": "XSHG", "XNSE": "XBOM"}
"""Exchanges that keep another one's hours."""

CALENDARS = (*TABLES, *SAME_HOURS, "24/5", "24/7")


@cache
def calendar(name: str) -> Calendar:
    """The calendar of that name.

    Raises:
        CalendarUnknown: the name is not one of CALENDARS.
    """
    if name not in CALENDARS:
        raise CalendarUnknown(name, CALENDARS)
    if name == "24/7":
        return ContinuousCalendar()
    if name == "24/5":
        return ExchangeCalendar(name, list(forex.forex_sessions()), horizon=forex.LAST)
    source = table.parse(table_text(SAME_HOURS.get(name, name)))
    return ExchangeCalendar(name, list(table.sessions(source)), horizon=source.last)


def table_text(name: str) -> str:
    """The committed table."""
    return files("stock_platform.calendars").joinpath("tables", f"{name.lower()}.txt").read_text()


def has_same_hours(name: str, other: str) -> bool:
    """Whether two calendars never differ, by whatever name."""
    return SAME_HOURS.get(name, name) == SAME_HOURS.get(other, other)
