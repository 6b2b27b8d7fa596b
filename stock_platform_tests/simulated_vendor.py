"""The platform's own simulator as the vendor of a profile, over Yahoo's default addresses."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.probe import free_port, port_open
from stock_platform.config import PREFIX, Settings, lead_to_vendor
from stock_platform.stack import layout

COMMAND = layout.VENV_BIN / "stock-platform"


@contextmanager
def simulated_vendor(database: Settings, folder: Path, watchlist: str, scenario: str = "faults: []\n") -> Iterator[Settings]:
    """Settings of a profile whose vendor is a running simulator; this process's requests to Yahoo go there while the block runs."""
    (folder / "watchlist.yaml").write_text(watchlist)
    (folder / "scenario.yaml").write_text(scenario)
    ports = {f"{name}_port": free_port() for name in ("simulator", "simulator_http", "simulator_proxy")}
    values = {**ports, "data_dir": folder, "feed_watchlist": folder / "watchlist.yaml", "simulator_hours": "exchange"}
    settings = database.model_copy(update={**values, "profile": "simulator", "feed_kind": "simulator"})
    line = [COMMAND, "simulate", "--scenario", folder / "scenario.yaml"]
    before = dict(os.environ)
    with subprocess.Popen(line, env={**before, **environment_of(values)}, stdout=subprocess.DEVNULL) as process:
        try:
            assert wait_until(lambda: all(map(port_open, ports.values())), SystemClock(), within=timedelta(seconds=60))
            lead_to_vendor(settings)
            yield settings
        finally:
            os.environ.clear()
            os.environ.update(before)
            process.terminate()
            process.wait(20)


def environment_of(values: dict[str, object]) -> dict[str, str]:
    """In which a command sees the same settings."""
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
