"""Open gaps that one run repairs together: what no line heard in one stretch of time, or what was not made of a session's ticks.

Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from stock_platform.contracts.gap import GapClass
from stock_platform.market.gaps.rows import Row

REPAIRED_CLASSES = (GapClass.FEED_GAP, GapClass.PIPELINE_GAP)
"""Of all other classes there is nothing to repair."""


@dataclass(frozen=True)
class Outage:
    """Rows of one session and class.

    Args:
        rows: At least one, by time and symbol.
    """

    session_date: date
    gap_class: GapClass
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The same as long as its first minute is open."""
        return f"{self.session_date} {self.gap_class} {self.ts_start:%Y-%m-%dT%H:%MZ}"

    @property
    def ts_start(self) -> datetime:
        """First missing minute."""
        return self.rows[0].ts_start

    @property
    def ts_end(self) -> datetime:
        """End of the last missing minute."""
        return max(row.ts_end for row in self.rows)

    @property
    def ts_known(self) -> datetime:
        """Since when all of it is known."""
        return max(self.ts_end, *(row.ts_found for row in self.rows))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Whose minutes are missing."""
        return tuple(sorted({row.symbol for row in self.rows}))

    def __str__(self) -> str:
        count = len(self.symbols)
        whose = self.symbols[0] if count == 1 else f"{count} symbols"
        return f"{self.gap_class} of {whose}, {self.ts_start:%Y-%m-%d %H:%M}Z to {self.ts_end:%H:%M}Z"


def outages(rows: Iterable[Row]) -> list[Outage]:
    """Outages among open rows, the earliest first: a session is restated from its ticks at once, unheard stretches one by one."""
    by_session: dict[tuple[date, GapClass], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.ts_start, row.symbol)):
        if row.gap_class in REPAIRED_CLASSES:
            by_session[row.session_date, row.gap_class].append(row)
    found = [
        Outage(day, kind, tuple(part))
        for (day, kind), each in by_session.items()
        for part in (_overlapping(each) if kind is GapClass.FEED_GAP else [each])
    ]
    return sorted(found, key=lambda outage: outage.ts_start)


def _overlapping(rows: list[Row]) -> list[list[Row]]:
    """Rows by time, parted where no row goes on; those that only touch each other are one stretch."""
    parts: list[list[Row]] = []
    for row in rows:
        if parts and row.ts_start <= max(each.ts_end for each in parts[-1]):
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts
