"""A backfill of every aggregate on a running stack, asked for by Dagster's own mutation: seconds, and whether twice is the same.

30 symbols, 20 sessions. The tables are held against what the functions give of the same bars. Not here: the command
(commands/backfill)."""

import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.harness import Figure
from benchmarks.history import add_session, all_days, weekdays, write_watchlist
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.dagster_backfill import Backfill, launch_backfill, look
from stock_platform.adapters.postgres import connect
from stock_platform.commands.backfill import AGGREGATES
from stock_platform.errors.restatement import RunNotGranted
from stock_platform_tests.recomputed import wrong_rows
from stock_platform_tests.running_stack import RunningStack, running_stack

_SYMBOLS, _SESSIONS, _QUICK_SESSIONS = 30, 20, 2
_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Done:
    """One backfill.

    Args:
        seconds: From the mutation to its end as Dagster tells it.
        runs: Ids of its runs.
    """

    seconds: float
    runs: tuple[str, ...]


def figures(*, is_quick: bool) -> list[Figure]:
    """seconds, runs, wrong_rows, second_seconds, second_changed_rows."""
    clock = SystemClock()
    days = weekdays(clock.now().date() - timedelta(days=1), _QUICK_SESSIONS if is_quick else _SESSIONS)
    with tempfile.TemporaryDirectory(prefix="bench-backfill-") as folder:
        watchlist = Path(folder) / "watchlist.yaml"
        write_watchlist(watchlist, [f"B{number:02d}" for number in range(_SYMBOLS)])
        with running_stack(Path(folder) / "data", "--feed", "simulator", "--watchlist", str(watchlist)) as stack:
            with connect(stack.settings.dsn("admin"), autocommit=True) as admin:
                for day in days:
                    add_session(admin, day)
                admin.execute("ANALYZE")
            first = _backfilled(stack, days)
            wrong = sum(wrong_rows(stack, day) for day in days)
            before = _rows(stack, days)
            second = _backfilled(stack, days)
            changed = len(before ^ _rows(stack, days))
    return [
        Figure("seconds", round(first.seconds, 1), "s", len(days)),
        Figure("runs", len(first.runs), "", 1, must_be=1),
        Figure("wrong_rows", wrong, "rows", len(days), must_be=0),
        Figure("second_seconds", round(second.seconds, 1), "s", len(days)),
        Figure("second_changed_rows", changed, "rows", len(days), must_be=0),
    ]


def _backfilled(stack: RunningStack, days: list[date]) -> Done:
    address, clock, started = stack.settings.dagster_address, SystemClock(), time.perf_counter()
    backfill_id = launch_backfill(address, AGGREGATES, [day.isoformat() for day in all_days(days)], config={}, tags={})
    seen: list[Backfill] = []

    def has_ended() -> bool:
        with suppress(RunNotGranted):  # a busy webserver is asked again
            seen.append(look(address, backfill_id))
        return bool(seen) and seen[-1].has_ended

    assert wait_until(has_ended, clock, within=_WITHIN, every=timedelta(seconds=1)), seen[-1:]
    took = time.perf_counter() - started
    assert seen[-1].is_done, seen[-1]
    return Done(took, seen[-1].runs)


def _rows(stack: RunningStack, days: list[date]) -> set[tuple[str, str, str]]:
    """Every row of the sessions, whole, with its table and the transaction that wrote it."""
    of_days = ", ".join(f"'{day}'" for day in days)
    return {
        (table, text, transaction)
        for table in AGGREGATES
        for text, transaction in stack.frame(
            f"SELECT row::text, row.xmin::text AS transaction FROM {table} AS row WHERE row.session_date IN ({of_days})"
        ).iter_rows()
    }
