"""The whole platform for tests: started and stopped by its own command, on free ports, in a folder of its own."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from stock_platform import config
from stock_platform.adapters.postgres import connect, read_frame
from stock_platform.adapters.probe import free_port
from stock_platform.config import PREFIX, Settings
from stock_platform.stack import layout

CONTENT = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source kafka_partition "
    "kafka_offset_first kafka_offset_last is_continuous session_date verdict"
).split()
"""Columns of a certified bar that must be the same whatever broke on the way; ids of runs and jobs may differ."""

_PORTS = (
    "FRONTEND API GRAFANA DAGSTER DAGSTER_GRPC KAFKA KAFKA_CONTROLLER FLINK FLINK_RPC POSTGRES "
    "SIMULATOR SIMULATOR_HTTP SIMULATOR_PROXY"
).split()


@dataclass(frozen=True)
class RunningStack:
    """A started stack: its environment for commands, and its settings for doors."""

    data_dir: Path
    environment: dict[str, str]
    settings: Settings

    def command(self, *words: str, within_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `stock-platform …` against this stack."""
        line = [str(layout.VENV_BIN / "stock-platform"), *words, "--data-dir", str(self.data_dir)]
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=within_s, check=False)

    def status(self) -> dict[str, Any]:
        """`status --json`."""
        return json.loads(self.command("status", "--json").stdout)

    def frame(self, query: str, role: str = "gate_owner") -> pl.DataFrame:
        """Rows of a query."""
        with connect(self.settings.dsn(role)) as connection:
            return read_frame(connection, query)

    def value(self, query: str) -> Any:
        """The one value of a query."""
        return self.frame(query).item()

    def certified(self) -> pl.DataFrame:
        """Certified bars, by symbol and time."""
        return self.frame(f"SELECT {', '.join(CONTENT)} FROM market.bar_1m ORDER BY symbol, ts_start")

    def kill_service(self, name: str) -> None:
        """kill -9 a service's process, as the process manager knows it."""
        from stock_platform.adapters.processes import Supervisor

        os.kill(Supervisor(self.settings.home).processes()[name].pid, signal.SIGKILL)

    def kill_feed_run(self, line: str = "tape") -> None:
        """kill -9 the worker of a feed line's Dagster run."""
        run_id = self.value(f"SELECT dagster_run_id FROM ops.feed_line WHERE line = '{line}'")
        pids = [process.pid for process in psutil.process_iter() if _has_open(process, run_id)]
        assert pids, f"no worker found for feed run {run_id}"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def _has_open(process: psutil.Process, run_id: str) -> bool:
    """A run's worker keeps its captured output, which is named after the run, open as its own."""
    try:
        if "multiprocessing.spawn" not in " ".join(process.cmdline()):
            return False
        return any(f"/{run_id}/" in str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in (1, 2))
    except (psutil.Error, OSError):
        return False


@contextmanager
def running_stack(data_dir: Path, *words: str, within_s: float = 600, verb: str = "up") -> Iterator[RunningStack]:
    """`stock-platform up …`, or another verb that starts it, and `down` at the end whatever happened."""
    environment = {**os.environ, **{f"{PREFIX}{name}_PORT": str(free_port()) for name in _PORTS}}
    environment[f"{PREFIX}DATA_DIR"] = str(data_dir)
    line = [str(layout.VENV_BIN / "stock-platform"), verb, "--data-dir", str(data_dir), *words]
    try:
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=within_s, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        yield RunningStack(data_dir, environment, config.load(data_dir=data_dir))
    finally:
        down = [str(layout.VENV_BIN / "stock-platform"), "down", "--data-dir", str(data_dir)]
        subprocess.run(down, env=environment, capture_output=True, timeout=300, check=False)
