"""How large the stream job's state grows: 5,000 symbols, a simulated week of sessions, a TaskManager of 2 GiB.

A week of market minutes is played faster than life, with the time that state lives shortened by the same factor, so that as many
bars are alive at once as there would be. Bars go nowhere: state is what is looked at, and Postgres would set the pace."""

import multiprocessing
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from confluent_kafka import Producer

from benchmarks.flink_job import BARS_ONLY, values
from benchmarks.harness import RESULTS, Figure
from benchmarks.plot import Line, plot
from benchmarks.topic import send
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.flink_script import fill_script
from stock_platform.adapters.kafka import partition_of
from stock_platform.config import ROOT
from stock_platform.stack import layout
from stock_platform_tests.integration.jvm import Cluster, require

SYMBOL_COUNT, TICKS_A_BAR = 5_000, 3
SESSION_COUNT, SESSION_MINUTES = 5, 390
MINUTE_S = 0.2
"""Length of a market minute here: 75,000 ticks a second, a third of what the job can take."""
KEPT_MINUTES = 241
"""As in a live profile: a bar's minute, an hour that a tick may be late, three hours of outage."""
TASK_HEAP_MIB = 1_500
"""What is left for state and user code of a 2 GiB TaskManager: the other parts are named in stack/flink."""
_OPEN_MS = 1_381_152_600_000
_DAY_MS = 86_400_000
_CLOCK = SystemClock()
_SPAWN = multiprocessing.get_context("spawn")
_NOWHERE = "ALTER TABLE staging_bar_1m SET ('connector' = 'blackhole');"
_JDBC = (
    "url",
    "table-name",
    "username",
    "password",
    "sink.buffer-flush.interval",
    "sink.buffer-flush.max-rows",
    "sink.max-retries",
)


@dataclass(frozen=True)
class Sample:
    """One look at the TaskManager.

    Args:
        minute: Market minutes played.
        checkpoint_mib: The newest checkpoint, which is the state as it is written.
    """

    minute: int
    checkpoint_mib: float
    heap_mib: float
    resident_mib: float


def figures(*, is_quick: bool) -> list[Figure]:
    """Play the week; raises AssertionError when the TaskManager dies or does not keep up."""
    minutes = SESSION_MINUTES * (1 if is_quick else SESSION_COUNT)
    with tempfile.TemporaryDirectory() as folder:
        with Cluster(Path(folder), parallelism=2, task_heap_mib=TASK_HEAP_MIB) as cluster:
            samples = _play(cluster, minutes)
    if not is_quick:
        (RESULTS / "state.svg").write_text(drawn(samples))
    later = [sample for sample in samples if sample.minute > 2 * KEPT_MINUTES] or samples[-5:]
    return [
        Figure("bars", minutes * SYMBOL_COUNT, "bars", minutes * SYMBOL_COUNT * TICKS_A_BAR),
        Figure("alive_bars", KEPT_MINUTES * SYMBOL_COUNT, "bars", 1),
        Figure("checkpoint_max_mib", round(max(each.checkpoint_mib for each in samples)), "MiB", len(samples)),
        Figure("checkpoint_last_mib", round(later[-1].checkpoint_mib), "MiB", 1),
        Figure("heap_max_mib", round(max(each.heap_mib for each in samples)), "MiB", len(samples)),
        Figure("taskmanager_max_mib", round(max(each.resident_mib for each in samples)), "MiB", len(samples)),
        Figure("taskmanager_deaths", 0, "deaths", 1, must_be=0),
    ]


def drawn(samples: list[Sample]) -> str:
    """The state over market time as an SVG: checkpoint and heap in MiB."""
    title = f"{SYMBOL_COUNT} symbols, {TICKS_A_BAR} ticks a bar: state in MiB over {samples[-1].minute} market minutes"
    heap = Line("heap used, garbage included", "#c0392b", [(each.minute, each.heap_mib) for each in samples])
    checkpoint = Line("checkpoint", "#2c6fbb", [(each.minute, each.checkpoint_mib) for each in samples])
    return plot(title, [heap, checkpoint], every=SESSION_MINUTES)


