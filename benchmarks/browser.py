"""How late a number on the screen is: Kafka → API → the page's own server → Chromium, at 50 and 500 updates a second of 34 symbols.

A latency begins when an update is handed to Kafka (its ts_recv) and ends when the tab has received it, when the number in the
watchlist has changed, and when the frame that shows it is painted, all by one clock; compositor and screen are not in it. Broker,
database, API, page server, browser and producer share the machine.

Not here: what is noted in the tab (frontend/e2e/latency.mjs), the stream job before Kafka (latency)."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.api_server import SYMBOLS, WATCHED, streaming_api
from benchmarks.harness import Figure, quantile
from benchmarks.quotes import Load, flowing, number_of
from stock_platform.config import Settings
from stock_platform_tests.browser.servers import FRONTEND, build_page, running_page

_RATES = (50, 500)
_HOPS = ("received", "changed", "painted")
_WARM_UP = timedelta(seconds=5)
_GRACE_MS = 2_000
"""An update that is not on the screen by then never will be: a newer one of its symbol has come."""
_LIMIT = timedelta(minutes=3)
"""For Chromium to start, look and end."""


@dataclass(frozen=True)
class Look:
    """What one tab saw of the updates that were sent while it looked.

    Args:
        latencies_ms: By hop, of the updates that came to it; others were replaced by a newer one of their symbol on the way.
    """

    sent_count: int
    latencies_ms: dict[str, list[float]]


def figures(*, is_quick: bool) -> list[Figure]:
    """Each rate in a tab of its own."""
    lasting = timedelta(seconds=8 if is_quick else 40)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        build_page(home / "page")
        with streaming_api(home, symbol_count=WATCHED) as (settings, _):
            with running_page(f"http://127.0.0.1:{settings.api_port}", home / "page") as page:
                return [each for rate in _RATES for each in _loaded(settings, page, rate, lasting)]


def looked(told: dict[str, Any], sent: Sequence[float]) -> Look:
    """What the tab told, held against what was sent."""
    due = {number for number, instant in enumerate(sent) if told["since"] <= instant < told["until"] - _GRACE_MS}
    seen = {hop: _first(told[hop]) for hop in _HOPS}
    return Look(
        len(due), {hop: [instants[number] - sent[number] for number in due & set(instants)] for hop, instants in seen.items()}
    )


def _first(stamps: Sequence[tuple[str, float]]) -> dict[int, float]:
    """When each update was first seen, by its number."""
    return {number_of(price): instant for price, instant in reversed(stamps)}


def _loaded(settings: Settings, page: str, rate: int, lasting: timedelta) -> list[Figure]:
    with flowing(settings.kafka_bootstrap, Load(SYMBOLS[:WATCHED], rate)) as sent:
        told = _told_by_tab(page, lasting)
        look = looked(told, sent)
    return [*_latencies(look, rate), *_costs(told, look.sent_count, rate)]


def _told_by_tab(page: str, lasting: timedelta) -> dict[str, Any]:
    times = {"WARM_UP_S": str(_WARM_UP.total_seconds()), "SECONDS": str(lasting.total_seconds())}
    environment = {**os.environ, "PAGE_URL": page, **times}
    command = ["timeout", str(int((_LIMIT + lasting).total_seconds())), "node", "e2e/latency.mjs"]
    result = subprocess.run(command, cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout)


def _latencies(look: Look, rate: int) -> list[Figure]:
    found = look.latencies_ms
    return [
        *(
            Figure(f"{hop}_p{share}_ms_{rate}", round(quantile(found[hop], share / 100), 1), "ms", len(found[hop]))
            for hop in _HOPS
            for share in (50, 99)
        ),
        *(Figure(f"not_{hop}_{rate}", look.sent_count - len(found[hop]), "", look.sent_count) for hop in _HOPS),
    ]


def _costs(told: dict[str, Any], n: int, rate: int) -> list[Figure]:
    tasks, complaints = told["longTasks"], told["complaints"]
    return [
        Figure(f"long_tasks_{rate}", len(tasks), "", n),
        Figure(f"longest_task_ms_{rate}", round(max(tasks, default=0)), "ms", len(tasks)),
        Figure(f"layout_shift_{rate}", round(told["layoutShift"], 4), "", n),
        Figure(f"heap_grown_mib_{rate}", round(told["heapGrown"] / 2**20, 1), "MiB", 1),
        Figure(f"console_errors_{rate}", len(complaints), "", n, must_be=0, note="; ".join(complaints)),
    ]
