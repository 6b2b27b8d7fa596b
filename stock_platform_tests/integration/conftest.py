"""A real Postgres with every migration applied, one for all tests of the folder."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import ensure_databases, migrate, server_problem
from stock_platform.adapters.probe import free_port
from stock_platform.config import ROLES, Settings
from stock_platform.stack import postgres

_PASSWORDS = {f"postgres_{role}_password": f"{role}-only-for-tests" for role in ROLES}


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an empty, migrated database."""
    home = tmp_path_factory.mktemp("database")
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
        server.terminate()
        server.wait(60)
