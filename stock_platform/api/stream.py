"""The live stream: quotes from Kafka, by one reader, to every connected client. Not here: what a client is owed (board), how it is
sent (event_stream).

Delivery: the newest quote of each symbol at least once to every client that stays or returns; older ones may be skipped."""

import asyncio
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from stock_platform.api.board import Board, Due, Update
from stock_platform.api.shapes import Quote
from stock_platform.errors import PlatformError

MAX_CLIENTS = 400
"""Two cores serve 200 clients of 500 updates/s well (benchmarks/sse); beyond twice that all would be served badly."""
_RETRY_S = 2.0
_PACE_S = 0.01
"""Updates of this time go out together: a person sees no difference, and a write costs as much as ten updates."""
_PACE_PER_CLIENT_S = 0.000_25
"""So that writing takes a share of the machine that does not grow with the clients."""
_BACKLOG = 50_000
"""Updates that may wait for the event loop; it is behind by minutes before the oldest are dropped."""

Follow = Callable[[Callable[[], bool]], Iterator[bytes]]
"""Yields raw quote updates until the given question is answered with yes."""


class HubFull(PlatformError):
    """One client more would be too many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} clients listen already, as many as this server takes. Try again in a minute, or poll /stocks.")


@dataclass
class Counts:
    """What has happened so far, over all clients."""

    sent: int = 0
    conflated: int = 0
    """Updates that a client was not sent because a newer one of the symbol replaced it."""
    cut: int = 0
    """Clients that took nothing for too long."""
    refused: int = 0


@dataclass(eq=False)
class Client:
    """One connection.

    Args:
        number: Of the update that it was sent last.
    """

    symbols: frozenset[str]
    number: int


class Hub:
    """Reads the quote topic once and shares it out.

    Args:
        seed: The quotes as they are before the reader begins; read once.
        lag: How many updates the reader is behind, for the metrics.
    """

    def __init__(
        self,
        follow: Follow,
        *,
        seed: Callable[[], Iterable[Quote]] = tuple,
        lag: Callable[[], int | None] = lambda: None,
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        self.counts = Counts()
        self.lag = lag
        self.is_closing = False
        self._follow, self._seed, self._max_clients = follow, seed, max_clients
        self._board = Board(uuid.uuid4().hex[:8])
        self._stop = threading.Event()
        self._clients: set[Client] = set()
        self._came: deque[Update] = deque(maxlen=_BACKLOG)
        self._is_planned = False
        self._ts_shared = 0.0
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._read, name="quotes", daemon=True)

    def start(self) -> None:
        """Begin to read; call from the event loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(5)

    def close(self) -> None:
        """Let every client go; from any thread or signal handler. Nobody is taken any more."""
        self.is_closing = True
        if self._loop:
            self._loop.call_soon_threadsafe(self._wake)

    @property
    def client_count(self) -> int:
        """Clients that are connected."""
        return len(self._clients)

    def join(self, symbols: frozenset[str], last_event_id: str | None = None) -> Client:
        """Take a client in; it is owed what it has not seen.

        Raises:
            HubFull: there are too many.
        """
        if self.is_closing or len(self._clients) >= self._max_clients:
            self.counts.refused += 1
            raise HubFull(len(self._clients))
        client = Client(symbols, self._board.position(last_event_id))
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """The client is gone."""
        self._clients.discard(client)

    def take(self, client: Client) -> Due:
        """What the client is owed now; it counts as sent."""
        due = self._board.due(client.number, client.symbols)
        if client.number and not client.symbols:
            self.counts.conflated += due.until - client.number - due.count
        self.counts.sent += due.count
        client.number = due.until
        return due

    async def news(self) -> None:
        """Return when something has come since the call."""
        await self._news.wait()

    def _read(self) -> None:
        is_seeded = False
        while not self._stop.is_set():
            try:
                if not is_seeded:
                    self._came.extend(_update(quote) for quote in self._seed())
                    is_seeded = True
                for value in self._follow(self._stop.is_set):
                    self._receive(value)
                self._stop.wait(_RETRY_S)
            except PlatformError:
                self._stop.wait(_RETRY_S)

    def _receive(self, value: bytes) -> None:
        try:
            self._came.append(_update(_quote(value)))
        except ValueError:  # not a quote: Flink writes none such, and the next one is fine
            return
        if not self._is_planned and self._loop and not self._loop.is_closed():
            self._is_planned = True
            self._loop.call_soon_threadsafe(self._plan)

    def _plan(self) -> None:
        """Share at once after a quiet time, else when the pace allows."""
        assert self._loop is not None
        pace = _PACE_S + _PACE_PER_CLIENT_S * len(self._clients)
        self._loop.call_at(max(self._loop.time(), self._ts_shared + pace), self._share)

    def _share(self) -> None:
        assert self._loop is not None
        self._ts_shared, self._is_planned = self._loop.time(), False
        while self._came:
            self._board.put(self._came.popleft())
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _quote(value: bytes) -> Quote:
    """The topic's record (instants in epoch milliseconds) as the API's Quote."""
    return Quote.model_validate(msgspec.json.decode(value))


def _update(quote: Quote) -> Update:
    return Update(quote.symbol, quote.ts_event, quote.model_dump_json().encode())
