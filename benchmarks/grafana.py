"""How long each query of the dashboards takes, as grafana_reader, over thirty symbols and thirty sessions.

The time range is the one that a dashboard opens with, at the end of the newest session. No query is repeated at once: each is asked
in turn, round by round, as a dashboard does."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.harness import Figure
from stock_platform.adapters.postgres import Connection, connect
from stock_platform_tests import generated
from stock_platform_tests.database import migrated_database
from stock_platform_tests.grafana import Query, queries, sent

_SYMBOLS = ("S00", "S01", "S02")
_GOAL_MS = 100
_WIDE = timedelta(days=42)
"""Thirty sessions."""


def figures(*, is_quick: bool) -> list[Figure]:
    """Medians of the slowest and of the middle query, the longest that any took, and the slowest when 30 sessions are looked at."""
    rounds, sessions = (2, 5) if is_quick else (10, 30)
    with tempfile.TemporaryDirectory() as home, migrated_database(Path(home)) as settings:
        with connect(settings.dsn("admin")) as connection:
            generated.fill(connection, sessions=sessions)
        with connect(settings.dsn("admin"), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        with connect(settings.dsn("grafana_reader"), autocommit=True) as connection:
            taken = _measure(connection, queries(), rounds)
            wide = _measure(connection, [replace(query, since=max(query.since, _WIDE)) for query in queries()], rounds)
    middle = {query: median(each) for query, each in taken.items()}
    slowest = max(middle, key=lambda query: middle[query])
    slowest_wide = max(wide, key=lambda query: median(wide[query]))
    return [
        Figure("queries", len(taken), "", rounds),
        Figure("slowest_query_p50_ms", round(middle[slowest], 1), "ms", rounds, note=str(slowest)),
        Figure("middle_query_p50_ms", round(median(middle.values()), 1), "ms", rounds),
        Figure("longest_ms", round(max(map(max, taken.values())), 1), "ms", rounds * len(taken)),
        Figure("slower_than_100_ms", sum(each > _GOAL_MS for each in middle.values()), "", len(middle)),
        Figure("slowest_of_30_sessions_p50_ms", round(median(wide[slowest_wide]), 1), "ms", rounds, note=str(slowest_wide)),
    ]


def _measure(connection: Connection, asking: Sequence[Query], rounds: int) -> dict[Query, list[float]]:
    asked = {query: sent(query, end=generated.END, symbols=_SYMBOLS) for query in asking}
    times: dict[Query, list[float]] = {query: [] for query in asked}
    for _ in range(rounds):
        for query, sql in asked.items():
            begun = time.perf_counter()
            connection.execute(sql.encode()).fetchall()
            times[query].append(1000 * (time.perf_counter() - begun))
    return times
