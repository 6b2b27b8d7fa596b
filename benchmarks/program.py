"""A candidate that is a program of its own: started from a file of benchmarks/peers with the packages that it is locked to.

Not here: what the programs do (benchmarks/peers)."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psutil

from benchmarks.race import CandidateFailed
from stock_platform.adapters.postgres import connect
from stock_platform.config import ROOT
from stock_platform.contracts.tick import TICK
from stock_platform_tests.integration.jvm import Cluster

PEERS = Path(__file__).parent / "peers"
_TABLE = """
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS {table}, {table}_tick;
CREATE TABLE {table} (
    symbol text,
    ts_start timestamptz,
    open numeric(18, 6),
    high numeric(18, 6),
    low numeric(18, 6),
    close numeric(18, 6),
    volume bigint,
    tick_count bigint,
    PRIMARY KEY (symbol, ts_start)
)
"""


def make_table(cluster: Cluster, table: str) -> None:
    """An empty table of bars."""
    with connect(cluster.dsn()) as connection:
        connection.execute(_TABLE.format(table=table).encode())


def bars_query(table: str) -> str:
    """All that is compared of such a table."""
    return f"SELECT symbol, ts_start, open, high, low, close, volume FROM {table}"


def python_of(packages: str | None) -> Path:
    """The interpreter that has a lock file's packages, made on demand; ours where a peer needs no other ones.

    Raises:
        CandidateFailed: they cannot be installed.
    """
    if packages is None:
        return Path(sys.executable)
    home, lock = ROOT / ".cache" / "peers" / packages, PEERS / f"{packages}.lock"
    done = home / ".installed"
    if not done.exists() or done.read_text() != lock.read_text():
        uv = str(Path(sys.executable).parent / "uv")
        _install((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)))
        _install((uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(home / "bin" / "python"), str(lock)))
        done.write_text(lock.read_text())
    return home / "bin" / "python"


def _install(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        raise CandidateFailed(f"{Path(command[0]).name} {command[1]}: {done.stderr.strip()[-300:]}")


class Program:
    """One or more processes of a file in benchmarks/peers.

    Each is called with broker, topic, connection string, table, consumer group and a folder for what it keeps, and says
    `ready` when it begins to read.

    Args:
        packages: Name of its lock file; None for those of the platform.
        arguments: Further ones, a list a process.
    """

    def __init__(
        self, cluster: Cluster, name: str, *, file: str, packages: str | None = None, arguments: Sequence[Sequence[str]] = ((),)
    ) -> None:
        self.name, self.table = name, f"bench.bar_{name}"
        self.bars = bars_query(self.table)
        self._cluster, self._file, self._packages, self._arguments = cluster, file, packages, arguments
        self._folder = cluster.folder / "programs" / name
        self._group = ""
        self._processes: list[subprocess.Popen[bytes]] = []

    def launch(self) -> None:
        """Start with an empty table and a consumer group of no memory."""
        self._group = f"{self.name}-{uuid4().hex[:8]}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        make_table(self._cluster, self.table)
        self._spawn()

    def has_begun(self) -> bool:
        """Whether all its processes have said so."""
        return all(self._is_ready(number) for number in range(len(self._processes)))

    def began(self) -> None:
        """It does not say when."""

    def crash(self) -> None:
        """kill -9 of all its processes; the same commands again."""
        self._kill()
        self._spawn()

    def stop(self) -> None:
        """kill -9: whatever it still wanted to say comes too late."""
        self._kill()

    def problem(self) -> str | None:
        """The end of what it said, where it has failed."""
        for number, process in enumerate(self._processes):
            if _has_ended(process) and process.wait() != 0:
                return f"exit {process.returncode}: {self._log(number).read_text()[-400:]}"
        return None

    def pids(self) -> list[int]:
        """Those that it has started."""
        return [process.pid for process in self._processes]

    def _spawn(self) -> None:
        self._processes = [self._begin(number, extra) for number, extra in enumerate(self._arguments)]

    def _begin(self, number: int, extra: Sequence[str]) -> subprocess.Popen[bytes]:
        cluster = self._cluster
        command = (str(python_of(self._packages)), "-u", str(PEERS / self._file), cluster.bootstrap, TICK.address, cluster.dsn())
        with self._log(number).open("wb") as log:
            return subprocess.Popen(
                (*command, self.table, self._group, str(self._folder), *extra), stdout=log, stderr=log, cwd=self._folder
            )

    def _is_ready(self, number: int) -> bool:
        return "ready" in self._log(number).read_text().splitlines()

    def _log(self, number: int) -> Path:
        return self._folder / f"{number}.log"

    def _kill(self) -> None:
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without reaping it: the CPU time of one that has ended can be read until then."""
    try:
        return psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
