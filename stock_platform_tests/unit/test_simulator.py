"""The simulated market: the same for ever, sane, alive at night; and its server, which the stream client outlives."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread

import numpy as np
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.probe import free_port
from stock_platform.adapters.websocket import Socket, connected
from stock_platform.errors import StreamClosed
from stock_platform.feed.simulator.market import Market
from stock_platform.feed.simulator.server import SimulatorServer, simulator
from stock_platform.feed.simulator.shape import Hours
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import load_watchlist
from stock_platform.feed.yahoo.pricing import parse
from stock_platform.feed.yahoo.source import StreamSource
from stock_platform.feed.yahoo.stream import Patience, probe_stream

_CLOCK = SystemClock()
_SUNDAY, _MONDAY = date(2026, 11, 22), date(2026, 11, 23)
_INSTRUMENTS = load_watchlist()
_QUICK = Patience(
    connect=timedelta(seconds=2),
    silence=timedelta(seconds=10),
    pause_first=timedelta(milliseconds=50),
    pause_cap=timedelta(milliseconds=200),
)


def _market(hours: Hours = "always", seed: int = 7) -> Market:
    return Market(_INSTRUMENTS, seed=seed, hours=hours)


def _second(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp())


def test_market_asked_again_from_any_second_says_the_same() -> None:
    forward = [_market().newest("AAPL", _second(_MONDAY, hour)) for hour in range(24)]
    market = _market()
    backward = [market.newest("AAPL", _second(_MONDAY, hour)) for hour in reversed(range(24))]
    assert forward == backward[::-1]
    assert forward != [_market(seed=8).newest("AAPL", _second(_MONDAY, hour)) for hour in range(24)]


@pytest.mark.parametrize("day", [_SUNDAY, _MONDAY])
def test_every_symbol_trades_in_nearly_every_minute(day: date) -> None:
    market = _market()
    minutes = [len(np.unique(market.path(each.symbol, day).seconds // 60)) for each in _INSTRUMENTS]
    assert min(minutes) > 0.98 * 1_440


def test_volume_never_falls_within_a_session_and_starts_near_nothing() -> None:
    volumes = _market().path("AAPL", _MONDAY).volumes
    assert volumes[0] < 0.001 * volumes[-1]
    assert (np.diff(volumes) > 0).all()
    assert 20_000_000 < volumes[-1] < 100_000_000  # the watchlist says 48 million a regular day


def test_price_goes_on_over_midnight_and_stays_sane_for_years() -> None:
    market = _market()
    for symbol, base in (("AAPL", 272), ("SPY", 660), ("BTC-USD", 84_600)):
        last, first = market.path(symbol, _SUNDAY).prices[-1], market.path(symbol, _MONDAY).prices[0]
        assert abs(first / last - 1) < 0.005
        for year in range(2013, 2036):
            update = market.newest(symbol, _second(date(year, 6, 2), 12))
            assert update is not None
            assert base / 4 < update.price < base * 4


def test_open_market_is_livelier_than_the_night_and_noon() -> None:
    path = _market().path("AAPL", _MONDAY)
    volumes = dict(zip(path.seconds.tolist(), path.volumes.tolist(), strict=True))

    def traded(hour: int, minute: int) -> int:
        inside = [volume for second, volume in volumes.items() if 0 <= second - hour * 3600 - minute * 60 < 1800]
        return max(inside) - min(inside)

    first_half_hour, noon, night = traded(14, 30), traded(17, 30), traded(3, 0)
    assert first_half_hour > 1.5 * noon > 15 * night > 0


def test_exchange_hours_are_the_real_ones() -> None:
    market = _market("exchange")
    assert market.path("AAPL", _SUNDAY).seconds.size == 0
    assert market.path("BTC-USD", _SUNDAY).seconds.size > 10_000
    path = market.path("AAPL", _MONDAY)
    regular = path.seconds[path.volumes >= 0]
    assert regular[0] >= 14 * 3600 + 1800
    assert regular[-1] < 21 * 3600
    assert path.seconds[0] >= 9 * 3600
    weekend = market.newest("AAPL", _second(_SUNDAY, 12))
    assert weekend is not None
    assert weekend.second < _second(date(2026, 11, 21), 1, 0)  # the end of Friday's post-market


@dataclass
class _Running:
    """A simulator in a thread of its own, and means to hurt it."""

    port: int
    loop: asyncio.AbstractEventLoop
    server: SimulatorServer
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def client(self) -> Socket:
        assert wait_until(lambda: len(self.server.clients) == 1, _CLOCK, within=timedelta(seconds=10))
        return next(iter(self.server.clients))

    def close(self, code: int) -> None:
        asyncio.run_coroutine_threadsafe(self.client().close(code), self.loop).result(10)

    def abort(self) -> None:
        self.loop.call_soon_threadsafe(self.client().abort)

    def send(self, text: str) -> None:
        asyncio.run_coroutine_threadsafe(self.client().send(text), self.loop).result(10)


def _start(port: int = 0) -> _Running:
    started = Event()
    running: list[_Running] = []

    async def main() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            server, bound = await stack.enter_async_context(simulator(_market(), clock=_CLOCK, port=port))
            running.append(_Running(bound, loop, server, lambda: loop.call_soon_threadsafe(over.set)))
            started.set()
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(10)
    stop = running[0].stop

    def stop_and_join() -> None:
        stop()
        thread.join(10)

    running[0].stop = stop_and_join
    return running[0]


def _read_until(source: StreamSource, condition: Callable[[list[Candidate]], bool]) -> list[Candidate]:
    """Candidates from now on, up to the condition."""
    got: list[Candidate] = []

    def is_there() -> bool:
        got.extend(item for item in source.read(timedelta(milliseconds=100)) if isinstance(item, Candidate))
        return condition(got)

    assert wait_until(is_there, _CLOCK, within=timedelta(seconds=20), every=timedelta(0)), source.last_error
    return got


def _is_after(earlier: list[Candidate]) -> Callable[[list[Candidate]], bool]:
    """A later connection than the earlier candidates' has brought something."""
    connections = {each.ts_connected for each in earlier}
    return lambda got: any(each.ts_connected not in connections for each in got)


