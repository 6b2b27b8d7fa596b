"""Service levels and latencies that never were, for the page's tests and pictures. Always the same for the same day and minute."""

from datetime import date, datetime, timedelta

from stock_platform.api.level_shapes import HopLatency, SessionLevel
from stock_platform.contracts.slo import Hop

SESSIONS = 30
COUNTED = 8970
"""23 symbols times 390 minutes."""
OBJECTIVE = 0.999
MISSED = {3: 14, 11: 21, 12: 4, 20: 2}
"""Minutes by sessions back."""
HOPS = {
    "event_to_received": 38.0,
    "received_to_flink": 4.2,
    "flink_to_staging": 310.0,
    "event_to_staging": 355.0,
    "closed_to_certified": 9_400.0,
    "event_to_certified": 41_000.0,
}
"""Median of each, milliseconds."""


def made_up_levels(today: date) -> list[SessionLevel]:
    """The last sessions of all calendars together, newest first."""
    return [_level(today - timedelta(days=back), MISSED.get(back, 0)) for back in range(SESSIONS)]


def _level(day: date, spent: int) -> SessionLevel:
    budget, month = COUNTED * (1 - OBJECTIVE), sum(MISSED.values())
    return SessionLevel(
        session_date=day,
        calendar="ALL",
        objective_ratio=OBJECTIVE,
        counted_minute_count=COUNTED,
        spent_minute_count=spent,
        good_ratio=1 - spent / COUNTED,
        burn_rate=spent / budget,
        session_30_count=SESSIONS,
        budget_30_minutes=SESSIONS * budget,
        spent_30_minute_count=month,
        budget_left_ratio=1 - month / (SESSIONS * budget),
    )


def made_up_latency(newest: datetime) -> list[HopLatency]:
    """The last hour, oldest first."""
    minutes = [newest - timedelta(minutes=back) for back in range(60, 0, -1)]
    return [_latency(minute, hop, median) for minute in minutes for hop, median in HOPS.items()]


def _latency(minute: datetime, hop: str, median: float) -> HopLatency:
    slow = 1 + minute.minute % 7 / 10
    return HopLatency(
        ts_minute=minute,
        hop=Hop(hop),
        observation_count=2600,
        p50_ms=median,
        p95_ms=median * 1.4,
        p99_ms=median * 1.9 * slow,
        max_ms=median * 3.1 * slow,
    )
