"""One feed line at 5,000 symbols, each of them moving every second: simulator → stream client → validation → Kafka.

All real: the simulator serves 53 connections from a process of its own, Kafka is the stack's. What the line costs is its own
process's CPU and memory; simulator and broker share the machine's cores with it."""

import json
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from multiprocessing.context import SpawnProcess
from pathlib import Path

import psutil

from benchmarks.harness import Figure, quantile
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.kafka import KafkaProducer, ensure_topics, market_topics
from stock_platform.adapters.kafka_progress import progress
from stock_platform.adapters.probe import free_port, port_open
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.errors import BrokerUnreachable
from stock_platform.feed.line import run_line
from stock_platform.feed.plan import LineState, Standing, StreamPlan
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.shards import Watch
from stock_platform.feed.simulator.server import Ports, run, simulated
from stock_platform.feed.tick import epoch_ms
from stock_platform.feed.watchlist import Instrument, Sharing, Simulated
from stock_platform_tests.broker import running_broker
from stock_platform_tests.topics import messages

SYMBOL_COUNT = 5_000
_CLOCK = SystemClock()
_SPAWN = multiprocessing.get_context("spawn")
_WARM_UP = timedelta(seconds=20)


def figures(seconds: int) -> list[Figure]:
    """Rate, CPU and memory over so many seconds, once every symbol is subscribed.

    Raises:
        AssertionError: a tick was lost or refused.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        ensure_topics(broker.bootstrap, market_topics())
        with _process(_simulate, port) as simulator, _process(_line, broker.bootstrap, port) as line:
            assert wait_until(lambda: _count(broker.bootstrap) >= 2 * SYMBOL_COUNT, _CLOCK, within=timedelta(minutes=3))
            _CLOCK.sleep(_WARM_UP)
            begun = _CLOCK.now()
            measured = _measure(broker.bootstrap, psutil.Process(line.pid), psutil.Process(simulator.pid), seconds)
            _CLOCK.sleep(_WARM_UP / 2)
        lags = _lags_ms(broker.bootstrap, epoch_ms(begun) // 1_000 * 1_000, seconds)
        refused = sum(each.offset_end for each in progress(broker.bootstrap, "nobody", DEAD_LETTER.address).values())
        assert refused == 0, f"{refused} ticks were refused"
    return [*measured, *(Figure(f"event_to_feed_p{n}_ms", quantile(lags, n / 100), "ms", len(lags)) for n in (50, 99))]


def _measure(bootstrap: str, line: psutil.Process, simulator: psutil.Process, seconds: int) -> list[Figure]:
    before = (_CLOCK.now(), _count(bootstrap), _cpu_s(line), _cpu_s(simulator))
    _CLOCK.sleep(timedelta(seconds=seconds))
    after = (_CLOCK.now(), _count(bootstrap), _cpu_s(line), _cpu_s(simulator))
    lasted = (after[0] - before[0]).total_seconds()
    thousands = SYMBOL_COUNT / 1_000
    rate = (after[1] - before[1]) / lasted
    return [
        Figure("line_ticks_per_s", round(rate), "ticks/s", after[1] - before[1]),
        Figure("line_cpu_per_1000_symbols", round((after[2] - before[2]) / lasted / thousands, 3), "cores", seconds),
        Figure("line_mib_per_1000_symbols", round(line.memory_full_info().uss / 2**20 / thousands, 1), "MiB", 1),
        Figure("line_mib", round(line.memory_full_info().uss / 2**20), "MiB", 1),
        Figure("simulator_cpu", round((after[3] - before[3]) / lasted, 2), "cores", seconds),
    ]


def _lags_ms(bootstrap: str, start_ms: int, seconds: int) -> list[int]:
    """Milliseconds from a tick's second to its receipt; raises AssertionError when a symbol lacks a second."""
    ticks = (json.loads(message.value() or b"") for message in messages(bootstrap, TICK.address))
    window = range(start_ms, start_ms + 1_000 * seconds)
    seen = {(tick["symbol"], tick["ts_event"]): tick["ts_recv"] for tick in ticks if tick["ts_event"] in window}
    by_second = Counter(ts_event for _, ts_event in seen)
    assert len(seen) == SYMBOL_COUNT * seconds, f"{SYMBOL_COUNT * seconds - len(seen)} ticks were lost: {sorted(by_second.items())}"
    return [ts_recv - ts_event for (_, ts_event), ts_recv in seen.items()]


def _instruments() -> tuple[Instrument, ...]:
    first = Instrument(
        symbol="S0000",
        name="One of many",
        sector="None",
        currency="USD",
        calendar="24/7",
        provider="yahoo",
        simulator=Simulated(base_price=Decimal(100)),
    )
    return tuple(first.model_copy(update={"symbol": f"S{n:04}"}) for n in range(SYMBOL_COUNT))


def _simulate(port: int) -> None:
    market = simulated(_instruments(), seed=7, hours="always", clock=_CLOCK, rate="full")
    with tempfile.TemporaryDirectory() as folder:
        run(market, ports=Ports(port, 0, 0), folder=Path(folder))


def _line(bootstrap: str, port: int) -> None:
    assert wait_until(lambda: port_open(port), _CLOCK, within=timedelta(seconds=60))
    watch = Watch(_instruments(), Sharing())

    def heartbeat(_: LineState) -> Standing:
        return Standing()

    run_line(
        StreamPlan("line-0a", "simulator", f"ws://127.0.0.1:{port}", lambda: watch),
        publisher=Publisher(KafkaProducer(bootstrap, client_id="line-0a"), line="line-0a"),
        heartbeat=heartbeat,
        clock=_CLOCK,
        should_stop=lambda: False,
    )


@contextmanager
def _process(target: object, *arguments: object) -> Iterator[SpawnProcess]:
    process = _SPAWN.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(10)


def _count(bootstrap: str) -> int:
    """Ticks in Kafka; a broker that has only just started may not answer yet."""
    try:
        return sum(each.offset_end for each in progress(bootstrap, "nobody", TICK.address).values())
    except BrokerUnreachable:
        return 0


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
