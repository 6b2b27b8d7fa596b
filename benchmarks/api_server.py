"""The stack's own API server in a process of its own, over a real Postgres, and a client that costs little.

Not here: what is asked of it (api, sse)."""

import asyncio
import multiprocessing
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from psycopg import sql

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.kafka import ensure_topics, market_topics
from stock_platform.adapters.postgres import connect
from stock_platform.adapters.probe import free_port, page_problem
from stock_platform.api.server import serve
from stock_platform.config import Settings
from stock_platform_tests.broker import running_broker
from stock_platform_tests.database import migrated_database

SYMBOLS = tuple(f"S{number:03}" for number in range(500))
WATCHED = 34
"""As many as the default watchlist has."""
BAR_COUNT = 1_000
_CLOCK = SystemClock()
_ROWS = """
INSERT INTO reference.instrument (symbol, name, sector, currency, calendar, provider)
SELECT 'S' || lpad(number::text, 3, '0'), 'Name of ' || number, 'Technology', 'USD', 'XNYS', 'yahoo'
FROM generate_series(0, {count} - 1) AS number;

INSERT INTO market.quote (symbol, price, previous_close, change_pct, day_volume, currency, session_phase, ts_event, ts_recv, source)
SELECT symbol, 189.25, 188.1, 0.61, 1000000, 'USD', 'regular', '2026-11-20 15:00Z', '2026-11-20 15:00Z', 'tape'
FROM reference.instrument;

INSERT INTO market.bar_1m
SELECT symbol, start, start + interval '1 minute', 189.25, 189.5, 189.01, 189.3, 12345, 189.2718, 87, start, start, 'tape', 0, 0, 0,
    'job', TRUE, '2026-11-20', 1, 'passed', 'run', start
FROM reference.instrument
CROSS JOIN (
    SELECT '2026-11-20 00:00Z'::timestamptz + minute * interval '1 minute' AS start FROM generate_series(1, {bars}) AS minute
) AS minutes;
ANALYZE;
"""


@contextmanager
def running_api(settings: Settings, *, symbol_count: int) -> Generator[int]:
    """The API over so many symbols with 1,000 bars each; gives its process id."""
    with connect(settings.dsn("admin"), autocommit=True) as admin:
        admin.execute(sql.SQL(_ROWS).format(count=sql.Literal(symbol_count), bars=sql.Literal(BAR_COUNT)))
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings,), daemon=True)
    process.start()
    try:
        url = f"http://127.0.0.1:{settings.api_port}/health/ready"
        assert wait_until(lambda: page_problem(url) is None, _CLOCK, within=timedelta(seconds=60)), "the API does not answer"
        assert process.pid is not None
        yield process.pid
    finally:
        process.terminate()
        process.join(20)


@contextmanager
def streaming_api(home: Path, *, symbol_count: int) -> Generator[tuple[Settings, int]]:
    """The same beside a broker with the platform's topics, everything on free ports: settings, and the API's process id."""
    with migrated_database(home / "database") as database, running_broker(home / "kafka") as broker:
        ensure_topics(broker.bootstrap, market_topics())
        ports = {"api_port": free_port(), "kafka_port": int(broker.bootstrap.rpartition(":")[2])}
        settings = database.model_copy(update=ports)
        with running_api(settings, symbol_count=symbol_count) as pid:
            yield settings, pid


def _serve(settings: Settings) -> None:
    serve(settings, lambda *_args, **_names: None, ())


async def open_request(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
    """A connection on which the path was asked for, and the answer's status; its head has been read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    return reader, writer, (await ask(reader, writer, path))[0]


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[int, int]:
    """Status and length of the answer to one request, whose body is left to be read."""
    writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().splitlines()
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
    return int(head.split(b" ", 2)[1]), length


async def latencies_ms(port: int, path: str, *, per_s: float, lasting_s: float, connections: int = 16) -> list[float]:
    """Of requests at a steady rate, from the moment that each was due, whether or not the server had answered those before."""
    loop, due = asyncio.get_running_loop(), asyncio.Queue[float]()
    begun = loop.time() + 0.1
    for number in range(int(per_s * lasting_s)):
        due.put_nowait(begun + number / per_s)
    found: list[float] = []
    await asyncio.gather(*(_worker(port, path, due, found) for _ in range(connections)))
    return found


async def _worker(port: int, path: str, due: "asyncio.Queue[float]", found: list[float]) -> None:
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not due.empty():
        at = due.get_nowait()
        await asyncio.sleep(max(0.0, at - loop.time()))
        status, length = await ask(reader, writer, path)
        assert status == 200, f"{path} answers {status}"
        await reader.readexactly(length)
        found.append((loop.time() - at) * 1000)
    writer.close()


def later(found: Sequence[float]) -> list[float]:
    """Without the first tenth, in which the server warms up."""
    return list(found[len(found) // 10 :])