def _play(cluster: Cluster, minutes: int) -> list[Sample]:
    job_id = cluster.rest.submit_sql(layout.FUNCTIONS_JAR, _script(cluster), name="state", restore_from=None)
    require(lambda: cluster.rest.job(job_id).is_flowing, "all tasks run")
    begun, samples = _CLOCK.now(), list[Sample]()
    producer = _SPAWN.Process(target=_produce, args=(cluster.bootstrap, minutes))
    producer.start()
    with closing(httpx.Client(base_url=f"http://127.0.0.1:{cluster.flink_port}", timeout=30, trust_env=False)) as rest:
        while producer.is_alive():
            played = int((_CLOCK.now() - begun).total_seconds() / MINUTE_S)
            samples.append(_sample(cluster, rest, job_id, min(played, minutes)))
            _CLOCK.sleep(timedelta(seconds=2))
            assert not cluster.taskmanager.has_ended, "the TaskManager died"
    assert producer.exitcode == 0, "the producer failed"
    require(cluster.is_caught_up, "all was read", within_s=300)
    assert cluster.rest.job(job_id).restart_count == 0, "the job was restarted"
    return samples


def _script(cluster: Cluster) -> Path:
    kept = f"{round(KEPT_MINUTES * MINUTE_S)} s"
    text = fill_script(ROOT / "flink" / "sql", BARS_ONLY, {**values(cluster), "STATE_TTL": kept, "PARALLELISM": "2"})
    reset = f"ALTER TABLE staging_bar_1m RESET ({', '.join(repr(name) for name in _JDBC)});"
    path = cluster.folder / "flink" / "state.sql"
    path.write_text(text.replace("INSERT INTO", f"{reset}\n{_NOWHERE}\nINSERT INTO", 1))
    return path


def _sample(cluster: Cluster, rest: httpx.Client, job_id: str, minute: int) -> Sample:
    worker = rest.get("/taskmanagers").raise_for_status().json()["taskmanagers"][0]["id"]
    heap = rest.get(f"/taskmanagers/{worker}/metrics", params={"get": "Status.JVM.Memory.Heap.Used"}).raise_for_status().json()
    checkpoint = cluster.rest.job(job_id).checkpoint
    return Sample(
        minute,
        checkpoint.size_bytes / 2**20 if checkpoint else 0.0,
        int(heap[0]["value"]) / 2**20 if heap else 0.0,
        cluster.taskmanager.resident_mib,
    )


def _produce(bootstrap: str, minutes: int) -> None:
    """Minute after minute, at its time: each symbol's ticks as the feed writes them."""
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 20, "acks": "all"})
    symbols = [(f"S{n:04}", partition_of(f"S{n:04}", 4)) for n in range(SYMBOL_COUNT)]
    begun = _CLOCK.now()
    for minute in range(minutes):
        session, of_session = divmod(minute, SESSION_MINUTES)
        start_ms = _OPEN_MS + session * _DAY_MS + of_session * 60_000
        for n in range(TICKS_A_BAR):
            event_ms = start_ms + n * 60_000 // TICKS_A_BAR
            rest = _message(
                event_ms, day_volume=100 * (of_session * TICKS_A_BAR + n + 1), cents=10_000 + (minute * 7 + n * 3) % 500
            )
            for symbol, partition in symbols:
                send(producer, symbol, partition, b'{"symbol":"%b",%b' % (symbol.encode(), rest), ts_ms=event_ms)
        producer.poll(0)
        ahead = begun + timedelta(seconds=(minute + 1) * MINUTE_S) - _CLOCK.now()
        _CLOCK.sleep(max(ahead, timedelta()))
    assert producer.flush(60) == 0


def _message(event_ms: int, *, day_volume: int, cents: int) -> bytes:
    """What follows the symbol; equal for all symbols, so that writing it costs little."""
    return (
        f'"price":"{cents // 100}.{cents % 100:02}","day_volume":{day_volume},"size":100,'
        f'"ts_event":{event_ms},"ts_recv":{event_ms},"session_phase":"regular","currency":"USD","previous_close":"100.00","source":"simulator","line":"line-0a",'
        f'"line_seq":{day_volume},"tick_id":"{event_ms:016x}","is_suspect":false,"is_continuous":true}}'
    ).encode()
