"""Every sensor, evaluated again and again while nothing happens: a Saturday, no bar, no gap, no line that should run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from stock_platform.adapters.clock import Clock
from stock_platform.config import Settings
from stock_platform.defs.world import World

SATURDAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
_STOCKS = """lines: {shards: 2, redundancy: 1}
instruments:
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: XOM, name: Exxon, sector: Energy, currency: USD, calendar: XNYS, provider: yahoo}
"""


class StoppedClock(Clock):
    """Time stands still, but for who sleeps."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        self._now += duration


@dataclass(frozen=True)
class Looked:
    """What a sensor's looks came to.

    Args:
        runs: Runs that it asked for; events: answers that it wrote after the first look.
        cursors: Different ones.
        reasons: Different ones.
    """

    sensor: str
    runs: int
    events: int
    cursors: frozenset[str | None]
    reasons: frozenset[str]


def idle_settings(settings: Settings, folder: Path, bootstrap: str) -> Settings:
    """A platform of two stocks on their weekend."""
    path = folder / "watchlist.yaml"
    path.write_text(_STOCKS)
    changes = {
        "feed_watchlist": path,
        "feed_kind": "simulator",
        "simulator_hours": "exchange",
        "kafka_port": int(bootstrap.rpartition(":")[2]),
        "flink_port": 1,
        "seed_daily_days": 0,
        "seed_minute_days": 0,
    }
    return settings.model_copy(update=changes)


def sensors_of(settings: Settings) -> list[dg.SensorDefinition]:
    """All that the definitions have."""
    from stock_platform.definitions import build  # some seconds, which a test of the clock alone need not pay

    found = build(settings).get_repository_def().sensor_defs
    return [each for each in found if isinstance(each, dg.SensorDefinition)]


def looked(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, settings: Settings, *, times: int) -> Looked:
    """Evaluate it as the daemon does, cursor handed on."""
    world, cursor = World(settings, StoppedClock(SATURDAY)), None
    runs, events, cursors, reasons = 0, 0, set[str | None](), set[str]()
    for time in range(times):
        with dg.build_sensor_context(instance=instance, resources={"world": world}, cursor=cursor) as context:
            done = sensor.evaluate_tick(context)
        runs += len(done.run_requests or ())
        events += len(done.asset_events) if time else 0
        cursor = done.cursor
        cursors.add(cursor)
        reasons.add(done.skip_message or "")
    return Looked(sensor.name, runs, events, frozenset(cursors), frozenset(reasons))
