"""AWS without AWS, in the foreground: simulator as the vendor → fetch handler → table → API over HTTP → page.

DynamoDB and SQS live in this process and are forgotten with it; simulator and page are processes that end with it. Not here: the
handlers, which are those of AWS."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import uvicorn

from stock_platform import config
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.local_aws import local_aws
from stock_platform.adapters.probe import port_open
from stock_platform.cloud import api_function, fetch_function
from stock_platform.config import Settings
from stock_platform.errors import PlatformError
from stock_platform.errors.stack import PortBusy

_CONTEXT: Any = SimpleNamespace(
    function_name="fetch", memory_limit_in_mb=1024, invoked_function_arn="arn:aws:lambda:local:0:function:fetch", aws_request_id="0"
)
_START_LIMIT = timedelta(seconds=60)
_END_LIMIT_S = 10.0
_PLATFORM = (sys.executable, "-c", "from stock_platform.cli import app; app()")


class ChildSilent(PlatformError):
    """A process of the simulation did not begin to listen."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"The {name} does not listen on port {port} within 60 s. Its messages are above; `make install` builds it."
        )


def run(settings: Settings, *, every_s: float, say: Callable[[str], None]) -> None:
    """Run until interrupted (SIGINT) or ended (SIGTERM).

    Raises:
        PortBusy, ChildSilent: a part cannot start.
    """
    signal.signal(signal.SIGTERM, _end)
    ports = {
        name: getattr(settings, f"{name}_port") for name in ("api", "frontend", "simulator", "simulator_http", "simulator_proxy")
    }
    for name, port in ports.items():
        if port_open(port):
            raise PortBusy(name, port, "another program", f"{config.PREFIX}{name.upper()}_PORT")
    api, page = f"http://127.0.0.1:{settings.api_port}", f"http://127.0.0.1:{settings.frontend_port}"
    config.preset(data_dir=settings.data_dir / "cloud", profile="simulator", feed_kind="simulator", cloud_writers=1, api_url=api)
    mine = config.load()
    vite = ["node", str(config.ROOT / "frontend/node_modules/vite/bin/vite.js"), "preview", "--logLevel", "warn"]
    with (
        local_aws(mine.cloud_table) as queue,
        _child(
            "simulator", [sys.executable, "-c", "from stock_platform.cli import app; app()", "simulate"], mine.simulator_proxy_port
        ),
        _child("page", vite, mine.frontend_port, folder=str(config.ROOT / "frontend")),
    ):
        config.preset(cloud_dead_letters_url=queue)
        config.lead_to_vendor(mine)
        say(f"page {page}  API {api}/stocks  a fetch every {every_s:g} s; Ctrl-C ends it")
        over = threading.Event()
        fetching = threading.Thread(target=_fetch_until, args=(over, every_s, say), daemon=True)
        fetching.start()
        try:
            uvicorn.run(api_function.app_of(config.load(), allowed_origins=(page,)), port=mine.api_port, log_level="warning")
        except KeyboardInterrupt:
            say("ended")
        finally:
            over.set()
            fetching.join(_END_LIMIT_S)


def _end(_number: int, _frame: object) -> None:
    """So that what is open is closed."""
    sys.exit(0)


def _fetch_until(over: threading.Event, every_s: float, say: Callable[[str], None]) -> None:
    while True:
        try:
            answer = fetch_function.handler({"calendars": ["24/7"]}, _CONTEXT)
            say(", ".join(f"{count} {name}" for name, count in answer["counts"].items()))
        except PlatformError as error:
            say(str(error))
        if over.wait(every_s):
            return


@contextmanager
def _child(name: str, command: Sequence[str], port: int, *, folder: str | None = None) -> Generator[None]:
    """A process of this run, listening."""
    environment = config.inherited_environment()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        listening = wait_until(lambda: port_open(port) or process.poll() is not None, SystemClock(), within=_START_LIMIT)
        if not listening or process.poll() is not None:
            raise ChildSilent(name, port)
        yield
    finally:
        process.terminate()
        process.wait(_END_LIMIT_S)
