"""The simulator as a process: stream, HTTP and the proxy that leads Yahoo's names to them, on one loop.

Not here: what they say (stream, vendor, control)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stock_platform.adapters.certificates import server_context
from stock_platform.adapters.clock import Clock, SystemClock
from stock_platform.adapters.connect_proxy import proxy_serving
from stock_platform.adapters.http_server import http_serving
from stock_platform.adapters.websocket import serving
from stock_platform.feed.simulator.chart import Charts
from stock_platform.feed.simulator.control import create_control
from stock_platform.feed.simulator.distortion import Frames
from stock_platform.feed.simulator.fault import Fault
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.market import Market, Rate
from stock_platform.feed.simulator.pace import Pace
from stock_platform.feed.simulator.played import PlayedTape
from stock_platform.feed.simulator.quote import Quotes
from stock_platform.feed.simulator.shape import Hours
from stock_platform.feed.simulator.stream import Stream
from stock_platform.feed.simulator.updates import Source, instant, second_of
from stock_platform.feed.simulator.vendor import create_vendor
from stock_platform.feed.simulator.weather import Weather
from stock_platform.feed.simulator.world import World
from stock_platform.feed.watchlist import Instrument, load_watchlist

_DOMAIN = "yahoo.com"
_CERTIFIED = (_DOMAIN, f"*.{_DOMAIN}", f"*.finance.{_DOMAIN}")
_STREAMER = f"streamer.finance.{_DOMAIN}"


@dataclass
class Simulator:
    """A simulated vendor, not yet reachable.

    Args:
        source: The market of a seed, or a tape.
        scenario: Faults; those without a start are counted from this moment.
    """

    source: Source
    pace: Pace
    seed: int
    hours: Hours
    scenario: Sequence[Fault] = ()

    def __post_init__(self) -> None:
        self.faults = Faults(seed=self.seed)
        now = self.pace.second()
        for fault in self.scenario:
            self.faults.add(fault, now=now)
        self.world = World(self.source, self.faults)
        self.frames = Frames(self.world, self.faults, hours=self.hours)
        self.stream = Stream(self.frames, self.faults, self.pace)
        self.charts = Charts(self.world, hours=self.hours)
        quotes = Quotes(self.world, self.charts, hours=self.hours)
        self.app, requests = create_vendor(self.charts, quotes, Weather(self.faults), self.pace, seed=self.seed)
        self.app.mount("/control", create_control(self.stream, self.faults, self.pace, requests))


@dataclass(frozen=True)
class Ports:
    """Where a running simulator listens: on 127.0.0.1, its proxy, which leads to the other two, on `host`."""

    stream: int
    http: int
    proxy: int
    host: str = "127.0.0.1"


@asynccontextmanager
async def running(simulator: Simulator, *, ports: Ports, folder: Path) -> AsyncGenerator[Ports, None]:
    """All three servers; gives their ports (0 asks for a free one).

    Args:
        folder: Of the certificate authority, made if missing.
    """
    async with AsyncExitStack() as stack:
        stream = simulator.stream
        stream_port = await stack.enter_async_context(serving(stream.serve_client, port=ports.stream, admits=stream.admits))
        http_port = await stack.enter_async_context(http_serving(simulator.app, port=ports.http))

        def route(host: str) -> int | None:
            if host == _STREAMER:
                return stream_port
            return http_port if host == _DOMAIN or host.endswith(f".{_DOMAIN}") else None

        tls = server_context(folder, _CERTIFIED)
        proxy_port = await stack.enter_async_context(proxy_serving(route, tls=tls, port=ports.proxy, host=ports.host))
        async with asyncio.TaskGroup() as group:  # a sender that breaks ends the simulator, which would only look alive
            sender = group.create_task(stream.run())
            try:
                yield Ports(stream_port, http_port, proxy_port)
            finally:
                sender.cancel()


def simulated(
    instruments: Sequence[Instrument],
    *,
    seed: int,
    hours: Hours,
    clock: Clock,
    rate: Rate = "natural",
    scenario: Sequence[Fault] = (),
) -> Simulator:
    """The market of a seed."""
    return Simulator(Market(instruments, seed=seed, hours=hours, rate=rate), Pace(clock), seed, hours, scenario)


def played(
    path: Path,
    *,
    known: Sequence[Instrument],
    seed: int,
    clock: Clock,
    speed: float = 1.0,
    is_as_live: bool = False,
    scenario: Sequence[Fault] = (),
) -> Simulator:
    """A tape, from its first print on; as live: moved by whole minutes so that it begins now.

    Raises:
        TapeUnreadable: it is no tape.
    """
    tape = PlayedTape(path, known=known)
    if is_as_live:
        shift_s = (second_of(clock.now()) - tape.first_second) // 60 * 60
        tape = PlayedTape(path, known=known, shift_s=shift_s)
    begins = clock.now() if is_as_live else instant(tape.first_second - 1)
    return Simulator(tape, Pace(clock, begins=begins, speed=speed), seed, "always" if is_as_live else "exchange", scenario)


def run(simulator: Simulator, *, ports: Ports, folder: Path) -> None:
    """Serve until interrupted (SIGINT) or ended (SIGTERM)."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (2, 15):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(simulator, ports=ports, folder=folder):
            await stop.wait()

    asyncio.run(until_stopped())


def serve(port: int, *, seed: int, hours: Hours) -> None:
    """The default watchlist's market on a port, HTTP and proxy on free ones: for a process that lives for a test."""
    simulator = simulated(load_watchlist(), seed=seed, hours=hours, clock=SystemClock())
    with TemporaryDirectory() as folder:
        run(simulator, ports=Ports(port, 0, 0), folder=Path(folder))
