"""Live: how long after a tick is produced the bar's row in Postgres holds it, at a steady rate.

A row holds the n-th tick of its symbol once the symbol's rows count n ticks; the table is asked every 20 ms."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from confluent_kafka import Producer

from benchmarks.harness import quantile
from benchmarks.race import Candidate, CandidateFailed, begin
from benchmarks.ticks import PARTITION_COUNT, message
from benchmarks.topic import empty, send
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import partition_of
from stock_platform.adapters.postgres import connect
from stock_platform_tests.integration.jvm import Cluster

SYMBOLS = tuple(f"S{n:04}" for n in range(100))
_CLOCK = SystemClock()
_EVERY = timedelta(milliseconds=20)
_PATIENCE = timedelta(seconds=30)
_WARM_UP_S = 5


def latencies_ms(cluster: Cluster, candidate: Candidate, *, per_s: int, seconds: int) -> list[float]:
    """Milliseconds of each tick after the warm-up, sorted.

    Raises:
        CandidateFailed: ticks never came into the table.
    """
    empty(cluster.bootstrap)
    produced: dict[str, list[datetime]] = {symbol: [] for symbol in SYMBOLS}
    try:
        begin(cluster, candidate)
        count = per_s * (_WARM_UP_S + seconds)
        producing = threading.Thread(target=_produce, args=(cluster.bootstrap, produced, per_s, count), daemon=True)
        producing.start()
        found = _watch(cluster, candidate, produced, count)
        producing.join(30)
    finally:
        candidate.stop()
    return sorted(found[per_s * _WARM_UP_S :])


def p50_p99(found: Sequence[float]) -> tuple[float, float]:
    """The two quantiles, in whole milliseconds."""
    return round(quantile(found, 0.5)), round(quantile(found, 0.99))


def _produce(bootstrap: str, produced: dict[str, list[datetime]], per_s: int, count: int) -> None:
    """One symbol after the other, evenly in time, each tick a hundred shares more; a symbol's time is noted before its tick."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "acks": "all", "compression.type": "lz4"})
    started = _CLOCK.now()
    for number in range(count):
        due = started + timedelta(seconds=number / per_s)
        now = _CLOCK.now()
        if due > now:
            producer.poll(0)
            _CLOCK.sleep(due - now)
        symbol = SYMBOLS[number % len(SYMBOLS)]
        day_volume = 100 * (number // len(SYMBOLS) + 1)
        ts = _CLOCK.now()
        ts_ms = int(ts.timestamp() * 1000)
        value = message(number, (symbol, ts_ms, Decimal("100.25"), 100, day_volume))
        produced[symbol].append(ts)
        send(producer, symbol, partition_of(symbol, PARTITION_COUNT), value, ts_ms=ts_ms)
    producer.flush(30)


def _watch(cluster: Cluster, candidate: Candidate, produced: dict[str, list[datetime]], count: int) -> list[float]:
    """Latencies in the order of arrival in the table."""
    found, shown, last = list[float](), dict.fromkeys(SYMBOLS, 0), _CLOCK.now()
    with connect(cluster.dsn(), autocommit=True) as connection:
        query = f"SELECT symbol, sum(tick_count)::bigint FROM {candidate.table} GROUP BY symbol".encode()
        while len(found) < count:
            rows, now = connection.execute(query).fetchall(), _CLOCK.now()
            for symbol, ticks in rows:
                fresh = produced[symbol][shown[symbol] : ticks]
                found += [1000 * (now - each).total_seconds() for each in fresh]
                last, shown[symbol] = (now if fresh else last), max(shown[symbol], ticks)
            if now - last > _PATIENCE:
                raise CandidateFailed(candidate.problem() or f"{count - len(found)} of {count} ticks are in no bar")
            _CLOCK.sleep(_EVERY)
    return found
