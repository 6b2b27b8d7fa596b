"""Partitions of everything that is kept by trading day."""

from datetime import date, timedelta

import dagster as dg


def session_partitions(first: date, last: date | None = None) -> dg.DailyPartitionsDefinition:
    """One partition per day on which some watched market trades: with 24/7 instruments that is every day, up to tomorrow:
    for a tape that is played as live, faster than life.

    Args:
        last: Last session of a tape; None for markets that go on."""
    end = (last + timedelta(days=1)).isoformat() if last else None
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), end_date=end, timezone="UTC", end_offset=0 if last else 2)
