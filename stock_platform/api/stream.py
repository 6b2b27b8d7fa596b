"""The live stream: quote updates from Kafka to every connected client, conflated to the newest per symbol for slow ones.

Delivery: at most once, the newest wins; a client that reconnects reads `/stocks` first."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

from stock_platform.api.shapes import Quote
from stock_platform.errors import PlatformError

HEARTBEAT_S = 5.0
MAX_CLIENTS = 200
_RETRY_S = 2.0

Follow = Callable[[Callable[[], bool]], Iterator[bytes]]
"""Yields raw quote updates until the given question is answered with yes."""


class Hub:
    """Reads the quote topic once and shares it out."""

    def __init__(self, follow: Follow) -> None:
        self._follow = follow
        self._stop = threading.Event()
        self._clients: set[_Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._read, name="quotes", daemon=True)

    def start(self) -> None:
        """Begin to read; call from the event loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(10)

    @property
    def is_full(self) -> bool:
        """Whether the connection cap is reached."""
        return len(self._clients) >= MAX_CLIENTS

    async def events(self, symbols: frozenset[str], now: Callable[[], datetime]) -> AsyncIterator[str]:
        """Server-sent events for one client: `quote` with a Quote, `heartbeat` with the time."""
        client = _Client(symbols)
        self._clients.add(client)
        try:
            yield _event("heartbeat", {"ts_now": now().isoformat()})
            while True:
                updates = await client.take(HEARTBEAT_S)
                for update in updates:
                    yield _event("quote", update)
                if not updates:
                    yield _event("heartbeat", {"ts_now": now().isoformat()})
        finally:
            self._clients.discard(client)

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                for value in self._follow(self._stop.is_set):
                    self._share(value)
            except PlatformError:
                self._stop.wait(_RETRY_S)

    def _share(self, value: bytes) -> None:
        try:
            update = _quote(value)
        except ValueError:  # not a quote: Flink writes none such, and the next one is fine
            return
        if self._clients and self._loop:
            self._loop.call_soon_threadsafe(self._offer, update)

    def _offer(self, update: dict[str, Any]) -> None:
        for client in self._clients:
            client.offer(update)


class _Client:
    """What one connection has not been sent yet: at most one update a symbol, so that a slow reader costs no memory."""

    def __init__(self, symbols: frozenset[str]) -> None:
        self._symbols = symbols
        self._pending: dict[str, dict[str, Any]] = {}
        self._wake = asyncio.Event()

    def offer(self, update: dict[str, Any]) -> None:
        symbol = update["symbol"]
        if not self._symbols or symbol in self._symbols:
            self._pending[symbol] = update
            self._wake.set()

    async def take(self, within_s: float) -> list[dict[str, Any]]:
        """What has come since the last time; empty when nothing came in time."""
        try:
            await asyncio.wait_for(self._wake.wait(), within_s)
        except TimeoutError:
            return []
        self._wake.clear()
        taken, self._pending = list(self._pending.values()), {}
        return taken


def _quote(value: bytes) -> dict[str, Any]:
    """The topic's record (instants in epoch milliseconds) as the API's Quote."""
    record = json.loads(value)
    return Quote.model_validate(record).model_dump(mode="json")


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
