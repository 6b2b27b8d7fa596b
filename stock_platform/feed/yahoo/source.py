"""The stream as a source that can be read without asyncio: connections live in a thread, candidates wait in a queue.

Not here: one connection (stream), what is asked for while the stream is silent (fallback)."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue

import msgspec

from stock_platform.adapters.clock import Clock
from stock_platform.calendars import Calendar, calendar
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.fallback import Fallback, Poll
from stock_platform.feed.yahoo.pricing import Decoder, Frame
from stock_platform.feed.yahoo.stream import CONNECTION_SYMBOL_LIMIT, Gap, Link, Patience, Vendor, keep_connected

_QUEUE_COUNT = 50_000
"""Candidates that wait while Kafka is slow: 25 minutes of the default watchlist; then the socket is not read."""
_BATCH_COUNT = 1_000
_JOIN_WITHIN_S = 10.0
_DELAY = timedelta(seconds=2)
"""A tick is ours this long after it happened: Yahoo's grid of whole seconds, and the way."""
_FRESH = timedelta(seconds=10)
"""A connection that was heard within this time lives."""
_NEVER_AFTER = timedelta(minutes=5)
"""A symbol that was subscribed for so long and never came does not stream; asked for while its market trades."""


class StreamSource:
    """All connections of one line. Open until closed; never over.

    Args:
        canary: Symbol that never sleeps; None: the calendars alone say when silence is wrong.
        poll: Makes what asks for prices while the stream is silent, with the line's sequence; None: nobody does.
        ts_lost: Since when nothing was heard, by an earlier run of the line: its connections begin with that gap.
    """

    def __init__(
        self,
        url: str,
        instruments: Sequence[Instrument],
        *,
        clock: Clock,
        patience: Patience | None = None,
        canary: str | None = None,
        poll: Callable[[Iterator[int]], Poll] | None = None,
        ts_lost: datetime | None = None,
    ) -> None:
        self.decoder = Decoder()
        self.sequence = count()
        self.ts_recv_last: datetime | None = None
        self._clock = clock
        self._canary = canary
        self._calendars: dict[str, Calendar] = {}
        self._heard: set[str] = set()
        self._left: set[str] = set()
        self._links: list[Link] = []
        self._gaps: SimpleQueue[Gap] = SimpleQueue()
        self._queue: SimpleQueue[Candidate | Refusal] = SimpleQueue()
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._changed, self._is_closing = asyncio.Event(), False
        self._vendor = Vendor(
            url=url,
            clock=clock,
            patience=patience or Patience(),
            deliver=self._deliver,
            on_gap=self._gaps.put,
            is_expected=self._is_expected,
            is_cut=self._is_canary_elsewhere,
            has_room=lambda: self._queue.qsize() < _QUEUE_COUNT,
        )
        self.watch(instruments, ts_lost=ts_lost)
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()
        self.fallback = Fallback(partial(poll, self.sequence), self.unheard, self._queue.put, clock=clock) if poll else None

    def watch(self, instruments: Sequence[Instrument], *, ts_lost: datetime | None = None) -> None:
        """Carry these and nothing else: what stays is not touched, what is new joins where there is room."""
        wanted = {each.symbol: calendar(each.calendar) for each in instruments}
        self._left = (self._left | self._calendars.keys()) - wanted.keys()
        self._calendars = wanted
        now = self._clock.now()
        for link in self._links:
            if gap := link.gap_of(link.symbols - wanted.keys(), now):
                self._gaps.put(gap)
            link.symbols &= wanted.keys()
        # Those that never sleep go last, wherever there is no canary: a cut list shows as their silence.
        new = sorted(wanted.keys() - self._held(), key=lambda symbol: (wanted[symbol].name == "24/7", symbol))
        for symbol in new:
            link = self._link_with_room(ts_lost)
            link.symbols |= {symbol}
        self._loop.call_soon_threadsafe(self._changed.set)

    def _held(self) -> set[str]:
        return {symbol for link in self._links for symbol in link.symbols}

    def _link_with_room(self, ts_lost: datetime | None) -> Link:
        found = next((link for link in self._links if len(link.symbols) < CONNECTION_SYMBOL_LIMIT), None)
        if found is None:
            found = Link(self._canary, ts_lost)
            self._links.append(found)
        return found

    @property
    def carried(self) -> tuple[str, ...]:
        """Symbols whose subscription the vendor has certainly taken."""
        return tuple(sorted(s for link in self._links for s in link.symbols if link.carries(s)))

    @property
    def last_error(self) -> str | None:
        """Newest problem of a connection that is down, or of the polling, for a person."""
        down = next((link.problem for link in self._links if link.symbols and link.ts_connected is None), None)
        return down or (self.fallback.last_error if self.fallback else None)

    def covered_until(self, now: datetime) -> datetime | None:
        """Event time before which nothing more will come; None while a connection is down and nobody polls."""
        instants = [self._covered(link, now) for link in self._links if link.symbols]
        return None if None in instants else min((ts for ts in instants if ts is not None), default=now - _DELAY)

    def _covered(self, link: Link, now: datetime) -> datetime | None:
        """Now, while the connection is read as fast as it speaks; else how far it has been read."""
        if link.ts_connected is None or link.ts_idle is None:
            return self.fallback.ts_polled if self.fallback else None
        if now - link.ts_idle < _FRESH or not self._is_expected(link, now):
            return now - _DELAY
        return max(link.ts_idle, link.ts_event or link.ts_idle) - _DELAY

    def gaps(self) -> tuple[Gap, ...]:
        """Gaps that have ended since the last call."""
        return tuple(self._gaps.get_nowait() for _ in range(self._gaps.qsize()))

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal]:
        """What has come; waits for the first no longer than told.

        Raises:
            whatever ended the thread: nothing that the client knows how to survive.
        """
        if self._failure is not None:
            raise self._failure
        try:
            first = self._queue.get(timeout=within.total_seconds()) if within else self._queue.get_nowait()
        except Empty:
            return []
        return [first, *(self._queue.get_nowait() for _ in range(min(self._queue.qsize(), _BATCH_COUNT)))]

    def close(self) -> None:
        """Leave the vendor and end the threads; what has come can still be read."""
        if self.fallback:
            self.fallback.close()
        if self._thread.is_alive():
            self._is_closing = True
            self._loop.call_soon_threadsafe(self._changed.set)
            self._thread.join(_JOIN_WITHIN_S)

    def _deliver(self, body: bytes, now: datetime, link: Link) -> None:
        """One frame: a canary's is a sign of life; only its owner's connection takes it for a price, too."""
        self.ts_recv_last = now
        assert link.ts_connected is not None
        item = self.decoder.decode(Frame(body, now, link.ts_connected, next(self.sequence)))
        if isinstance(item, Candidate):
            if item.symbol == self._canary:
                link.ts_canary = now
            if item.symbol not in link.symbols and (item.symbol == self._canary or item.symbol in self._left):
                return
            self._heard.add(item.symbol)
            link.ts_event = max(item.ts_event, link.ts_event or item.ts_event)
            asked = link.subscribed.get(item.symbol)
            if asked is not None and asked != link.ts_connected:
                item = msgspec.structs.replace(item, ts_connected=asked)
        self._queue.put(item)

    def _is_canary_elsewhere(self, link: Link, now: datetime) -> bool:
        """A canary that nobody hears is itself asleep: no reason to leave a connection that brings the rest."""
        others = (each.ts_canary for each in tuple(self._links) if each is not link)
        return any(ts is not None and now - ts < self._vendor.patience.silence / 2 for ts in others)

    def _is_expected(self, link: Link, now: datetime) -> bool:
        return link.ts_canary is not None or self._is_canary_elsewhere(link, now) or self._is_trading(link.symbols, now)

    def _is_trading(self, symbols: frozenset[str], now: datetime) -> bool:
        known = self._calendars
        calendars = {hours.name: hours for symbol in symbols if (hours := known.get(symbol))}
        return any(hours.is_trading(now) for hours in calendars.values())

    def unheard(self, now: datetime) -> list[str]:
        """What the stream does not bring although its market trades: symbols of lost connections, and such as never came."""
        links, calendars = tuple(self._links), self._calendars
        lost = {s for link in links if link.is_lost_since(now - _FRESH) for s in link.symbols}
        asked = (each for link in links for each in tuple(link.subscribed.items()))
        silent = {symbol for symbol, since in asked if now - since > _NEVER_AFTER and symbol not in self._heard}
        return sorted(s for s in (lost | silent) & calendars.keys() if calendars[s].is_trading(now))

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._keep_links())
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: told to the reader
            self._failure = error
        finally:
            self._loop.close()

    async def _keep_links(self) -> None:
        """A task for each link that carries something."""
        tasks: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while not self._is_closing:
                for link in tuple(self._links):
                    if link.symbols and id(link) not in tasks:
                        tasks[id(link)] = group.create_task(keep_connected(link, self._vendor))
                    elif not link.symbols and id(link) in tasks:
                        tasks.pop(id(link)).cancel()
                    link.changed.set()
                await self._changed.wait()
                self._changed.clear()
            for task in tasks.values():
                task.cancel()
