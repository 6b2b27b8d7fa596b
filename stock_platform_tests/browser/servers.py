"""Servers of the page's tests: the real API application in a thread, the built page in a process. Each on a free port."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.api.app import create_app, quotes_app
from stock_platform.api.market_endpoints import status_routes
from stock_platform.api.stream import Hub
from stock_platform_tests.browser.busy_store import BusyStore
from stock_platform_tests.browser.lively_past import DAGSTER

FRONTEND = Path(__file__).parents[2] / "frontend"
VITE = FRONTEND / "node_modules/vite/bin/vite.js"
BUILD_LIMIT_S = 180
START_LIMIT = timedelta(seconds=60)


def whole_api() -> FastAPI:
    """The API of the local stack, over a store in memory."""
    clock = SystemClock()
    store = BusyStore(clock)
    return create_app(store, Hub(store.follow), clock, dagster_page=DAGSTER)


def api_without_stream() -> FastAPI:
    """What the API function has on AWS (cloud/api_function), over the same store."""
    clock = SystemClock()
    store = BusyStore(clock)
    app = quotes_app(store, clock, hub=Hub(store.follow))  # moves the store's prices
    app.include_router(status_routes(store, clock))
    return app


@contextmanager
def running_api(app: FastAPI, port: int | None = None) -> Iterator[str]:
    """The application on that port or a free one; gives its address."""
    port = port or _free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/live")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def build_page(folder: Path) -> None:
    """Build the page into `folder`, beside whatever frontend/dist holds."""
    process = _vite("build", folder, dict(os.environ))
    if process.wait(BUILD_LIMIT_S) != 0:
        raise RuntimeError("The page does not build; expected `vite build` to end with 0. Its message is above.")


@contextmanager
def running_page(api: str, folder: Path) -> Iterator[str]:
    """What `folder` holds, served as the local stack serves it, with the API behind it; gives its address."""
    port = _free_port()
    environment = {**os.environ, "STOCK_PLATFORM_API_URL": api, "STOCK_PLATFORM_FRONTEND_PORT": str(port)}
    process = _vite("preview", folder, environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _vite(verb: str, folder: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    if not VITE.exists():
        raise FileNotFoundError(f"{VITE} not found; expected the page's node modules. Run `make install`.")
    command = ["node", str(VITE), verb, "--outDir", str(folder), "--logLevel", "warn"]
    return subprocess.Popen(command, cwd=FRONTEND, env=environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str) -> None:
    if not wait_until(lambda: _answers(url), SystemClock(), within=START_LIMIT):
        raise TimeoutError(f"{url} did not answer within {START_LIMIT.total_seconds():.0f} s; expected status 200.")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
