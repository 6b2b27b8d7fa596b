"""Partitions of everything that is kept by trading day (docs/decisions/0022-partitions-are-trading-days.md)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

import dagster as dg

from stock_platform.calendars import calendar
from stock_platform.calendars.continuous import ContinuousCalendar


def session_partitions(
    first: date, last: date | None = None, *, calendars: Iterable[str] = ("24/7",)
) -> dg.TimeWindowPartitionsDefinition:
    """One partition per day on which some watched market trades, up to tomorrow: a tape played as live may be faster than life.

    Weekends and holidays on which all are closed are none; with a market that never closes every day is one.

    Args:
        last: Last session of a tape; None for markets that go on.
        calendars: Of what is watched.
    """
    return dg.TimeWindowPartitionsDefinition(
        start=first.isoformat(),
        end=(last + timedelta(days=1)).isoformat() if last else None,
        fmt="%Y-%m-%d",
        cron_schedule="0 0 * * *",
        timezone="UTC",
        exclusions=_exclusions(first, closed_days(first, calendars)) or None,
        end_offset=0 if last else 2,
    )


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Run tags of the sessions from the first to the last of these, which are in order."""
    return {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}


def closed_days(first: date, calendars: Iterable[str]) -> list[date]:
    """Days from the first one on, as far as all calendars reach, on which none of them has a session."""
    names = set(calendars)
    if ContinuousCalendar.name in names:
        return []
    watched = [calendar(name) for name in names]
    end = min(each.horizon for each in watched)
    traded = {session.session_date for each in watched for session in each.sessions(first, end)}
    days = (first + timedelta(days=number) for number in range((end - first).days))
    return [day for day in days if day not in traded]


def _exclusions(first: date, closed: list[date]) -> list[str | datetime]:
    """Days of the week that are always closed as one rule each, as Dagster compares dates one by one; then the other days."""
    if not closed:
        return []
    until = (closed[-1] - first).days
    open_days = {first + timedelta(days=number) for number in range(until)} - set(closed)
    always = set(range(1, 8)) - {day.isoweekday() for day in open_days}
    dates = [datetime.combine(day, time()) for day in closed if day.isoweekday() not in always]
    return [*(f"0 0 * * {day % 7}" for day in sorted(always)), *dates]
