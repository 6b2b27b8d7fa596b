"""A real Postgres with every migration applied, for tests and measurements."""

import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import ensure_databases, migrate, server_problem
from stock_platform.adapters.probe import free_port
from stock_platform.config import Settings
from stock_platform.names import ROLES
from stock_platform.stack import postgres

_PASSWORDS = {f"postgres_{role}_password": f"{role}-only-for-tests" for role in ROLES}


@contextmanager
def migrated_database(home: Path) -> Generator[Settings]:
    """Settings of an empty, migrated database that lives as long as the block."""
    settings = Settings(data_dir=home, postgres_port=free_port(), **_PASSWORDS)  # type: ignore[arg-type]
    postgres.create_cluster(home / "data", password=settings.password("admin"))
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(postgres.server_command(home / "data", port=settings.postgres_port), stdout=log, stderr=log)
    try:
        admin = settings.dsn("admin", "postgres")
        assert wait_until(lambda: server_problem(admin) is None, SystemClock(), within=timedelta(seconds=60))
        ensure_databases(admin, {role: settings.password(role) for role in ROLES if role != "admin"})
        migrate(settings.dsn("admin"))
        yield settings
    finally:
        server.send_signal(signal.SIGINT)  # as the stack does: it waits for no connection that somebody keeps
        server.wait(60)
