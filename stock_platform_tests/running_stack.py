"""The whole platform for tests: started and stopped by its own command, on free ports, in a folder of its own."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from stock_platform import config
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.kafka_records import open_records
from stock_platform.adapters.postgres import connect, read_frame
from stock_platform.adapters.probe import free_port
from stock_platform.adapters.processes import ProcessState, Supervisor
from stock_platform.config import PREFIX, Settings
from stock_platform.contracts.tick import TICK
from stock_platform.stack import layout

CONTENT = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source "
    "is_continuous session_date verdict"
).split()
"""Columns of a certified bar that must be the same whatever broke on the way; ids of runs and jobs may differ."""
PLACE = "symbol ts_start kafka_partition kafka_offset_first kafka_offset_last".split()
"""Where a bar's ticks are in its own topic; after a broker's crash the feed may repeat ticks, so that they are elsewhere."""

_RUN_ID = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
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

    def certified_places(self) -> pl.DataFrame:
        """Where certified bars say that their ticks are, by symbol and time."""
        return self.frame(f"SELECT {', '.join(PLACE)} FROM market.bar_1m ORDER BY symbol, ts_start")

    def topic_places(self) -> pl.DataFrame:
        """Where the topic has the ticks of each regular minute, read message by message, by symbol and time."""
        with open_records(self.settings.kafka_bootstrap, TICK.address) as reader:
            ticks = [(json.loads(record.value), record.partition, record.offset) for record in reader.whole()]
        rows = [
            (tick["symbol"], tick["ts_event"] // 60_000 * 60_000, partition, offset)
            for tick, partition, offset in ticks
            if tick["session_phase"] == "regular"
        ]
        frame = pl.DataFrame(rows, schema=["symbol", "ts_start", "kafka_partition", "offset"], orient="row")
        places = frame.group_by("symbol", "ts_start").agg(
            pl.col("kafka_partition").min(),
            pl.col("offset").min().alias("kafka_offset_first"),
            pl.col("offset").max().alias("kafka_offset_last"),
        )
        instant = pl.from_epoch("ts_start", time_unit="ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return places.with_columns(instant).sort("symbol", "ts_start")

    def processes(self) -> dict[str, ProcessState]:
        """Services, as the process manager sees them."""
        return Supervisor(self.settings.home).processes()

    def kill_service(self, name: str) -> None:
        """kill -9 a service's process, as the process manager knows it."""
        pid = self.processes()[name].pid
        assert pid, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)

    def kill_feed_run(self, line: str = "tape") -> None:
        """kill -9 the worker of a feed line's Dagster run."""
        self.kill_run(self.value(f"SELECT dagster_run_id FROM ops.feed_line WHERE line = '{line}'"))

    def worker_runs(self) -> list[str]:
        """Run of each live worker of this stack, in order: also of those that Dagster knows nothing of any more."""
        folder = str(layout.dagster_home(self.settings.home).resolve())
        outputs = (_output_of(process) for process in psutil.process_iter())
        return sorted(found[1] for each in outputs if each.startswith(folder) and (found := _RUN_ID.search(each)))

    def kill_run(self, run_id: str, *, by: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the worker of a Dagster run, once it is in a step."""
        assert wait_until(lambda: _workers_of(run_id) != [], SystemClock(), within=timedelta(seconds=60)), f"no worker of {run_id}"
        for pid in _workers_of(run_id):
            os.kill(pid, by)


def _workers_of(run_id: str) -> list[int]:
    return [process.pid for process in psutil.process_iter() if f"/{run_id}/" in _output_of(process)]


def _output_of(process: psutil.Process) -> str:
    """Where a run's worker writes its captured output, which is named after the run; empty for any other process."""
    try:
        if "multiprocessing.spawn" not in " ".join(process.cmdline()):
            return ""
        return next((path for number in (1, 2) if _RUN_ID.search(path := _opened(process, number))), "")
    except (psutil.Error, OSError):
        return ""


def _opened(process: psutil.Process, number: int) -> str:
    return str(Path(f"/proc/{process.pid}/fd/{number}").readlink())


def different_cells(bars: pl.DataFrame, expected: pl.DataFrame) -> list[tuple[object, ...]]:
    """(symbol, ts_start, column, value, expected value) of what differs between two tables of bars, so that a failure says it."""
    key = ["symbol", "ts_start"]
    mine, right = (
        frame.with_columns(pl.exclude(key).cast(pl.String)).unpivot(index=key, variable_name="column") for frame in (bars, expected)
    )
    both = mine.join(right, on=[*key, "column"], how="full", coalesce=True, suffix="_expected")
    return both.filter(pl.col("value").ne_missing(pl.col("value_expected"))).sort(*key, "column").rows()


@contextmanager
def running_stack(data_dir: Path, *words: str, within_s: float = 600, verb: str = "up") -> Iterator[RunningStack]:
    """`stock-platform up …`, or another verb that starts it, and `down` at the end whatever happened."""
    environment = {**os.environ, **{f"{PREFIX}{name}_PORT": str(free_port()) for name in _PORTS}}
    environment[f"{PREFIX}DATA_DIR"] = str(data_dir)
    for name in ("SEED_DAILY_DAYS", "SEED_MINUTE_DAYS"):
        environment.setdefault(f"{PREFIX}{name}", "0")  # the vendor's history would be brought beside what is tested
    line = [str(layout.VENV_BIN / "stock-platform"), verb, "--data-dir", str(data_dir), *words]
    try:
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=within_s, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        yield RunningStack(data_dir, environment, config.load(data_dir=data_dir))
    finally:
        down = [str(layout.VENV_BIN / "stock-platform"), "down", "--data-dir", str(data_dir)]
        subprocess.run(down, env=environment, capture_output=True, timeout=300, check=False)
