"""Renders the tables from exchange_calendars: `python -m stock_platform.calendars.export` writes them all.

The only importer of exchange_calendars. A test compares the committed tables with it. Run it with the newest release of
exchange_calendars each autumn, when exchanges have published the coming year's holidays."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from stock_platform.calendars.lookup import TABLES

FIRST, LAST = date(1990, 1, 1), date(2035, 12, 31)
FOLDER = Path(__file__).parent / "tables"
COMMAND = "python -m stock_platform.calendars.export"

_EXTENDED = {"XNYS": ("04:00", "4:00"), "XTSE": ("08:00", "1:00"), "XLON": ("07:15", "0:45")}
"""Start of the pre-market and length of the post-market: of the US consolidated tape (CTA and UTP plans), of Toronto and
London as Yahoo's charts give them (meta.currentTradingPeriod). The other markets have none there."""

_CLOSES = {"CMES": ("17:00", "16:00")}
"""CME Globex stops for an hour at 16:00 Chicago (its published hours); exchange_calendars runs the days together."""

_SATURDAY = 5


def render(name: str) -> str:
    """The table's text: a head, then each day that is not as its weekday says."""
    import exchange_calendars  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - 1.3 s, here alone

    kind: Any = type(exchange_calendars.get_calendar(name))
    first = max(FIRST, kind.bound_min().date() if kind.bound_min() else FIRST)
    last = min(LAST, kind.bound_max().date() if kind.bound_max() else LAST)
    source: Any = exchange_calendars.get_calendar(name, start=first.isoformat(), end=last.isoformat())
    hours = dict(_hours(source, name))
    eras = list(_eras(hours, first))
    extended = [f"{key} {value}" for key, value in zip(("pre", "post"), _EXTENDED.get(name, ()), strict=False)]
    head = [
        f"# Sessions of {name}: weekdays, but for the exceptions below; times are local. Rendered from",
        f"# exchange_calendars {exchange_calendars.__version__} by stock_platform/calendars/export.py: do not edit.",
        f"zone {source.tz.key}",
        f"range {first} .. {last}",
        *extended,
        *(f"regular {day} {text}" for day, text in eras),
    ]
    return "\n".join([*head, *_exceptions(hours, eras, first, last)]) + "\n"


def _hours(source: Any, name: str) -> Iterator[tuple[date, str]]:
    """Day and its hours as the table writes them."""
    columns = (source.opens, source.closes, source.break_starts, source.break_ends)
    local = [column.dt.tz_convert(source.tz) for column in columns]
    before, after = _CLOSES.get(name, ("", ""))
    for label, *instants in zip(source.opens.index, *local, strict=True):
        texts = [f"{each:%H:%M}" if each == each else "" for each in instants]  # NaT != NaT
        opens, closes, break_start, break_end = texts
        closes = after if closes == before else closes
        lunch = f"{break_start} {break_end}-" if break_start else ""
        evening = "<" if instants[0].date() < label.date() else ""
        yield label.date(), f"{evening}{opens}-{lunch}{closes}"


def _eras(hours: dict[date, str], first: date) -> Iterator[tuple[date, str]]:
    """Since when which regular hours hold: where a year's commonest ones change, the day after the last with the old ones."""
    start, known = first, ""
    for year in sorted({day.year for day in hours}):
        commonest = Counter(text for day, text in hours.items() if day.year == year).most_common(1)[0][0]
        if commonest != known:
            start = max((day + timedelta(days=1) for day, text in hours.items() if text == known), default=first)
            known = commonest
            yield start, known


def _exceptions(hours: dict[date, str], eras: list[tuple[date, str]], first: date, last: date) -> Iterator[str]:
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        regular = next(text for start, text in reversed(eras) if start <= day)
        actual = hours.get(day, "closed")
        if actual != ("closed" if day.weekday() >= _SATURDAY else regular):
            yield f"{day} {actual}"


if __name__ == "__main__":
    for each in TABLES:
        (FOLDER / f"{each.lower()}.txt").write_text(render(each))
