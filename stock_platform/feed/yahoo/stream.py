"""One connection to Yahoo's stream, or to the simulator that speaks like it: subscribes, reads, and always comes back.

Not here: what a frame means (pricing), which connections there are and the thread they run in (source). Why not yfinance's
own: it never connects again after a drop. Delivery: what the vendor sends while connected; the rest is a gap with bounds."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.websocket import Socket, connected
from stock_platform.errors import FeedUnreachable, StreamClosed, StreamSilent

CONNECTION_SYMBOL_LIMIT = 95
"""Yahoo cuts a connection's list at 100 without a word; the rest is room for a symbol to join, and for the canary."""
_ROOM_EVERY_S = 0.05
_IDLE = timedelta(milliseconds=100)
"""A frame that had to be waited for so long was the next one, not one that lay there."""
_SETTLED_AFTER = timedelta(seconds=2)
"""A connection that is heard so long after a subscription was sent has taken it."""


@dataclass(frozen=True)
class Patience:
    """How long the client waits for what.

    Args:
        silence: A connection that sends nothing, or not its canary, for so long is given up: the canary speaks every few seconds.
        steady: A connection that lasted so long was a good one; the next drop starts with the first pause again.
    """

    connect: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=60)
    steady: timedelta = timedelta(seconds=10)
    pause_first: timedelta = timedelta(milliseconds=500)
    pause_cap: timedelta = timedelta(seconds=30)


@dataclass(frozen=True)
class Gap:
    """A stretch of time in which symbols could not be heard: [ts_start, ts_end).

    Args:
        ts_start: The last that was heard before.
    """

    symbols: tuple[str, ...]
    ts_start: datetime
    ts_end: datetime
    detail: str


@dataclass
class Link:
    """What is known of one connection; written by its coroutine and by whoever changes its symbols.

    Args:
        symbols: What it is to carry; replaced as a whole, as another thread does it.
        canary: Symbol that never sleeps, subscribed last: when the vendor cuts the list, it falls silent.
        ts_lost: Since when nothing was heard; None while connected.
        ts_canary: When this connection last heard the canary; None until it does.
        ts_idle: When the connection last had nothing more to say: all that it had sent was read.
        ts_event: Newest event time that it brought.
        subscribed: When each symbol was asked for on this connection.
    """

    canary: str | None
    ts_lost: datetime | None
    symbols: frozenset[str] = frozenset()
    problem: str = "not connected yet"
    ts_connected: datetime | None = None
    ts_heard: datetime | None = None
    ts_canary: datetime | None = None
    ts_idle: datetime | None = None
    ts_event: datetime | None = None
    subscribed: dict[str, datetime] = field(default_factory=lambda: {})
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, now: datetime) -> Gap | None:
        """A connection is there; gives the gap that it ends."""
        gap = self.gap_of(self.symbols, now)
        self.ts_connected = self.ts_heard = self.ts_idle = now
        self.ts_lost = self.ts_canary = None
        self.subscribed = {}
        return gap

    def lost(self, why: str, now: datetime) -> None:
        """The connection is gone, or could not be had."""
        self.problem = why
        self.ts_lost = self.ts_lost or self.ts_heard or now
        self.ts_connected = None

    def gap_of(self, symbols: frozenset[str], now: datetime) -> Gap | None:
        """What these have missed by now; None while nothing is missed, or by a clock that was set back."""
        if not symbols or self.ts_lost is None or self.ts_lost >= now:
            return None
        return Gap(tuple(sorted(symbols)), self.ts_lost, now, self.problem)

    def is_lost_since(self, ts: datetime) -> bool:
        """Whether nothing has been heard since the instant for want of a connection."""
        return self.ts_connected is None and (self.ts_lost is None or self.ts_lost <= ts)

    def carries(self, symbol: str) -> bool:
        """Whether the vendor has certainly taken the subscription."""
        asked, heard = self.subscribed.get(symbol), self.ts_heard
        is_heard = asked is not None and heard is not None and heard - asked >= _SETTLED_AFTER
        return self.ts_connected is not None and is_heard


Deliver = Callable[[bytes, datetime, Link], None]
"""Takes a frame, when it came, and from where."""


