"""Yahoo's streaming protocol: who is connected, what each one gets, and which connections fail.

As Yahoo: at most 100 symbols a connection, further ones cut without a word; unsubscribing frees slots; a malformed message
ends the connection; a subscription is answered with the newest update of each symbol. Not here: frames (distortion).
Each second's frames are made once a symbol, in a thread, and handed to each connection in one write."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import BaseModel, StrictStr, ValidationError, model_validator

from stock_platform.adapters.websocket import Socket
from stock_platform.errors import StreamClosed
from stock_platform.feed.simulator.distortion import Frames
from stock_platform.feed.simulator.fault import Cut, Mute, Refuse
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.pace import Pace

_SYMBOL_LIMIT = 100
_PREPARED_S = 60
"""So far ahead updates are computed, a part of the symbols in each second, so that no block's beginning is a burst."""
_CUT_WITHIN_S = 5
"""A cut that could not be made so long (a late start) is made no more."""


class _Message(BaseModel):
    subscribe: list[StrictStr] = []
    unsubscribe: list[StrictStr] = []

    @model_validator(mode="after")
    def _says_something(self) -> "_Message":
        if not self.model_fields_set:
            raise ValueError("neither subscribe nor unsubscribe")
        return self


@dataclass
class Client:
    """One connection."""

    symbols: dict[str, None] = field(default_factory=dict[str, None])
    frames_sent: int = 0
    frames_dropped: int = 0


class Stream:
    """Every connection, served from one world."""

    def __init__(self, frames: Frames, faults: Faults, pace: Pace) -> None:
        self._frames = frames
        self._faults = faults
        self._pace = pace
        self._second = pace.second()
        self._between_seconds = asyncio.Lock()
        self._cuts_made: set[tuple[str, int]] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self.clients: dict[Socket, Client] = {}
        self.frames_sent = 0

    def admits(self) -> bool:
        """Whether a new connection is taken."""
        return not self._faults.active(Refuse, self._pace.second())

    async def serve_client(self, socket: Socket) -> None:
        """One connection, from its first word to its last."""
        client = self.clients[socket] = Client()
        try:
            with suppress(StreamClosed, ValidationError):
                while True:
                    await self._obey(socket, client, _Message.model_validate_json(await socket.receive()))
        finally:
            del self.clients[socket]
            await socket.close()

    async def _obey(self, socket: Socket, client: Client, message: _Message) -> None:
        for symbol in message.unsubscribe:
            client.symbols.pop(symbol, None)
        async with self._between_seconds:
            if not socket.is_open:  # it may have waited long, behind many others
                return
            new = [symbol for symbol in dict.fromkeys(message.subscribe) if symbol not in client.symbols]
            new = new[: _SYMBOL_LIMIT - len(client.symbols)]
            snapshots = await asyncio.to_thread(self._snapshots, new, self._second)
            self._give(socket, client, snapshots)
            client.symbols.update(dict.fromkeys(new))

    def _snapshots(self, symbols: Iterable[str], second: int) -> list[bytes]:
        return [frame for symbol in symbols if (frame := self._frames.snapshot(symbol, second))]

    async def run(self) -> None:
        """Send each second's updates, for ever."""
        async for second in self._pace.seconds():
            async with self._between_seconds:
                symbols = sorted({symbol for client in self.clients.values() for symbol in client.symbols})
                frames = await asyncio.to_thread(self._frames.of, symbols, second)
                self._second = second
                for socket, client in self.clients.items():
                    self._give(socket, client, [frame for symbol in client.symbols for frame in frames.get(symbol, ())])
            self._cut(second)
            await asyncio.to_thread(self._frames.of, symbols[second % _PREPARED_S :: _PREPARED_S], second + _PREPARED_S)

    def _give(self, socket: Socket, client: Client, frames: Sequence[bytes]) -> None:
        """A muted connection gets nothing; one that does not read misses what it has no room for."""
        muted = self._faults.active(Mute, self._pace.second())
        if not frames or any(self._is_meant(fault, socket) for fault, _ in muted):
            return
        if socket.offer(frames):
            client.frames_sent += len(frames)
            self.frames_sent += len(frames)
        else:
            client.frames_dropped += len(frames)

    def _cut(self, second: int) -> None:
        for fault, start in self._faults.active(Cut, second):
            turn, late = divmod(second - start, int(fault.every_s)) if fault.every_s else (0, second - start)
            if late > _CUT_WITHIN_S or (fault.id, turn) in self._cuts_made:
                continue
            self._cuts_made.add((fault.id, turn))
            meant = [socket for socket in self.clients if self._is_meant(fault, socket)]
            for socket in meant:
                ending = asyncio.create_task(_end(socket, fault))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)

    def _is_meant(self, fault: Cut | Mute, socket: Socket) -> bool:
        if fault.connection is not None and list(self.clients).index(socket) != fault.connection:
            return False
        return fault.symbols is None or not self.clients[socket].symbols.keys().isdisjoint(fault.symbols)


async def _end(socket: Socket, cut: Cut) -> None:
    if cut.code == "abort":
        socket.abort()
    else:
        await socket.close(cut.code)
