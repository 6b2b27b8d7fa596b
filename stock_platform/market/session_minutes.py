"""Minutes as whole numbers since the epoch, UTC, and those in which a session's market is open. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stock_platform.contracts.epoch import EPOCH

Minute = int
"""[60 m, 60 m + 60) seconds since the epoch."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Hours:
    """Regular hours [opens, closes) of one session without the break; both are on whole minutes on every exchange."""

    opens: Minute
    closes: Minute
    break_start: Minute | None = None
    break_end: Minute | None = None

    def minutes(self, *, since: Minute, until: Minute) -> list[Minute]:
        """Minutes of [since, until) in which the market is open, in order."""
        first, end = max(self.opens, since), min(self.closes, until)
        if self.break_start is None or self.break_end is None:
            return list(range(first, end))
        return [*range(first, min(end, self.break_start)), *range(max(first, self.break_end), end)]


def minute_of(ts: datetime) -> Minute:
    """The minute that holds the instant."""
    return (ts - EPOCH) // _MINUTE


def instant_of(minute: Minute) -> datetime:
    """Start of the minute."""
    return EPOCH + minute * _MINUTE


def touched(ts_start: datetime, ts_end: datetime) -> range:
    """Minutes that share some time with [ts_start, ts_end)."""
    return range(minute_of(ts_start), -((EPOCH - ts_end) // _MINUTE))


def stretches(minutes: Iterable[Minute]) -> list[range]:
    """Maximal runs of consecutive minutes, in order."""
    found: list[range] = []
    for minute in sorted(minutes):
        if found and found[-1].stop == minute:
            found[-1] = range(found[-1].start, minute + 1)
        else:
            found.append(range(minute, minute + 1))
    return found
