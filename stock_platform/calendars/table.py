"""A rendered table's text to sessions. Not here: how it is rendered (export), which there are (lookup).

    zone Asia/Tokyo
    range 1997-01-01 .. 2035-12-31
    regular 1997-01-01 09:00-11:30 12:30-15:00      weekdays from that day on; a later line is a later era
    regular 2024-11-05 09:00-11:30 12:30-15:30
    1997-01-15 closed                               a day that is not as its weekday says

`<17:00-16:00` opens at 17:00 of the calendar day before. `pre 04:00` is when the pre-market begins, `post 4:00` how long
the post-market lasts after the close, early or not. All times are local."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from stock_platform.calendars.calendar import Session

_ASSUMED = timedelta(days=3653)
"""Ten years beyond the table: a feed goes on while people are told to render a longer one."""
_DAY = timedelta(days=1)
_SATURDAY = 5
_CLOSED = "closed"
_EVENING_BEFORE = "<"


@dataclass(frozen=True)
class Table:
    """A table as it is written.

    Args:
        last: Last day that it covers.
        eras: First days and regular hours, in order.
        exceptions: Hours or `closed`, by day.
    """

    zone: ZoneInfo
    first: date
    last: date
    eras: tuple[tuple[date, str], ...]
    exceptions: Mapping[date, str]
    pre: time | None
    post: timedelta


def parse(text: str) -> Table:
    """The table of a text."""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if not line.startswith("#")]
    head = {key: value for key, value in lines if not key[0].isdigit()}
    first, last = (date.fromisoformat(day) for day in head["range"].split(" .. "))
    eras = [value.split(maxsplit=1) for key, value in lines if key == "regular"]
    post = time.fromisoformat(f"0{head['post']}") if "post" in head else time()
    return Table(
        zone=ZoneInfo(head["zone"]),
        first=first,
        last=last,
        eras=tuple((date.fromisoformat(day), hours) for day, hours in eras),
        exceptions={date.fromisoformat(key): value for key, value in lines if key[0].isdigit()},
        pre=time.fromisoformat(head["pre"]) if "pre" in head else None,
        post=timedelta(hours=post.hour, minutes=post.minute),
    )


def sessions(table: Table) -> Iterator[Session]:
    """Every session of the table, then the assumed ones."""
    starts = [first for first, _ in table.eras]
    day = table.first
    while day <= table.last + _ASSUMED:
        regular = table.eras[bisect_right(starts, day) - 1][1]
        hours = table.exceptions.get(day, _CLOSED if day.weekday() >= _SATURDAY else regular)
        if hours != _CLOSED:
            yield _session(table, day, hours)
        day += _DAY


def _session(table: Table, day: date, hours: str) -> Session:
    opens, *breaks, closes = hours.removeprefix(_EVENING_BEFORE).replace(" ", "-").split("-")
    ts_open = _at(day - _DAY if hours.startswith(_EVENING_BEFORE) else day, opens, table.zone)
    ts_close = _at(day, closes, table.zone)
    break_start, break_end = (_at(day, each, table.zone) for each in breaks) if breaks else (None, None)
    return Session(
        day,
        ts_open,
        ts_close,
        ts_pre=datetime.combine(day, table.pre, table.zone).astimezone(UTC) if table.pre else ts_open,
        ts_post_end=ts_close + table.post,
        ts_break_start=break_start,
        ts_break_end=break_end,
        is_assumed=day > table.last,
    )


def _at(day: date, text: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)