@dataclass(frozen=True)
class Vendor:
    """Where to connect, and what to do with what comes.

    Args:
        is_expected: Whether the link has reason to hear something now: a market of its symbols trades, or its canary lives.
        is_cut: Whether others hear the canary now.
        has_room: False while the reader is behind; the socket is not read meanwhile.
    """

    url: str
    clock: Clock
    patience: Patience
    deliver: Deliver
    on_gap: Callable[[Gap], None]
    is_expected: Callable[[Link, datetime], bool]
    is_cut: Callable[[Link, datetime], bool]
    has_room: Callable[[], bool]


async def keep_connected(link: Link, vendor: Vendor) -> None:
    """Keep the link's connection, for ever: a drop, a refusal and silence are told to the link, waited out and mended."""
    pauses = _pauses(vendor.patience)
    while True:
        try:
            async with connected(vendor.url, within=vendor.patience.connect) as socket:
                await _listen(socket, link, vendor)
        except (FeedUnreachable, StreamClosed, StreamSilent) as error:
            if _lasted(link, vendor):
                pauses = _pauses(vendor.patience)
            link.lost(str(error), vendor.clock.now())
        await asyncio.sleep(next(pauses))


def _lasted(link: Link, vendor: Vendor) -> bool:
    return link.ts_connected is not None and vendor.clock.now() - link.ts_connected > vendor.patience.steady


async def _listen(socket: Socket, link: Link, vendor: Vendor) -> None:
    symbols = sorted(link.symbols)
    await _subscribe(socket, link, symbols)
    now = vendor.clock.now()
    gap = link.opened(now)
    link.subscribed = dict.fromkeys(symbols, now)
    if gap:
        vendor.on_gap(gap)
    keeper = asyncio.create_task(_keep_subscribed(socket, link, vendor.clock))
    try:
        await _receive(socket, link, vendor)
    finally:
        keeper.cancel()


async def _receive(socket: Socket, link: Link, vendor: Vendor) -> None:
    while True:
        while not vendor.has_room():
            await asyncio.sleep(_ROOM_EVERY_S)
        asked = vendor.clock.now()
        try:
            body = await socket.receive(within=vendor.patience.silence / 4)
        except TimeoutError:
            body = None
        now = vendor.clock.now()
        if now - asked >= _IDLE:
            link.ts_idle = now
        if body is not None:
            link.ts_heard = now
            vendor.deliver(body, now, link)
        _check_silence(link, vendor, now)


def _check_silence(link: Link, vendor: Vendor, now: datetime) -> None:
    """Raises StreamSilent when the connection is open but dead, or has lost the end of its list."""
    limit = vendor.patience.silence
    if link.ts_heard and now - link.ts_heard >= limit and vendor.is_expected(link, now):
        raise StreamSilent(vendor.url, limit, "nothing")
    heard = link.ts_canary or link.ts_connected
    if heard and now - heard >= limit and vendor.is_cut(link, now):
        link.ts_heard = heard
        raise StreamSilent(vendor.url, limit, f"no word of {link.canary}, the last of its list,")


async def _keep_subscribed(socket: Socket, link: Link, clock: Clock) -> None:
    """Tell the vendor what joins and what leaves."""
    try:
        while True:
            await link.changed.wait()
            link.changed.clear()
            gone = sorted(link.subscribed.keys() - link.symbols - {link.canary or ""})
            if gone:
                await socket.send(json.dumps({"unsubscribe": gone}))
                for symbol in gone:
                    link.subscribed.pop(symbol, None)
            if new := sorted(link.symbols - link.subscribed.keys()):
                await _subscribe(socket, link, new)
                link.subscribed |= dict.fromkeys(new, clock.now())
    except StreamClosed:
        return  # the reading side sees it, too


async def _subscribe(socket: Socket, link: Link, symbols: Sequence[str]) -> None:
    await socket.send(json.dumps({"subscribe": list(_canary_last(symbols, link.canary))}))


def _canary_last(symbols: Iterable[str], canary: str | None) -> Iterator[str]:
    yield from (symbol for symbol in symbols if symbol != canary)
    if canary:
        yield canary


def _pauses(patience: Patience) -> Iterator[float]:
    """Seconds between attempts: doubled each time up to the cap, of which a random half is taken off."""
    longest = patience.pause_first
    while True:
        yield longest.total_seconds() * random.uniform(0.5, 1.0)
        longest = min(2 * longest, patience.pause_cap)
