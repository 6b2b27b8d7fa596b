"""A simulator for tests: its three servers in a thread of its own, a clock that begins where the test wants, a raw client."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from stock_platform.adapters.clock import SystemClock
from stock_platform.feed.simulator.server import Ports, Simulator, running
from stock_platform.feed.yahoo.pricing import PricingData


class ShiftedClock(SystemClock):
    """Runs as the machine's, from another instant."""

    def __init__(self, begins: datetime) -> None:
        self._shift = begins - super().now()

    def now(self) -> datetime:
        return super().now() + self._shift

    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration)


@dataclass
class Served:
    """A running simulator."""

    simulator: Simulator
    ports: Ports
    folder: Path

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.ports.stream}"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.http}"

    @contextmanager
    def client(self, *symbols: str) -> Iterator[ClientConnection]:
        """A raw connection, subscribed."""
        with connect(self.stream_url, proxy=None) as connection:
            if symbols:
                connection.send(json.dumps({"subscribe": symbols}))
            yield connection

    def get(self, path: str, **query: Any) -> httpx.Response:
        return httpx.get(f"{self.http_url}{path}", params=query, timeout=20, trust_env=False)

    def chart(self, symbol: str, **query: Any) -> Any:
        """The result of a good answer."""
        return self.get(f"/v8/finance/chart/{symbol}", **query).raise_for_status().json()["chart"]["result"][0]

    def add(self, **fault: Any) -> httpx.Response:
        return httpx.post(f"{self.http_url}/control/faults", json=fault, trust_env=False)

    def state(self) -> Any:
        return self.get("/control/state").raise_for_status().json()


@contextmanager
def served(simulator: Simulator, folder: Path) -> Iterator[Served]:
    """All its servers on free ports."""
    started, ports = Event(), list[Ports]()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def main() -> None:
        async with running(simulator, ports=Ports(0, 0, 0), folder=folder) as bound:
            ports.append(bound)
            started.set()
            await over.wait()

    thread = Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield Served(simulator, ports[0], folder)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(15)
        assert not thread.is_alive()
        loop.close()


def parsed(frame: str | bytes) -> Any:
    """PricingData of a good frame."""
    return PricingData.FromString(base64.b64decode(json.loads(frame)["message"]))


def received(connection: ClientConnection, count: int, *, within_s: float = 10) -> list[str]:
    """So many frames."""
    return [str(connection.recv(timeout=within_s)) for _ in range(count)]
