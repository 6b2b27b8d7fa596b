"""How fast the API answers: the watchlist at 200 requests a second, and 1,000 bars of one symbol.

Server, Postgres and client share the machine. The client sends at a steady rate: a late answer delays no request."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.api_server import BAR_COUNT, WATCHED, latencies_ms, later, running_api
from benchmarks.harness import Figure, quantile
from stock_platform.adapters.probe import free_port
from stock_platform_tests.database import migrated_database

STOCKS_PER_S = 200
BARS_PER_S = 10


def figures(*, is_quick: bool) -> list[Figure]:
    """Both, one after the other."""
    lasting_s = 5 if is_quick else 30
    with tempfile.TemporaryDirectory() as folder, migrated_database(Path(folder)) as database:
        settings = database.model_copy(update={"api_port": free_port()})
        with running_api(settings, symbol_count=WATCHED):
            port, bars = settings.api_port, f"/stocks/S001/bars?limit={BAR_COUNT}"
            stocks = asyncio.run(latencies_ms(port, "/stocks", per_s=STOCKS_PER_S, lasting_s=lasting_s))
            thousands = asyncio.run(latencies_ms(port, bars, per_s=BARS_PER_S, lasting_s=lasting_s))
    return [*_quantiles("stocks", later(stocks)), *_quantiles("bars", later(thousands))]


def _quantiles(name: str, found: list[float]) -> list[Figure]:
    return [Figure(f"{name}_p{n}_ms", round(quantile(found, n / 100), 1), "ms", len(found)) for n in (50, 99)]
