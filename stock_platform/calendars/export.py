"""Renders a calendar's table from exchange_calendars: `python -m stock_platform.calendars.export XNYS > xnys.txt`.

The only importer of exchange_calendars. A test compares the committed tables with it; run it again each year, when
the exchange has published its coming holidays."""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

FIRST, LAST = date(1990, 1, 1), date(2035, 12, 31)


def render(name: str) -> str:
    """The table's text: a head, then each weekday that is not a regular one."""
    import exchange_calendars  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - 1.3 s, here alone

    source: Any = exchange_calendars.get_calendar(name, start=FIRST.isoformat(), end=LAST.isoformat())
    opens, closes = (column.dt.tz_convert(source.tz) for column in (source.opens, source.closes))
    hours = {
        label.date(): f"{ts_open:%H:%M}-{ts_close:%H:%M}"
        for label, ts_open, ts_close in zip(opens.index, opens, closes, strict=True)
    }
    regular = max(set(hours.values()), key=list(hours.values()).count)
    head = [
        f"# Sessions of {name}: weekdays, but for the exceptions below; times are local. Rendered from",
        f"# exchange_calendars {exchange_calendars.__version__} by stock_platform/calendars/export.py: do not edit.",
        f"zone {source.tz.key}",
        f"range {FIRST} .. {LAST}",
        f"regular {regular}",
    ]
    return "\n".join([*head, *_exceptions(hours, regular)]) + "\n"


def _exceptions(hours: dict[date, str], regular: str) -> Iterator[str]:
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        expected = "closed" if day.weekday() >= 5 else regular
        actual = hours.get(day, "closed")
        if actual != expected:
            yield f"{day} {actual}"


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1]))
