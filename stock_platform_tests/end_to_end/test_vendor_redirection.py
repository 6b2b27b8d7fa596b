"""Environment variables alone lead unmodified programs, with Yahoo's default addresses, to the simulator and nowhere else.

The simulator is the command itself; the clients run in a process of their own, with those variables."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.probe import free_port, port_open
from stock_platform.config import PREFIX
from stock_platform.stack import layout

_CLOCK = SystemClock()
_SCENARIO = """
faults:
  - {kind: split, symbols: [NVDA], ratio: 10, start: 2025-06-10T13:30:00Z}
  - {kind: dividend, symbols: [MSFT], amount: 0.91, start: 2026-02-19T14:30:00Z}
"""
_ASK = """
import asyncio, json, sys, tempfile, urllib.error, urllib.request, warnings
warnings.simplefilter("ignore")
import yfinance
from websockets.asyncio.client import connect
from yfinance.data import YfData

yfinance.set_tz_cache_location(tempfile.mkdtemp())
aapl = yfinance.Ticker("AAPL")
minutes, days = aapl.history(period="1d", interval="1m"), aapl.history(period="5y", interval="1d")
found = {
    "minutes": len(minutes), "minute_seconds": sorted({ts.second for ts in minutes.index[:-1]}),
    "minute_volume": int(minutes["Volume"].sum()), "days": len(days), "zone": str(minutes.index.tz),
    "month_of_minutes": len(aapl.history(period="8d", interval="1m")),
    "download": sorted({symbol for _, symbol in yfinance.download(["SPY", "QQQ"], period="5d", progress=False).columns}),
    "splits": {str(day.date()): ratio for day, ratio in yfinance.Ticker("NVDA").splits.items()},
    "dividends": {str(day.date()): amount for day, amount in yfinance.Ticker("MSFT").dividends.items()},
    "last_price": aapl.fast_info.last_price, "previous_close": aapl.fast_info.previous_close, "currency": aapl.fast_info.currency,
    "unknown": len(yfinance.Ticker("NOSUCH").history(period="5d")),
}
address = "https://query1.finance.yahoo.com/v7/finance/quote"
answer = YfData().get_raw_json(address, params={"symbols": "AAPL,NOSUCH,BTC-USD"})
found["quotes"] = [each["symbol"] for each in answer["quoteResponse"]["result"]]

async def listen():
    async with connect("wss://streamer.finance.yahoo.com/?version=2") as stream:
        await stream.send(json.dumps({"subscribe": ["AAPL", "SPY"]}))
        return [json.loads(await asyncio.wait_for(stream.recv(), 20))["type"] for _ in range(3)]

found["stream"] = asyncio.run(listen())
try:
    urllib.request.urlopen("https://example.com", timeout=10)
    found["elsewhere"] = "reached"
except urllib.error.URLError as error:
    found["elsewhere"] = str(error)
print(json.dumps(found))
"""
_OWN_CLIENT = """
import asyncio, json, sys
from datetime import timedelta
from stock_platform.adapters.websocket import connected

async def listen():
    async with connected("wss://streamer.finance.yahoo.com/?version=2", within=timedelta(seconds=20)) as stream:
        await stream.send(json.dumps({"subscribe": ["AAPL"]}))
        return json.loads(await stream.receive(within=timedelta(seconds=20)))["type"]

print(json.dumps(asyncio.run(listen())))
"""


@contextmanager
def _simulator(folder: Path, *words: str) -> Iterator[tuple[psutil.Popen, dict[str, str]]]:
    """The command, and the environment of its stack."""
    ports = {f"{PREFIX}{name}_PORT": str(free_port()) for name in ("SIMULATOR", "SIMULATOR_HTTP", "SIMULATOR_PROXY")}
    environment = {**os.environ, **ports, f"{PREFIX}DATA_DIR": str(folder)}
    with psutil.Popen([layout.VENV_BIN / "stock-platform", "simulate", *words], env=environment, stdout=subprocess.PIPE) as process:
        try:
            is_up = wait_until(lambda: all(port_open(int(port)) for port in ports.values()), _CLOCK, within=timedelta(seconds=60))
            assert is_up and process.is_running()
            yield process, environment
        finally:
            process.terminate()
            process.wait(20)


def _exports(environment: dict[str, str]) -> dict[str, str]:
    """The lines of --print-environment, as a shell would take them."""
    line = [layout.VENV_BIN / "stock-platform", "simulate", "--print-environment"]
    printed = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
    return dict(text.removeprefix("export ").split("=", 1) for text in printed.splitlines())


def _ask(program: str, environment: dict[str, str]) -> Any:
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def led(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment of programs that are led to a running simulator."""
    folder = tmp_path_factory.mktemp("data")
    (scenario := folder / "scenario.yaml").write_text(_SCENARIO)
    with _simulator(folder, "--scenario", str(scenario)) as (_, environment):
        yield {**environment, **_exports(environment)}


def test_unmodified_yfinance_and_default_addresses_reach_the_simulator(led: dict[str, str]) -> None:
    found = _ask(_ASK, led)
    assert found["minutes"] > 0
    assert found["minute_seconds"] == [0]
    assert found["minute_volume"] > 0
    assert found["zone"] == "UTC"
    assert 1_824 <= found["days"] <= 1_828  # five years of a market that never closes
    assert found["month_of_minutes"] > 7 * 1_380
    assert found["download"] == ["QQQ", "SPY"]
    assert found["splits"] == {"2025-06-10": 10.0}
    assert found["dividends"] == {"2026-02-19": 0.91}
    assert abs(found["last_price"] / found["previous_close"] - 1) < 0.2
    assert found["currency"] == "USD"
    assert found["unknown"] == 0
    assert found["quotes"] == ["AAPL", "BTC-USD"]
    assert found["stream"] == ["pricing"] * 3
    assert "403" in found["elsewhere"]


def test_the_platform_s_own_client_reaches_it_by_yahoo_s_address(led: dict[str, str]) -> None:
    assert _ask(_OWN_CLIENT, led) == "pricing"


def test_certificates_are_trusted_by_nobody_else_and_the_key_is_private(led: dict[str, str]) -> None:
    key = Path(led["SSL_CERT_FILE"]).with_name("ca.key")
    assert key.stat().st_mode & 0o077 == 0
    without = {
        name: value
        for name, value in led.items()
        if name not in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
    }
    program = _OWN_CLIENT.replace("print(", "from stock_platform.errors import FeedUnreachable\ntry:\n    print(", 1)
    program += "except FeedUnreachable as error:\n    print(json.dumps(str(error)))\n"
    assert "CERTIFICATE_VERIFY_FAILED" in _ask(program, without)


def test_simulator_listens_on_the_loopback_only_and_ends_when_told(tmp_path: Path) -> None:
    with _simulator(tmp_path) as (process, environment):
        listening = [each.laddr for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        expected = {
            int(value) for name, value in environment.items() if name.startswith(f"{PREFIX}SIMULATOR") and name.endswith("_PORT")
        }
        assert {each.port for each in listening} == expected
        assert {each.ip for each in listening} == {"127.0.0.1"}
    assert process.returncode == 0


def test_authority_outlives_the_simulator_so_that_running_clients_trust_the_next_one(tmp_path: Path) -> None:
    certificate = tmp_path / "simulator" / "simulator" / "ca.pem"
    with _simulator(tmp_path):
        first = certificate.read_bytes()
    with _simulator(tmp_path):
        assert certificate.read_bytes() == first
