"""What a gate run's aggregates cost in the last minute of a session: CPU of the run's process and of Postgres.

One more bar of every symbol, with a whole session and 250 days behind it. The start of a process is not counted. Not here: the
gate itself (gate_batch)."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psutil

from benchmarks.harness import Figure
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.aggregate import aggregate_assets
from stock_platform.defs.certify import GATE
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform_tests.database import migrated_database
from stock_platform_tests.staged import CLOSE, DAY, OPEN

_LAST = 389
"""Last minute of the session."""
_BARS = """
INSERT INTO market.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source,
    kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict,
    dagster_run_id, ts_accepted
)
SELECT
    'S' || symbol, start, start + interval '1 minute', price, price + 0.05, price - 0.05, price + 0.01, 1000 + minute, price, 40,
    start, start, 'tape', 0, 1, 40, 'job', TRUE, %(day)s, 1, 'passed', 'run', start
FROM generate_series(1, %(symbols)s) AS symbol
CROSS JOIN generate_series(%(first)s::int, %(last)s::int) AS minute
CROSS JOIN LATERAL (
    SELECT %(open)s + minute * interval '1 minute' AS start, 100 + (symbol * 7 + minute * 13) %% 50 / 100.0 AS price
) AS made
"""
_DAYS = """
INSERT INTO staging.vendor_bar_1d (
    symbol, ts_start, open, high, low, close, volume, session_date, currency, source, response_path, ts_recv
)
SELECT
    'S' || symbol, %(open)s - day * interval '1 day', 100, 101, 99, 100 + (symbol * 7 + day * 13) %% 50 / 100.0, 1000000,
    %(day)s - day, 'USD', 'yahoo', 'x', %(open)s
FROM generate_series(1, %(symbols)s) AS symbol
CROSS JOIN generate_series(1, 250) AS day
"""


def figures(*, is_quick: bool) -> list[Figure]:
    """touched_N_cpu_s and whole_N_cpu_s: a gate run's, and those of a run that makes everything anew."""
    return [figure for symbols in ((30,) if is_quick else (30, 500)) for figure in _of(symbols)]


def _of(symbols: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-refresh-") as folder, migrated_database(Path(folder)) as database:
        world = World(database, SystemClock())
        with connect(database.dsn("admin"), autocommit=True) as admin:
            _fill(admin, symbols)
            whole = _cpu_s(database, lambda: _run(world, {}))
            touched = _cpu_s(database, lambda: _run(world, {GATE: "1"}), before=lambda: _bars(admin, symbols, _LAST, _LAST))
    return [Figure(f"whole_{symbols}_cpu_s", whole, "s", 3), Figure(f"touched_{symbols}_cpu_s", touched, "s", 3)]


def _run(world: World, tags: dict[str, str]) -> None:
    """Both steps that each gate run has, without what launches it."""
    steps = aggregate_assets(session_partitions(DAY))[:2]
    resource = dg.ResourceDefinition.hardcoded_resource(world)
    dg.materialize(steps, partition_key=DAY.isoformat(), tags=tags, resources={"world": resource})


def _fill(admin: Connection, symbols: int) -> None:
    admin.execute(
        "INSERT INTO reference.instrument SELECT 'S' || n, 'S', 'Technology', 'USD', 'XNYS', 'yahoo' "
        "FROM generate_series(1, %s) AS n",
        (symbols,),
    )
    admin.execute(
        "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (DAY, OPEN, CLOSE, OPEN, CLOSE)
    )
    admin.execute(_DAYS, {"symbols": symbols, "day": DAY, "open": OPEN})
    _bars(admin, symbols, 0, _LAST)
    admin.execute("ANALYZE")


def _bars(admin: Connection, symbols: int, first: int, last: int) -> None:
    """Minutes [first, last] of every symbol, again where they are there."""
    admin.execute("DELETE FROM market.bar_1m WHERE ts_start >= %s + %s::int * interval '1 minute'", (OPEN, first))
    admin.execute(_BARS, {"symbols": symbols, "first": first, "last": last, "day": DAY, "open": OPEN})


def _cpu_s(database: Settings, run: Callable[[], None], *, before: Callable[[], None] = lambda: None) -> float:
    """The least of three, own and Postgres's; the first call pays for what is only done once."""
    run()
    return round(min(_once(database, run, before) for _ in range(3)), 2)


def _once(database: Settings, run: Callable[[], None], before: Callable[[], None]) -> float:
    before()
    server, own = _server_s(database), time.process_time()
    run()
    return time.process_time() - own + _server_s(database) - server


def _server_s(database: Settings) -> float:
    """CPU seconds of Postgres and all its processes, also of those that have ended."""
    postmaster = psutil.Process(int((database.data_dir / "data" / "postmaster.pid").read_text().split()[0]))
    times = postmaster.cpu_times()
    living = sum(sum(child.cpu_times()[:2]) for child in postmaster.children())
    return times.user + times.system + times.children_user + times.children_system + living
