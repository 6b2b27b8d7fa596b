"""How long the gate needs for one minute of 500 symbols: read, judged by every rule, promoted, in a real Postgres.

Each symbol has an hour of certified bars behind it, as on a running day. The import of Great Expectations is not counted: a gate
run pays it before its bars close."""

import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.harness import Figure, quantile
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.gate import judge as judging
from stock_platform_tests.database import migrated_database
from stock_platform_tests.staged import OPEN, empty_market, run_gate

_SYMBOLS = 500
_BEHIND = 60
_STAGED = (
    "symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first, day_volume_last, "
    "price_first, notional_inside, source, kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous"
)


def figures(*, is_quick: bool) -> list[Figure]:
    """batch_500_p50_s and batch_500_max_s."""
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder, migrated_database(Path(folder)) as database:
        seconds = sorted(_seconds(database, minutes=5 if is_quick else 30))
    return [
        Figure("batch_500_p50_s", round(quantile(seconds, 0.5), 2), "s", len(seconds)),
        Figure("batch_500_max_s", round(seconds[-1], 2), "s", len(seconds)),
    ]


def _seconds(database: Settings, *, minutes: int) -> Iterator[float]:
    judging.warm_up()
    with connect(database.dsn("admin"), autocommit=True) as admin:
        empty_market(admin)
        admin.execute(
            "INSERT INTO reference.instrument SELECT 'S' || n, 'S', 'Technology', 'USD', 'XNYS', 'yahoo', 0.0001 "
            "FROM generate_series(1, %s) AS n",
            (_SYMBOLS,),
        )
        for minute in range(_BEHIND):
            _stage(admin, minute)
        run_gate(database, "behind", until=OPEN + timedelta(minutes=_BEHIND))
        admin.execute("ANALYZE")
        for minute in range(_BEHIND, _BEHIND + minutes):
            _stage(admin, minute)
            started = time.perf_counter()
            done = run_gate(database, f"run-{minute}", until=OPEN + timedelta(minutes=minute + 1))
            yield time.perf_counter() - started
            assert done.inserted == _SYMBOLS, done


def _stage(admin: Connection, minute: int) -> None:
    """One minute of every symbol; its price walks by a cent or two."""
    start = OPEN + timedelta(minutes=minute)
    price = Decimal(100) + Decimal(minute % 7) / 100
    admin.execute(
        f"INSERT INTO staging.bar_1m ({_STAGED}) "
        "SELECT 'S' || n, %(start)s, %(end)s, %(price)s, %(price)s + 0.02, %(price)s - 0.02, %(price)s + 0.01, 40, %(start)s, "
        "%(end)s - interval '1 second', %(before)s + 1, %(before)s + 4000, %(price)s, 3999 * %(price)s, 'tape', 0, 1, 40, 'job', "
        "TRUE FROM generate_series(1, %(symbols)s) AS n",
        {
            "start": start,
            "end": start + timedelta(minutes=1),
            "price": price,
            "before": 4000 * minute,
            "symbols": _SYMBOLS,
        },
    )
