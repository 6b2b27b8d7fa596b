"""Size of Dagster's own storage over three simulated weeks of a market of 390 minutes, forgotten each night.

A gate run has as many events as on the live stack. Not here: what is forgotten (defs/retention)."""

import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from benchmarks.harness import RESULTS, Figure
from benchmarks.plot import Line, plot
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dagster_storage import purge, sizes
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.retention import ages_of
from stock_platform_tests.dagster_history import a_day_passes, a_days_runs
from stock_platform_tests.dagster_instance import postgres_instance
from stock_platform_tests.database import migrated_database

_RUNS_A_DAY, _MESSAGES_A_RUN = 390, 140
_DAYS, _QUICK_DAYS = 21, 3
_FIRST = date(2026, 11, 2)


def figures(*, is_quick: bool) -> list[Figure]:
    """mib_week, mib_last: at the end of the first week and of the last day; mib_unforgotten: as many first days."""
    with tempfile.TemporaryDirectory(prefix="bench-instance-") as folder, migrated_database(Path(folder)) as database:
        with postgres_instance(database) as instance, connect(database.dsn("dagster", "dagster"), autocommit=True) as storage:
            assert instance.run_storage, "its tables are there once the instance is"
            days: list[float] = []
            for number in range(_QUICK_DAYS if is_quick else _DAYS):
                a_days_runs(instance, storage, f"{_FIRST + timedelta(days=number)}", runs=_RUNS_A_DAY, messages=_MESSAGES_A_RUN)
                a_day_passes(storage)
                _forget(storage, database)
                days.append(_mib(storage))
    if not is_quick:
        (RESULTS / "instance.svg").write_text(_drawn(days))
    return list(_told(days))


def _forget(storage: Connection, settings: Settings) -> None:
    purge(storage, ages_of(settings, SystemClock().now()))
    storage.execute("VACUUM ANALYZE")


def _mib(storage: Connection) -> float:
    return sum(each.byte_count for each in sizes(storage)) / 2**20


def _told(days: list[float]) -> Iterator[Figure]:
    yield Figure("mib_week", round(days[min(7, len(days)) - 1], 1), "MiB", 1)
    yield Figure("mib_last", round(days[-1], 1), "MiB", len(days))
    yield Figure("mib_unforgotten", round(days[0] * len(days), 1), "MiB", len(days))


def _drawn(days: list[float]) -> str:
    title = f"Dagster's storage, MiB, over {len(days)} days of {_RUNS_A_DAY} gate runs"
    grown = Line("had nothing been forgotten", "#c0392b", [(number, days[0] * (number + 1)) for number in range(len(days))])
    return plot(title, [grown, Line("forgotten each night", "#2c6fbb", list(enumerate(days)))])
