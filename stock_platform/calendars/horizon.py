"""How long the tables still last: a warning in time, an error before the guesses begin. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from stock_platform.calendars.lookup import calendar

WARN_WITHIN = timedelta(days=60)
"""Exchanges publish the coming year's holidays in autumn; a new exchange_calendars follows within weeks."""
ERROR_WITHIN = timedelta(days=7)
REMEDY = "upgrade exchange-calendars in pyproject.toml, then run `.venv/bin/python -m stock_platform.calendars.export`"


@dataclass(frozen=True)
class EndingTable:
    """A calendar whose table ends soon, or has ended."""

    name: str
    horizon: date
    days_left: int

    @property
    def is_urgent(self) -> bool:
        """Whether hours are assumed now, or will be within days."""
        return self.days_left < ERROR_WITHIN.days

    def __str__(self) -> str:
        end = "ended with" if self.days_left < 0 else "ends with"
        hours = "hours are assumed: " if self.days_left < 0 else ""
        return f"{hours}calendar {self.name} {end} {self.horizon}, {self.days_left} days from now; {REMEDY}"


def ending_tables(names: Iterable[str], today: date) -> list[EndingTable]:
    """Calendars among the names that are known for less than two months, the most urgent first."""
    found = [EndingTable(name, horizon, (horizon - today).days) for name in names for horizon in [calendar(name).horizon]]
    return sorted((each for each in found if each.days_left < WARN_WITHIN.days), key=lambda each: (each.days_left, each.name))
