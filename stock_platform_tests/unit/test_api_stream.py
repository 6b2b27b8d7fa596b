"""`/stream` over a feed that a test speaks for: snapshots, resumption, caps, slow clients, the end of the server."""

import asyncio
import json
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from stock_platform.api.event_stream import EventStream
from stock_platform.api.stream import Hub, HubFull

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = frozenset[str]()
LIMIT_S = 5.0

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Spoken:
    """A topic that carries what the test says."""

    def __init__(self) -> None:
        self._values: queue.Queue[bytes] = queue.Queue()

    def say(self, symbol: str, price: str, second: int = 0) -> None:
        at = int(NOON.timestamp() * 1000) + 1000 * second
        quote = {"symbol": symbol, "price": price, "previous_close": None, "change_pct": None, "day_volume": None}
        where = {"currency": "USD", "session_phase": "regular", "source": "tape", "ts_event": at, "ts_recv": at}
        self._values.put(json.dumps(quote | where).encode())

    def say_nonsense(self) -> None:
        self._values.put(b"{")

    def follow(self, should_stop: Callable[[], bool]) -> Iterator[bytes]:
        while not should_stop():
            try:
                yield self._values.get(timeout=0.02)
            except queue.Empty:
                continue


class Wire:
    """One client's connection, as the server's side of ASGI sees it."""

    def __init__(self, hub: Hub, symbols: frozenset[str] = ALL, last_event_id: str | None = None, **limits: float) -> None:
        self.client = hub.join(symbols, last_event_id)
        self.is_stuck = False
        self._gone, self._sent = asyncio.Event(), asyncio.Queue[dict[str, Any]]()
        self.serving = asyncio.ensure_future(EventStream(hub, self.client, lambda: NOON, **limits)({}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self._sent.put_nowait(message)

    def leave(self) -> None:
        self._gone.set()

    async def message(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._sent.get(), LIMIT_S)

    async def quotes(self, count: int) -> list[tuple[str, str, str]]:
        """Id, symbol and price of the next quotes."""
        found: list[tuple[str, str, str]] = []
        while len(found) < count:
            events = (await self.message()).get("body", b"").decode().split("\n\n")
            for lines in (event.splitlines() for event in events if "event: quote" in event):
                quote = json.loads(lines[2].removeprefix("data: "))
                found.append((lines[0].removeprefix("id: "), quote["symbol"], quote["price"]))
        return found


@asynccontextmanager
async def running(**limits: Any) -> AsyncIterator[tuple[Hub, Spoken]]:
    topic = Spoken()
    hub = Hub(topic.follow, **limits)
    hub.start()
    try:
        yield hub, topic
    finally:
        hub.stop()


async def test_client_is_sent_what_is_known_and_then_what_moves() -> None:
    async with running() as (hub, topic):
        topic.say("A", "1.50")
        topic.say_nonsense()
        topic.say("B", "2", 1)
        first = Wire(hub)
        assert [quote[1:] for quote in await first.quotes(2)] == [("A", "1.5"), ("B", "2")]
        second = Wire(hub, frozenset({"B"}))
        topic.say("A", "3", 2)
        topic.say("B", "4", 3)
        assert [quote[1:] for quote in await first.quotes(2)] == [("A", "3"), ("B", "4")]
        assert [quote[1:] for quote in await second.quotes(2)] == [("B", "2"), ("B", "4")]
        for wire in (first, second):
            wire.leave()
            await wire.serving
        assert hub.client_count == 0


async def test_client_that_returns_is_sent_the_newest_of_what_it_missed_and_nothing_else() -> None:
    async with running() as (hub, topic):
        topic.say("A", "1")
        topic.say("B", "1")
        first = Wire(hub)
        seen = await first.quotes(2)
        first.leave()
        watcher = Wire(hub)
        await watcher.quotes(2)
        for second in range(1, 4):
            topic.say("B", str(second), second)
        while (await watcher.quotes(1))[0][2] != "3":
            pass
        returned = Wire(hub, last_event_id=seen[-1][0])
        topic.say("C", "9")
        assert [quote[1:] for quote in await returned.quotes(2)] == [("B", "3"), ("C", "9")]
        for wire in (returned, watcher):
            wire.leave()
            await wire.serving


async def test_silence_is_told_from_death_by_heartbeats() -> None:
    async with running() as (hub, _):
        wire = Wire(hub, heartbeat_s=0.01)
        assert (await wire.message())["status"] == 200
        first, second = (await wire.message())["body"], (await wire.message())["body"]
        assert first == b"retry: 2000\n\n" + second
        assert second == b'event: heartbeat\ndata: {"ts_now":"2026-11-20T12:00:00+00:00"}\n\n'
        wire.leave()
        await wire.serving


async def test_client_that_takes_nothing_is_cut_and_counted() -> None:
    async with running() as (hub, topic):
        wire = Wire(hub, slow_s=0.05)
        await wire.message()
        wire.is_stuck = True
        topic.say("A", "1")
        await asyncio.wait_for(wire.serving, LIMIT_S)
        assert (hub.counts.cut, hub.client_count) == (1, 0)


async def test_client_beyond_the_cap_is_refused_until_one_leaves() -> None:
    async with running(max_clients=1) as (hub, _):
        wire = Wire(hub)
        with pytest.raises(HubFull, match="1 clients listen already"):
            hub.join(ALL)
        assert hub.counts.refused == 1
        wire.leave()
        await wire.serving
        hub.leave(hub.join(ALL))


async def test_closing_server_lets_its_clients_go_and_takes_no_others() -> None:
    async with running() as (hub, _):
        wire = Wire(hub)
        await wire.message()
        hub.close()
        await asyncio.wait_for(wire.serving, LIMIT_S)
        messages = [await wire.message(), await wire.message()]
        assert messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        with pytest.raises(HubFull):
            hub.join(ALL)


async def test_updates_that_a_newer_one_replaced_are_counted() -> None:
    async with running() as (hub, topic):
        topic.say("A", "1")
        wire = Wire(hub)
        await wire.quotes(1)
        wire.is_stuck = True
        watcher = Wire(hub)
        for second in range(1, 6):
            topic.say("A", str(second + 1), second)
        while (await watcher.quotes(1))[0][2] != "6":
            pass
        hub.counts.conflated = 0
        wire.client.number = 1
        assert hub.take(wire.client).count == 1
        assert hub.counts.conflated == 4
        for each in (wire, watcher):
            each.leave()
            await each.serving
