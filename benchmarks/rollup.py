"""The aggregates of one session with a year of minutes in the table: seconds and memory, after 1, 6 and 12 months of 500 symbols.

49 million bars, 15 to 20 GB on disk. Each measurement is a process of its own, whose start and imports are not counted. What is to
be seen: time does not grow with history."""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks.harness import Figure, quantile
from benchmarks.history import MINUTES, add_session, opens, weekdays
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.aggregate_registry import EVERY_RUN
from stock_platform.defs.world import World
from stock_platform_tests.database import migrated_database

_SYMBOLS, _QUICK_SYMBOLS = 500, 50
_LAST = date(2026, 11, 20)
_SESSIONS_PER_MONTH = 21
_MONTHS, _QUICK_MONTHS = (1, 6, 12), (1,)
_DAYS = """
INSERT INTO aggregates.bar_1d (
    symbol, ts_start, ts_end, open, high, low, close, volume, tick_count, bar_count, session_date, dagster_run_id, ts_updated
)
SELECT
    symbol, min(ts_start), max(ts_end), min(open), max(high), min(low), max(close), sum(volume), 0, count(*), session_date, 'bench',
    now()
FROM market.bar_1m
WHERE session_date = %s
GROUP BY symbol, session_date
"""


def figures(*, is_quick: bool) -> list[Figure]:
    """bars, and for each length of history seconds_N_months and peak_mib_N_months."""
    months = _QUICK_MONTHS if is_quick else _MONTHS
    with tempfile.TemporaryDirectory(prefix="bench-rollup-") as folder, migrated_database(Path(folder)) as database:
        with connect(database.dsn("admin"), autocommit=True) as admin:
            return list(_measured(database, admin, months, symbols=_QUICK_SYMBOLS if is_quick else _SYMBOLS))


def _measured(database: Settings, admin: Connection, months: tuple[int, ...], *, symbols: int) -> Iterator[Figure]:
    """The newest session comes first; history grows behind it, into the past."""
    admin.execute(
        "INSERT INTO reference.instrument SELECT 'S' || n, 'S', 'Technology', 'USD', 'XNYS', 'yahoo' "
        "FROM generate_series(1, %s) AS n",
        (symbols,),
    )
    days = weekdays(_LAST, months[-1] * _SESSIONS_PER_MONTH)[::-1]
    there = 0
    for month in months:
        for day in days[there : month * _SESSIONS_PER_MONTH]:
            _add(admin, day)
        there = month * _SESSIONS_PER_MONTH
        admin.execute("VACUUM ANALYZE market.bar_1m")
        admin.execute("VACUUM ANALYZE aggregates.bar_1d")
        found = [_made_anew(database, admin) for _ in range(3)]
        yield Figure(f"seconds_{month}_months", round(quantile([seconds for seconds, _ in found], 0.5), 2), "s", 3)
        yield Figure(f"peak_mib_{month}_months", max(mib for _, mib in found), "MiB", 3)
    yield Figure("bars", there * symbols * MINUTES, "bars", 1)


def _add(admin: Connection, day: date) -> None:
    hours = (opens(day), opens(day).replace(hour=21, minute=0)) * 2
    admin.execute("INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (day, *hours))
    add_session(admin, day)
    admin.execute(_DAYS, (day,))


def _made_anew(database: Settings, admin: Connection) -> tuple[float, int]:
    """Nothing of the session is there: every row is computed, sent and written."""
    for aggregate in EVERY_RUN:
        admin.execute(f"DELETE FROM {aggregate.record.address} WHERE session_date = %s".encode(), (_LAST,))
    return _in_process(database)


def _in_process(database: Settings) -> tuple[float, int]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(rolled_up, (database,))


def rolled_up(database: Settings) -> tuple[float, int]:
    """Seconds for every aggregate of a gate run, made whole, and the process's largest memory, MiB."""
    started = time.perf_counter()
    list(refreshed(World(database, SystemClock()), "rollup", _LAST, EVERY_RUN))
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
