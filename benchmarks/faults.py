"""kill -9 of TaskManager, JobManager, Kafka and Postgres at random moments of a stream: are the bars right, how soon again?

The harness stands in for the process manager (starts at once what is gone) and for Dagster's supervisor, which looks every few
seconds (asks the platform's own function for the job when Flink knows of none). Truth: recomputed in plain Python from what Kafka
holds, by the tests' own helpers."""

import contextlib
import json
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import httpx
import psycopg
from confluent_kafka import Producer

from benchmarks.harness import Figure, quantile
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.errors import PlatformError
from stock_platform_tests.integration.jvm import Cluster, Server
from stock_platform_tests.integration.test_ticks_to_bars import OPEN_MS, TICKS, Fields, expected_bars, outcome, tick

CLOCK = SystemClock()
KINDS = ("taskmanager", "jobmanager", "kafka", "postgres")
_RATE_PER_S = 200
_SYMBOLS = tuple(f"SYM{number:02d}" for number in range(20))
_RECOVERED_WITHIN = timedelta(seconds=180)
_LOOK_EVERY = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Kill:
    """One kill and how long it took until a later tick was in Postgres."""

    kind: str
    recovery_s: float


def figures(*, is_quick: bool) -> list[Figure]:
    """Kill each kind of process at random moments, then compare every bar."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    count = 2 if is_quick else 20
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        cluster.start_job()
        with _kept_alive(cluster), _ticks(cluster, seed) as began_s:
            kills = _kills(cluster, count, random.Random(seed), began_s)
        found = outcome(cluster)
    return _figures(kills, _wrong_bars(found.bars, expected_bars(found.ticks)), len(found.bars))


def _figures(kills: list[Kill], wrong_count: int, bar_count: int) -> list[Figure]:
    seconds = {kind: [kill.recovery_s for kill in kills if kill.kind == kind] for kind in KINDS}
    per_kind = [
        Figure(f"{kind}_recovery_{name}_s", round(value, 1), "s", len(values))
        for kind, values in seconds.items()
        for name, value in (("p50", quantile(values, 0.5)), ("max", max(values)))
    ]
    return [
        Figure("kills", len(kills), "", len(kills)),
        Figure("wrong_bars", wrong_count, "", bar_count, must_be=0),
        Figure("recovery_max_s", round(max(kill.recovery_s for kill in kills), 1), "s", len(kills)),
        *per_kind,
    ]


def _wrong_bars(found: list[tuple[object, ...]], expected: list[tuple[object, ...]]) -> int:
    """Missing, additional and different ones."""
    mine, right = {row[:2]: row for row in found}, {row[:2]: row for row in expected}
    return sum(mine.get(key) != right.get(key) for key in mine.keys() | right.keys())


def _kills(cluster: Cluster, count: int, rng: random.Random, began_s: float) -> list[Kill]:
    kinds = [kind for kind in KINDS for _ in range(count)]
    rng.shuffle(kinds)
    kills: list[Kill] = []
    for number, kind in enumerate(kinds, 1):
        CLOCK.sleep(timedelta(seconds=rng.uniform(0, 6)))
        kills.append(Kill(kind, _recovery_s(cluster, kind, began_s)))
        print(f"{number:>3}/{len(kinds)} {kind:<12} {kills[-1].recovery_s:5.1f} s", flush=True)
    return kills


def _recovery_s(cluster: Cluster, kind: str, began_s: float) -> float:
    """Kill, and wait until all of the job runs and a tick that happened after the kill is in Postgres."""
    server: Server = getattr(cluster, kind)
    job_id, killed_s = cluster.rest.running_job(JOB), CLOCK.now().timestamp()
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    killed_ms = OPEN_MS + int((killed_s - began_s) * 1000)

    def is_back() -> bool:
        with contextlib.suppress(httpx.HTTPError, psycopg.Error):
            now_id = cluster.rest.running_job(JOB)
            is_flowing = now_id is not None and (kind != "jobmanager" or now_id != job_id) and cluster.rest.job(now_id).is_flowing
            return is_flowing and _newest_ms(cluster) > killed_ms
        return False

    assert wait_until(is_back, CLOCK, within=_RECOVERED_WITHIN, every=_LOOK_EVERY), f"no recovery from the kill of {kind}"
    return CLOCK.now().timestamp() - killed_s


def _newest_ms(cluster: Cluster) -> int:
    query = "SELECT coalesce((extract(EPOCH FROM max(ts_last_tick)) * 1000)::bigint, 0) FROM staging.bar_1m"
    return cluster.read_rows(query)[0][0]


@contextmanager
def _ticks(cluster: Cluster, seed: int) -> Iterator[float]:
    """Produce ticks until the block ends, their event time running with the clock; yields the instant of the first."""
    ended, began_s = Event(), CLOCK.now().timestamp()
    sender = Thread(target=_produce, args=(cluster.bootstrap, random.Random(seed), began_s, ended))
    sender.start()
    try:
        yield began_s
    finally:
        ended.set()
        sender.join()


def _produce(bootstrap: str, rng: random.Random, began_s: float, ended: Event) -> None:
    """One in fifty is held back by up to 20 s, one in a hundred comes twice."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "delivery.timeout.ms": 300_000, "log_level": 0}
    )
    number = 0
    while not ended.wait(1 / 20):
        due = int((CLOCK.now().timestamp() - began_s) * _RATE_PER_S)
        for each in range(number, due):
            _send(producer, _tick(each, rng), repeats=1 + (rng.random() < 0.01))
        number = due
        producer.poll(0)
    assert producer.flush(120) == 0


def _tick(number: int, rng: random.Random) -> Fields:
    behind_ms = rng.randrange(20_000) if rng.random() < 0.02 else 0
    event = max(OPEN_MS, OPEN_MS + number * 1000 // _RATE_PER_S - behind_ms)
    return tick(rng.choice(_SYMBOLS), number, event, 100 * (event - OPEN_MS) // 1000, rng)


def _send(producer: Producer, fields: Fields, *, repeats: int) -> None:
    for _ in range(repeats):
        producer.produce(TICKS, json.dumps(fields).encode(), fields["symbol"])


@contextmanager
def _kept_alive(cluster: Cluster) -> Iterator[None]:
    """Start what is gone, process or job, until the block ends."""
    ended = Event()
    keepers = [Thread(target=_keep, args=(look, cluster, ended)) for look in (_start_servers, _start_job)]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        ended.set()
        for keeper in keepers:
            keeper.join()


def _keep(look: Callable[[Cluster], None], cluster: Cluster, ended: Event) -> None:
    while not ended.wait(0.5):
        with contextlib.suppress(httpx.HTTPError, PlatformError, AssertionError):
            look(cluster)


def _start_servers(cluster: Cluster) -> None:
    for server in (cluster.postgres, cluster.kafka, cluster.jobmanager, cluster.taskmanager):
        if server.has_ended:
            server.start()


def _start_job(cluster: Cluster) -> None:
    if cluster.rest.slots_problem() is None and cluster.rest.running_job(JOB) is None:
        cluster.start_job()
