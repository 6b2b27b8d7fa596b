"""Yahoo's streaming protocol over the simulated market. Not here: what the market does (market).

As Yahoo: at most 100 symbols a connection, further ones cut without a word; a malformed message ends the connection;
a subscription is answered with the newest update of each symbol; times are whole seconds."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from pydantic import BaseModel, StrictStr, ValidationError

from stock_platform.adapters.clock import Clock, SystemClock
from stock_platform.adapters.websocket import Socket, serving
from stock_platform.errors import StreamClosed
from stock_platform.feed.simulator.market import Market, Update, second_of
from stock_platform.feed.simulator.shape import Hours
from stock_platform.feed.tick import EPOCH
from stock_platform.feed.watchlist import Instrument, load_watchlist
from stock_platform.feed.yahoo.pricing import encode

_SYMBOL_LIMIT = 100
_CATCH_UP_LIMIT = 10
"""Seconds that a delayed server sends afterwards; a real vendor conflates what is older."""
_REGULAR_MARKET = 1


class _Subscription(BaseModel):
    subscribe: list[StrictStr]


class SimulatorServer:
    """Serves every client from one market."""

    def __init__(self, market: Market, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self.clients: dict[Socket, list[str]] = {}

    async def serve_client(self, socket: Socket) -> None:
        """One connection, from its first word to its last."""
        symbols = self.clients[socket] = list[str]()
        sender = asyncio.create_task(self._send_updates(socket, symbols))
        try:
            with suppress(StreamClosed, ValidationError):
                while True:
                    await self._subscribe(socket, symbols, await socket.receive())
        finally:
            sender.cancel()
            del self.clients[socket]
            await socket.close()

    async def _subscribe(self, socket: Socket, symbols: list[str], body: bytes) -> None:
        """Raises ValidationError on a message that Yahoo would hang up on."""
        wanted = _Subscription.model_validate_json(body).subscribe
        new = [symbol for symbol in wanted if symbol not in symbols][: _SYMBOL_LIMIT - len(symbols)]
        now = second_of(self._clock.now())
        for symbol in new:
            if update := self._market.newest(symbol, now):
                await socket.send(_frame(update))
        symbols.extend(new)

    async def _send_updates(self, socket: Socket, symbols: Sequence[str]) -> None:
        with suppress(StreamClosed):
            async for second in self._seconds():
                for frame in self._frames(symbols, second):
                    await socket.send(frame)

    def _frames(self, symbols: Sequence[str], second: int) -> Iterator[str]:
        updates = (self._market.update(symbol, second) for symbol in tuple(symbols))
        return (_frame(update) for update in updates if update)

    async def _seconds(self) -> AsyncIterator[int]:
        """Each second of the clock, as it begins."""
        last = second_of(self._clock.now())
        while True:
            now = self._clock.now()
            await asyncio.sleep((EPOCH + timedelta(seconds=last + 1) - now).total_seconds())
            current = second_of(self._clock.now())
            for second in range(max(last + 1, current - _CATCH_UP_LIMIT), current + 1):
                yield second
            last = max(last, current)


def _frame(update: Update) -> str:
    volume = update.day_volume
    regular = {} if volume is None else {"market_hours": _REGULAR_MARKET, "day_volume": volume}
    change = update.price - update.previous_close
    return encode(
        id=update.symbol,
        price=update.price,
        time=update.second * 1000,
        exchange="SIM",
        quote_type=8,
        change_percent=100 * change / update.previous_close,
        change=change,
        previous_close=update.previous_close,
        price_hint=2,
        **regular,
    )


@asynccontextmanager
async def simulator(market: Market, *, clock: Clock, port: int = 0) -> AsyncGenerator[tuple[SimulatorServer, int], None]:
    """A running server and its port."""
    server = SimulatorServer(market, clock)
    async with serving(server.serve_client, port=port) as bound:
        yield server, bound


def serve(port: int, *, seed: int, hours: Hours, watchlist: Sequence[Instrument] | None = None, clock: Clock | None = None) -> None:
    """Serve until interrupted (SIGINT) or ended (SIGTERM)."""
    market = Market(watchlist or load_watchlist(), seed=seed, hours=hours)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (2, 15):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with simulator(market, clock=clock or SystemClock(), port=port):
            await stop.wait()

    asyncio.run(run())
