"""Door to the process manager (supervisord over a unix socket) and to the process table."""

import hashlib
import http.client
import socket
import subprocess
import tempfile
import xmlrpc.client
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil

from stock_platform.errors.stack import CommandFailed, ServiceNotConfigured

_YIELDING = 10
"""Niceness of what runs behind the live pipeline."""


@dataclass(frozen=True)
class ProcessState:
    """One program as the process manager sees it."""

    name: str
    state: str
    pid: int
    uptime_s: int
    spawn_error: str


def socket_path(home: Path) -> Path:
    """Where the manager of this data folder listens. Short, because a socket's path may have only 107 bytes."""
    digest = hashlib.blake2b(str(home).encode(), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / f"stock-platform-{digest}" / "supervisor.sock"


class Supervisor:
    """Client of one stack's supervisord."""

    def __init__(self, home: Path) -> None:
        self._socket = socket_path(home)
        self._proxy = cast(Any, xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self._socket)))

    def alive(self) -> bool:
        """Whether the manager answers."""
        try:
            return self._proxy.supervisor.getState()["statename"] in {"RUNNING", "RESTARTING"}
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def processes(self) -> dict[str, ProcessState]:
        """All programs by name."""
        rows = self._proxy.supervisor.getAllProcessInfo()
        return {
            row["name"]: ProcessState(row["name"], row["statename"], row["pid"], row["now"] - row["start"], row["spawnerr"])
            for row in rows
        }

    def start(self, name: str) -> None:
        """Start a program that is not running; its health is not waited for."""
        process = self.processes().get(name)
        if process is None:
            raise ServiceNotConfigured(name)
        if process.state not in {"RUNNING", "STARTING", "BACKOFF"}:
            with suppress(xmlrpc.client.Fault):  # it was started by somebody else meanwhile: health will tell
                self._proxy.supervisor.startProcess(name, False)

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end."""
        if self.processes()[name].state in {"RUNNING", "STARTING", "BACKOFF"}:
            with suppress(xmlrpc.client.Fault):  # it has ended by itself meanwhile
                self._proxy.supervisor.stopProcess(name, True)

    def shutdown(self) -> None:
        """End the manager itself; what still runs is stopped by it."""
        self._proxy.supervisor.shutdown()


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost", timeout=90)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(90)
        connection.sock.connect(str(self._path))
        return connection


def run(command: Sequence[str], *, environment: dict[str, str] | None = None, within_s: float = 300) -> str:
    """Run a program to its end; returns its output.

    Raises:
        CommandFailed: it failed, with the end of what it said.
    """
    done = subprocess.run(
        list(command), env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within_s
    )
    if done.returncode != 0:
        raise CommandFailed(Path(command[0]).name, done.returncode, done.stdout)
    return done.stdout


def resident_mib(pid: int) -> float:
    """Resident memory of a process and all that it started, MiB; pages shared among them are counted once each (PSS)."""
    if pid <= 0:
        return 0.0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_proportional_bytes, family)) / 2**20


def _proportional_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def listener_of(port: int) -> str | None:
    """Name and pid of who listens on a loopback port, for a person; None when the port is free."""
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port:
            return _describe(connection.pid)
    return None


def _describe(pid: int | None) -> str:
    if pid is None:
        return "a program of another user"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.NoSuchProcess:
        return f"pid {pid}"


def orphans_of(home: Path, marker: str) -> list[int]:
    """Processes that carry this stack's marker in their environment: left over when the manager itself was killed."""
    expected = f"{marker}={home}"
    return [process.pid for process in psutil.process_iter() if expected in _environment(process)]


def _environment(process: psutil.Process) -> set[str]:
    try:
        return {f"{name}={value}" for name, value in process.environ().items()}
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()


def end(pids: Sequence[int], *, within_s: float) -> None:
    """Ask processes to end, then force those that do not."""
    processes = list[psutil.Process]()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
            processes[-1].terminate()
    stubborn = psutil.wait_procs(processes, timeout=within_s)[1]
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=within_s)


def yield_processor() -> None:
    """From now on this process takes what processor time others leave; repeated, it stays so."""
    psutil.Process().nice(max(_YIELDING, psutil.Process().nice()))
