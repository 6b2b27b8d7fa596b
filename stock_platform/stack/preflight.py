"""What must be true before anything is started: tools, installation, room, ports. Each failure is one sentence."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stock_platform.adapters import processes
from stock_platform.config import Settings
from stock_platform.errors.stack import DiskFull, InstallationIncomplete, PortBusy, ToolMissing
from stock_platform.stack import layout
from stock_platform.stack.service import Service

_NEEDED_MIB = 2048
"""Kafka and Postgres stop in ugly ways on a full disk; a day of 500 symbols takes about 1 GiB."""


def java_path(settings: Settings) -> Path:
    """Where the JDK's `java` is, or would be; `java_binary` checks it."""
    return settings.java_home / "bin" / "java" if settings.java_home else Path(shutil.which("java") or "java")


def java_binary(settings: Settings) -> Path:
    """The JDK's `java`, 17 or 21.

    Raises:
        ToolMissing: none, or of another version.
    """
    hint = "Install one, e.g. `apt-get install openjdk-17-jdk`, or set JAVA_HOME."
    found = java_path(settings)
    if not found.exists():
        raise ToolMissing("Java", "a JDK 17 or 21", hint)
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or version.group(1) not in {"17", "21"}:
        raise ToolMissing("Java 17 or 21", f"one of them, but {found} is {said.splitlines()[0] if said else 'silent'}", hint)
    return found


def node_binary() -> Path:
    """Node, which serves the page."""
    found = shutil.which("node")
    if found is None:
        raise ToolMissing("Node.js", "version 20 or newer", "Install it, e.g. `apt-get install nodejs npm`.")
    return Path(found)


def check_installation() -> None:
    """Everything that `make install` builds is there."""
    missing = [path for path in layout.INSTALLED if not path.exists()]
    if missing:
        raise InstallationIncomplete(missing)


def check_room(data_dir: Path) -> None:
    """Enough free disk, and a folder that can be written."""
    data_dir.mkdir(parents=True, exist_ok=True)
    free_mib = shutil.disk_usage(data_dir).free // 2**20
    if free_mib < _NEEDED_MIB or not os.access(data_dir, os.W_OK):
        raise DiskFull(data_dir, free_mib, _NEEDED_MIB)


def check_ports(services: Iterable[Service]) -> None:
    """Nobody else listens where a service must."""
    for service in services:
        own = {service.port_setting: service.port} if service.port else {}
        for setting, port in {**own, **service.more_ports}.items():
            if owner := processes.listener_of(port):
                raise PortBusy(service.name, port, owner, setting)
