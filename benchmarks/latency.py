"""How fresh quotes and rows are, at 50 and at 2,000 ticks a second of 500 symbols, and what the sinks' flush interval costs.

The whole job of flink/sql on real Kafka, Flink and Postgres; the load and its watchers share the machine's cores with them.
Not here: the load (load). Rates are the platform's: a watchlist of 30, and ten lines of 50 symbols at four ticks a second each."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks import load
from benchmarks.flink_job import FlinkJob, values
from benchmarks.harness import Figure, quantile
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.flink_script import STREAM, fill_script
from stock_platform.config import ROOT
from stock_platform_tests.integration.jvm import Cluster, Server

FLUSH_MS = (20, 50, 100, 200)
_OWNED = ("staging.bar_1m", "market.quote")
_INTERVAL = re.compile(r"('sink\.buffer-flush\.interval' = )'[^']*'")
_CLOCK = SystemClock()


@dataclass(frozen=True)
class Cost:
    """What a stretch of time cost.

    Args:
        rows: Written to Postgres.
        wal_bytes: Of its write-ahead log.
        cpu_s: By server.
    """

    rows: int
    wal_bytes: int
    cpu_s: dict[str, float]


def figures(*, is_quick: bool) -> list[Figure]:
    """The job as it is at both rates, then at 2,000 a second with other flush intervals."""
    warm_up, lasting = (timedelta(seconds=s) for s in ((10, 10) if is_quick else (20, 60)))
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder), parallelism=2) as cluster:
        with _running(cluster, "as_it_is", script(cluster)):
            for per_s in (50, 2_000):
                seen, _ = measure(cluster, per_s=per_s, warm_up=warm_up, lasting=lasting)
                found += _fresh(seen, per_s)
        for flush_ms in () if is_quick else FLUSH_MS:
            with _running(cluster, f"flush_{flush_ms}", script(cluster, flush_ms=flush_ms)):
                seen, cost = measure(cluster, per_s=2_000, warm_up=warm_up, lasting=lasting / 2)
                found += _priced(flush_ms, seen, cost, (lasting / 2).total_seconds())
    return found


def script(cluster: Cluster, *, flush_ms: int | None = None) -> str:
    """The streaming job, as it is or with another flush interval."""
    text = fill_script(ROOT / "flink" / "sql", STREAM, values(cluster) | {"PARALLELISM": str(cluster.parallelism)})
    return text if flush_ms is None else _INTERVAL.sub(rf"\1'{flush_ms} ms'", text)


def measure(cluster: Cluster, *, per_s: int, warm_up: timedelta, lasting: timedelta) -> tuple[load.Seen, Cost]:
    """One load, and what its measured part cost."""
    running = load.run(cluster.bootstrap, cluster.dsn(), per_s=per_s, warm_up=warm_up, lasting=lasting)
    window = next(running)
    assert isinstance(window, load.Window)
    _CLOCK.sleep(window.measured - _CLOCK.now())
    before = _spent(cluster)
    _CLOCK.sleep(window.end - _CLOCK.now())
    after = _spent(cluster)
    seen = next(running)
    assert isinstance(seen, load.Seen)
    used = {name: after.cpu_s[name] - before.cpu_s[name] for name in before.cpu_s}
    return seen, Cost(after.rows - before.rows, after.wal_bytes - before.wal_bytes, used)


@contextmanager
def _running(cluster: Cluster, name: str, text: str) -> Iterator[None]:
    job = FlinkJob(cluster, name, script=text, table="", bars="", owned=_OWNED)
    job.start()
    try:
        yield
    finally:
        job.stop()


def _fresh(seen: load.Seen, per_s: int) -> list[Figure]:
    figures = [
        Figure(f"lost_{per_s}", seen.lost_count, "ticks", len(seen.quotes), must_be=0),
        *_quantiles("quotes", seen.quotes, per_s),
    ]
    figures += _quantiles("row", seen.rows["quote"], per_s)
    return [*figures, *_quantiles("bar_row", seen.rows["bar"], per_s)]


def _quantiles(name: str, found: list[float], per_s: int) -> list[Figure]:
    return [Figure(f"{name}_p{n}_ms_{per_s}", round(quantile(found, n / 100)), "ms", len(found)) for n in (50, 99)]


def _priced(flush_ms: int, seen: load.Seen, cost: Cost, seconds: float) -> list[Figure]:
    name, count = f"flush_{flush_ms}", len(seen.rows["quote"])
    return [
        *(Figure(f"{name}_row_p{n}_ms", round(quantile(seen.rows["quote"], n / 100)), "ms", count) for n in (50, 99)),
        *(Figure(f"{name}_bar_row_p{n}_ms", round(quantile(seen.rows["bar"], n / 100)), "ms", count) for n in (50, 99)),
        Figure(f"{name}_quotes_p99_ms", round(quantile(seen.quotes, 0.99)), "ms", len(seen.quotes)),
        Figure(f"{name}_rows_per_s", round(cost.rows / seconds), "rows/s", cost.rows),
        Figure(f"{name}_wal_kib_per_s", round(cost.wal_bytes / 1024 / seconds), "KiB/s", cost.rows),
        *(Figure(f"{name}_{server}_cpu", round(used / seconds, 3), "cores", 1) for server, used in cost.cpu_s.items()),
    ]


def _spent(cluster: Cluster) -> Cost:
    """Since the servers began."""
    query = (
        "SELECT (SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables WHERE relname IN ('bar_1m', 'quote')), "
        "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
    )
    ((rows, wal),) = cluster.read_rows(query)
    servers = (cluster.taskmanager, cluster.kafka, cluster.postgres)
    return Cost(int(rows), int(wal), {server.name: _cpu_s(server) for server in servers})


def _cpu_s(server: Server) -> float:
    """Of the process and its children: Postgres writes in one a connection."""
    assert server.process is not None
    first = psutil.Process(server.process.pid)
    times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
    return sum(each.user + each.system for each in times)
