"""A real websocket server that does what a test tells it: Yahoo's stream under the test's own hand, and clocks to go with it."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.websocket import Socket, serving
from stock_platform.errors import StreamClosed
from stock_platform.feed.yahoo.pricing import encode


class ShiftedClock(SystemClock):
    """Runs as the machine's does, from another instant on."""

    def __init__(self, start: datetime) -> None:
        self._shift = start - datetime.now(UTC)

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return super().now() + self._shift


@dataclass
class Connection:
    """One client, as the server sees it."""

    socket: Socket
    heard: list[dict[str, list[str]]] = field(default_factory=list)

    @property
    def symbols(self) -> list[str]:
        """Every symbol asked for, in order, unsubscribed ones left out."""
        wanted: list[str] = []
        for message in self.heard:
            wanted += [each for each in message.get("subscribe", []) if each not in wanted]
            wanted = [each for each in wanted if each not in message.get("unsubscribe", [])]
        return wanted


class ScriptedVendor:
    """Connections in the order in which they came; the ones that are gone stay in `past`."""

    def __init__(self) -> None:
        self.live: list[Connection] = []
        self.past: list[Connection] = []
        self.is_refusing = False
        self.refused_count = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self.port}"

    async def serve_client(self, socket: Socket) -> None:
        """Hear what the client says until it goes."""
        connection = Connection(socket)
        self.live.append(connection)
        try:
            while True:
                connection.heard.append(json.loads(await socket.receive()))
        except StreamClosed:
            self.live.remove(connection)
            self.past.append(connection)

    def send(self, symbol: str, price: float = 100.0, *, to: int = 0, ts: datetime, **fields: object) -> None:
        """One frame on one connection."""
        text = encode(id=symbol, price=price, time=int(ts.timestamp() * 1000), **fields)
        self.send_text(text, to=to)

    def send_text(self, text: str, *, to: int = 0) -> None:
        """Anything on one connection."""
        self._do(self.live[to].socket.send(text))

    def close(self, code: int, *, of: int = 0) -> None:
        """End one connection with a code."""
        self._do(self.live[of].socket.close(code))

    def abort(self, *, of: int = 0) -> None:
        """Cut one connection without a word."""
        self._loop.call_soon_threadsafe(self.live[of].socket.abort)

    def _admits(self) -> bool:
        self.refused_count += self.is_refusing
        return not self.is_refusing

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(10)

    def _run(self, ready: Event, stop: Event) -> None:
        async def serve() -> None:
            async with serving(self.serve_client, port=0, admits=self._admits) as self.port:
                ready.set()
                await asyncio.to_thread(stop.wait)

        self._loop.run_until_complete(serve())
        self._loop.close()


@contextmanager
def scripted_vendor() -> Iterator[ScriptedVendor]:
    """A running server."""
    vendor, ready, stop = ScriptedVendor(), Event(), Event()
    thread = Thread(target=vendor._run, args=(ready, stop), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield vendor
    finally:
        stop.set()
        thread.join(20)
