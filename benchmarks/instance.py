"""Size of Dagster's own storage over three simulated weeks of a market of 390 minutes, forgotten each night.

A gate run has as many events as on the live stack. Not here: what is forgotten (defs/retention)."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.harness import RESULTS, Figure
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dagster_storage import Ages, purge, sizes
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform_tests.dagster_history import a_day_passes, a_days_runs
from stock_platform_tests.dagster_instance import postgres_instance
from stock_platform_tests.database import migrated_database

_RUNS_A_DAY, _MESSAGES_A_RUN = 390, 140
_DAYS, _QUICK_DAYS = 21, 3
_FIRST = date(2026, 11, 2)


@dataclass(frozen=True)
class Day:
    """MiB of Dagster's tables and indexes at the end of a day: forgotten to the shipped ages, and as many times the first day's."""

    kept: float
    grown: float


def figures(*, is_quick: bool) -> list[Figure]:
    """mib_week, mib_last: at the end of the first week and of the last day; mib_unforgotten: as many first days."""
    with tempfile.TemporaryDirectory(prefix="bench-instance-") as folder, migrated_database(Path(folder)) as database:
        with postgres_instance(database) as instance, connect(database.dsn("dagster", "dagster"), autocommit=True) as storage:
            assert instance.run_storage, "its tables are there once the instance is"
            days: list[Day] = []
            for number in range(_QUICK_DAYS if is_quick else _DAYS):
                a_days_runs(instance, storage, f"{_FIRST + timedelta(days=number)}", runs=_RUNS_A_DAY, messages=_MESSAGES_A_RUN)
                a_day_passes(storage)
                _forget(storage, database)
                kept = _mib(storage)
                days.append(Day(kept, (days[0].kept if days else kept) * (number + 1)))
    if not is_quick:
        (RESULTS / "instance.svg").write_text(_plot(days))
    return list(_told(days))


def _forget(storage: Connection, settings: Settings) -> None:
    now = SystemClock().now()
    ages = (timedelta(days=days) for days in (settings.retention_gate_runs_days, settings.retention_runs_days))
    purge(storage, Ages(["certify_bars"], *(now - age for age in ages)))
    storage.execute("VACUUM ANALYZE")


def _mib(storage: Connection) -> float:
    return sum(each.byte_count for each in sizes(storage)) / 2**20


def _told(days: list[Day]) -> Iterator[Figure]:
    yield Figure("mib_week", round(days[min(7, len(days)) - 1].kept, 1), "MiB", 1)
    yield Figure("mib_last", round(days[-1].kept, 1), "MiB", len(days))
    yield Figure("mib_unforgotten", round(days[-1].grown, 1), "MiB", len(days))


def _plot(days: list[Day]) -> str:
    width, height, top = 800, 300, days[-1].grown * 1.1

    def line(name: str, colour: str) -> str:
        places = enumerate(getattr(day, name) for day in days)
        points = " ".join(
            f"{50 + width * number / (len(days) - 1):.0f},{20 + height * (1 - mib / top):.0f}" for number, mib in places
        )
        return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'

    texts = [
        f'<text x="50" y="15">Dagster\'s storage, MiB, over {len(days)} days of {_RUNS_A_DAY} gate runs</text>',
        f'<text x="5" y="30">{top:.0f}</text><text x="25" y="{height + 20}">0</text>',
        f'<text x="60" y="{height + 40}" fill="#2c6fbb">forgotten each night</text>',
        f'<text x="320" y="{height + 40}" fill="#c0392b">had nothing been forgotten</text>',
    ]
    body = "\n".join([line("grown", "#c0392b"), line("kept", "#2c6fbb"), *texts])
    frame = f'viewBox="0 0 {width + 70} {height + 50}" font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>\n{body}\n</svg>\n'
