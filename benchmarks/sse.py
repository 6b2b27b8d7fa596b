"""How late a quote reaches the listeners of `/stream`: Kafka → API → 50 and 200 clients, 500 updates a second of 500 symbols.

And what a thousand clients meet: the cap, with a reason. A latency begins when an update is handed to Kafka (its ts_recv) and ends
when a client has read the event; of each read the oldest event is taken. Broker, server, producer and clients share the machine."""

import asyncio
import re
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import psutil

from benchmarks.api_server import SYMBOLS, open_request, streaming_api
from benchmarks.harness import Figure, quantile
from benchmarks.quotes import Load, flowing
from stock_platform.adapters.clock import SystemClock
from stock_platform.api.stream import MAX_CLIENTS
from stock_platform.config import Settings

UPDATES_PER_S = 500
MANY = 1_000
_CONNECTS_PER_S = 200
_CLOCK = SystemClock()
_RECEIVED = re.compile(rb'"ts_recv":"([^"]+)"')
_WARM_UP = timedelta(seconds=3)
"""Connections are made and snapshots sent before anything is measured."""
_FRESH_MS = 5_000
"""An older event is of a snapshot."""


@dataclass(frozen=True)
class Heard:
    """What so many clients came to, and what it cost the server in that time."""

    latencies_ms: list[float]
    grown_mib: float
    server_cpu_s: float


def figures(*, is_quick: bool) -> list[Figure]:
    """50 and 200 clients under load, then a thousand."""
    lasting = timedelta(seconds=6 if is_quick else 30)
    with tempfile.TemporaryDirectory() as folder, streaming_api(Path(folder), symbol_count=len(SYMBOLS)) as (settings, pid):
        found = [each for count in (50, 200) for each in _loaded(settings, pid, count, lasting)]
        return [*found, *_many(settings.api_port)]


def _loaded(settings: Settings, pid: int, count: int, lasting: timedelta) -> list[Figure]:
    with (
        flowing(settings.kafka_bootstrap, Load(SYMBOLS, UPDATES_PER_S)),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others,
    ):
        heard = others.submit(listen, settings.api_port, pid, count, lasting).result()
    found = heard.latencies_ms
    return [
        *(Figure(f"p{n}_ms_{count}", round(quantile(found, n / 100)), "ms", len(found)) for n in (50, 99)),
        Figure(f"grown_mib_{count}", round(heard.grown_mib, 1), "MiB", 1),
        Figure(f"server_cpu_{count}", round(heard.server_cpu_s / lasting.total_seconds(), 2), "cores", 1),
    ]


def _many(port: int) -> list[Figure]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
        taken, refused = others.submit(connect_many, port).result()
    return [
        Figure("taken_of_1000", taken, "clients", MANY, must_be=MAX_CLIENTS),
        Figure("refused_of_1000", refused, "clients", MANY, must_be=MANY - MAX_CLIENTS),
    ]


def listen(port: int, pid: int, count: int, lasting: timedelta) -> Heard:
    """So many clients, measured once all are connected and the load has come."""
    return asyncio.run(_listen(port, psutil.Process(pid), count, lasting))


async def _listen(port: int, server: psutil.Process, count: int, lasting: timedelta) -> Heard:
    ages: list[tuple[datetime, float]] = []
    clients = [asyncio.ensure_future(_client(port, ages)) for _ in range(count)]
    while not ages or ages[-1][1] > _FRESH_MS:
        await asyncio.sleep(0.1)
    await asyncio.sleep(_WARM_UP.total_seconds())
    since, rss, cpu_s = _CLOCK.now(), server.memory_info().rss, sum(server.cpu_times()[:2])
    await asyncio.sleep(lasting.total_seconds())
    grown_mib, spent_s = (server.memory_info().rss - rss) / 2**20, sum(server.cpu_times()[:2]) - cpu_s
    assert not [client for client in clients if client.done()], "a client was refused or cut"
    for client in clients:
        client.cancel()
    return Heard([age for seen, age in ages if seen >= since], grown_mib, spent_s)


async def _client(port: int, ages: list[tuple[datetime, float]]) -> None:
    reader, _, status = await open_request(port, "/stream")
    assert status == 200, f"/stream answers {status}"
    while chunk := await reader.read(2**20):
        now, oldest = _CLOCK.now(), _RECEIVED.search(chunk)
        if oldest:
            ages.append((now, (now - datetime.fromisoformat(oldest[1].decode())).total_seconds() * 1000))


def connect_many(port: int) -> tuple[int, int]:
    """How many of a thousand clients that stay were taken, and how many were refused with a reason."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * MANY), hard))
    return asyncio.run(_connect_many(port))


async def _connect_many(port: int) -> tuple[int, int]:
    writers, statuses, reasons = list[asyncio.StreamWriter](), list[int](), 0
    for _ in range(MANY):
        reader, writer, status = await open_request(port, "/stream")
        statuses.append(status)
        writers.append(writer)
        reasons += status == 503 and b"clients listen already" in await reader.read(4096)
        await asyncio.sleep(1 / _CONNECTS_PER_S)
    for writer in writers:
        writer.close()
    return statuses.count(200), reasons
