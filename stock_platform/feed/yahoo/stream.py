"""Client of Yahoo's stream, and of the simulator that speaks like it: subscribes, reads, and always comes back.

Not here: what a frame means (pricing), the thread it runs in (source). Why not yfinance's own: it never connects again
after a drop. Delivery: what the vendor sends while connected; the rest is lost, and the next tick says so."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.websocket import Socket, connected
from stock_platform.errors import FeedUnreachable, StreamClosed
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.pricing import Frame

YAHOO_URL = "wss://streamer.finance.yahoo.com/?version=2"
CONNECTION_SYMBOL_LIMIT = 95
"""Yahoo cuts a connection's list at 100 without a word; the rest is room for a symbol to join."""


@dataclass(frozen=True)
class Patience:
    """How long the client waits for what.

    Args:
        silence: A connection that sends nothing for so long is given up: 24/7 symbols trade every few seconds.
        steady: A connection that lasted so long was a good one; the next drop starts with the first pause again.
    """

    connect: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=60)
    steady: timedelta = timedelta(seconds=10)
    pause_first: timedelta = timedelta(milliseconds=500)
    pause_cap: timedelta = timedelta(seconds=30)


@dataclass
class Link:
    """What is known of one connection from outside."""

    symbols: Sequence[str]
    ts_connected: datetime | None = None
    problem: str | None = None


def shares(instruments: Sequence[Instrument]) -> list[list[str]]:
    """Symbols per connection: in order, those that never sleep last, so that a cut list shows as silence."""
    symbols = [each.symbol for each in sorted(instruments, key=lambda each: each.calendar == "24/7")]
    return [symbols[n : n + CONNECTION_SYMBOL_LIMIT] for n in range(0, len(symbols), CONNECTION_SYMBOL_LIMIT)]


async def frames(url: str, link: Link, *, sequence: Iterator[int], clock: Clock, patience: Patience) -> AsyncGenerator[Frame, None]:
    """Frames of one connection, for ever: a drop, a refusal and silence are told to the link, waited out and mended."""
    pauses = _pauses(patience)
    while True:
        try:
            async with connected(url, within=patience.connect) as socket:
                async for frame in _subscribed(socket, link, sequence=sequence, clock=clock, patience=patience):
                    yield frame
        except (FeedUnreachable, StreamClosed) as error:
            link.problem = str(error)
        except TimeoutError:
            link.problem = f"Nothing came from {url} for {patience.silence.total_seconds():.0f} s; connecting again."
        if link.ts_connected and clock.now() - link.ts_connected > patience.steady:
            pauses = _pauses(patience)
        link.ts_connected = None
        await asyncio.sleep(next(pauses))


async def _subscribed(
    socket: Socket, link: Link, *, sequence: Iterator[int], clock: Clock, patience: Patience
) -> AsyncGenerator[Frame, None]:
    await socket.send(json.dumps({"subscribe": list(link.symbols)}))
    ts_connected = link.ts_connected = clock.now()
    while True:
        body = await socket.receive(within=patience.silence)
        yield Frame(body, clock.now(), ts_connected, next(sequence))


def _pauses(patience: Patience) -> Iterator[float]:
    """Seconds between attempts: doubled each time up to the cap, of which a random half is taken off."""
    longest = patience.pause_first
    while True:
        yield longest.total_seconds() * random.uniform(0.5, 1.0)
        longest = min(2 * longest, patience.pause_cap)


def probe_stream(url: str, within: timedelta = timedelta(seconds=5)) -> str | None:
    """None when the stream can be opened, else the reason in a few words."""

    async def attempt() -> None:
        async with connected(url, within=within):
            pass

    try:
        asyncio.run(attempt())
    except FeedUnreachable as error:
        return str(error.__cause__) or type(error.__cause__).__name__
    return None