def test_stream_brings_a_snapshot_and_then_updates_of_every_symbol() -> None:
    running = _start()
    source = StreamSource(running.url, _INSTRUMENTS, clock=_CLOCK, patience=_QUICK)
    try:
        _read_until(source, lambda got: len({each.symbol for each in got}) == 34)
        _read_until(source, lambda got: len(got) >= 20)
    finally:
        source.close()
        running.stop()


@pytest.mark.parametrize("how", ["close 1000", "close 1011", "abort"])
def test_stream_outlives_a_drop(how: str) -> None:
    running = _start()
    source = StreamSource(running.url, _INSTRUMENTS[:4], clock=_CLOCK, patience=_QUICK)
    try:
        before = _read_until(source, bool)
        running.abort() if how == "abort" else running.close(int(how.split()[1]))
        _read_until(source, _is_after(before))
        assert source.last_error is not None
    finally:
        source.close()
        running.stop()


def test_stream_outlives_a_restart_of_the_server_and_volume_goes_on() -> None:
    running = _start(free_port())
    source = StreamSource(running.url, _INSTRUMENTS[:1], clock=_CLOCK, patience=_QUICK)
    try:
        before = _read_until(source, bool)
        running.stop()
        running = _start(running.port)
        after = _read_until(source, _is_after(before))
    finally:
        source.close()
        running.stop()
    volumes = [each.day_volume for each in (*before, *after) if each.day_volume is not None]
    assert volumes == sorted(volumes)
    assert len(volumes) == len(before) + len(after)


def test_bad_frame_is_a_refusal_and_the_line_stays() -> None:
    running = _start()
    source = StreamSource(running.url, _INSTRUMENTS[:4], clock=_CLOCK, patience=_QUICK)
    reasons: list[str] = []

    def is_refused() -> bool:
        reasons.extend(item.reason for item in source.read(timedelta(milliseconds=100)) if isinstance(item, Refusal))
        return reasons == ["not_json"]

    try:
        _read_until(source, bool)
        running.send("not json")
        assert wait_until(is_refused, _CLOCK, within=timedelta(seconds=10), every=timedelta(0))
        _read_until(source, bool)
        assert source.last_error is None
    finally:
        source.close()
        running.stop()


def test_silent_server_is_left_and_asked_again() -> None:
    running = _start()
    nobody = _INSTRUMENTS[0].model_copy(update={"symbol": "NOBODY"})
    patience = Patience(silence=timedelta(milliseconds=200), pause_first=timedelta(milliseconds=10))
    source = StreamSource(running.url, [nobody], clock=_CLOCK, patience=patience)
    try:
        assert wait_until(lambda: source.last_error is not None, _CLOCK, within=timedelta(seconds=10))
        assert "Nothing came from" in (source.last_error or "")
    finally:
        source.close()
        running.stop()


@pytest.mark.parametrize("message", ["rubbish", '{"subscribe":"AAPL"}', '{"subscribe":[null]}', "[]"])
def test_server_hangs_up_on_a_malformed_message_as_yahoo_does(message: str) -> None:
    running = _start()

    async def ask() -> None:
        async with connected(running.url, within=timedelta(seconds=5)) as socket:
            await socket.send(message)
            await socket.receive(within=timedelta(seconds=5))

    try:
        with pytest.raises(StreamClosed):
            asyncio.run(ask())
    finally:
        running.stop()


def test_frame_of_the_simulator_is_yahoos() -> None:
    running = _start()

    async def ask() -> bytes:
        async with connected(running.url, within=timedelta(seconds=5)) as socket:
            await socket.send(json.dumps({"subscribe": ["AAPL"]}))
            return await socket.receive(within=timedelta(seconds=5))

    try:
        pricing = parse(asyncio.run(ask()))
    finally:
        running.stop()
    assert pricing.id == "AAPL"
    assert pricing.time % 1000 == 0
    assert Decimal(f"{pricing.previous_close:.7g}") > 0
    assert pricing.day_volume > 0


def test_probe_says_whether_a_stream_is_there() -> None:
    running = _start()
    try:
        assert probe_stream(running.url) is None
    finally:
        running.stop()
    assert "Connect call failed" in str(probe_stream(running.url))
