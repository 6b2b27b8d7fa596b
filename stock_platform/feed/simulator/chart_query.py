"""What a chart is asked for, and the limits that Yahoo sets. Not here: the answer (chart)."""

from calendar import monthrange
from datetime import datetime, timedelta
from typing import NamedTuple

from stock_platform.calendars import Calendar
from stock_platform.feed.simulator.updates import instant, second_of

DAY = timedelta(days=1)
RANGES = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")
_MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120, "max": 240}
_MINUTES = {"1m": 1, "2m": 2, "5m": 5, "15m": 15, "30m": 30, "60m": 60, "1h": 60, "90m": 90}
INTERVALS = (*_MINUTES, "1d")
_DAYS_BACK = {"1m": 30, "60m": 730, "1h": 730}
_DAYS_BACK_OTHERS = 60
_DAYS_OF_MINUTES = 8
"""Source of the limits: Yahoo's own sentences in its answers with status 422."""


class ChartRefused(Exception):
    """Yahoo's no, in its own words. Not a PlatformError: it travels to the client, as Yahoo's answer."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code = code


class Span(NamedTuple):
    """Seconds of the epoch, [start, end), and the bars' length."""

    start: int
    end: int
    interval: str

    @property
    def minutes(self) -> int | None:
        """Minutes of a bar; None for daily ones."""
        return _MINUTES.get(self.interval)


def span_of(
    calendar: Calendar, *, now: int, range_name: str | None, period1: int | None, period2: int | None, interval: str
) -> Span:
    """What is asked for.

    Raises:
        ChartRefused: Yahoo would not answer.
    """
    if interval not in INTERVALS:
        raise _refused(f"Invalid input - interval={interval} is not supported. Valid intervals: [{', '.join(INTERVALS)}]")
    if period1 is not None or period2 is not None:
        end = now if period2 is None else period2
        span = Span(end - 30 * 86_400 if period1 is None else period1, end, interval)
    else:
        span = Span(_range_start(calendar, instant(now), range_name or "1d"), now + 1, interval)
    if span.start > span.end:
        raise ChartRefused(400, "Bad Request", "Invalid input - start date cannot be after end date.")
    _check(span, now)
    return span


def _check(span: Span, now: int) -> None:
    asked = f"{span.interval} data not available for startTime={span.start} and endTime={span.end}."
    if span.interval == "1m" and span.end - span.start > _DAYS_OF_MINUTES * 86_400:
        limit = f"Only {_DAYS_OF_MINUTES} days worth of 1m granularity data are allowed to be fetched per request."
        raise _refused(f"{asked} {limit}")
    days = _DAYS_BACK.get(span.interval, _DAYS_BACK_OTHERS)
    if span.minutes and span.start < now - days * 86_400:
        raise _refused(f"{asked} The requested range must be within the last {days} days.")


def _refused(description: str) -> ChartRefused:
    return ChartRefused(422, "Unprocessable Entity", description)


def _range_start(calendar: Calendar, now: datetime, name: str) -> int:
    """1d and 5d count sessions, longer ranges count the calendar."""
    if name.endswith("d") and name[:-1].isdigit():
        latest = calendar.session_latest(now).session_date
        count = max(1, int(name[:-1]))
        return second_of(calendar.sessions(latest - (count + 12) * 2 * DAY, latest + DAY)[-count].ts_pre)
    if name == "ytd":
        return second_of(now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0))
    if name not in _MONTHS:
        raise _refused(f'Invalid input - range={name} is not supported. Valid ranges: ["{", ".join(RANGES)}"]')
    return second_of(_months_before(now, _MONTHS[name]).replace(hour=0, minute=0, second=0, microsecond=0))


def _months_before(ts: datetime, count: int) -> datetime:
    """The same day of an earlier month, or the last one that it has."""
    year, month = divmod(ts.year * 12 + ts.month - 1 - count, 12)
    return ts.replace(year=year, month=month + 1, day=min(ts.day, monthrange(year, month + 1)[1]))
