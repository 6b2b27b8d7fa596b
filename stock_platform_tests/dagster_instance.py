"""Dagster's own storage in the tests' Postgres."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from stock_platform.config import Settings
from stock_platform.defs.instance_storage import KeptConnectionStorage


def storage(settings: Settings) -> dict[str, Any]:
    """The part of dagster.yaml that says where everything is kept."""
    database = {
        "scheme": "postgresql+psycopg2",
        "hostname": "127.0.0.1",
        "port": settings.postgres_port,
        "username": "dagster",
        "password": settings.password("dagster"),
        "db_name": "dagster",
    }
    kept = {
        "module": KeptConnectionStorage.__module__,
        "class": KeptConnectionStorage.__name__,
        "config": {"postgres_db": database},
    }
    return {"storage": {"custom": kept}}


@contextmanager
def postgres_instance(settings: Settings) -> Generator[dg.DagsterInstance]:
    """An instance as the stack has it, empty; in a home folder of its own."""
    with dg.instance_for_test(overrides=storage(settings)) as instance:
        instance.wipe()
        yield instance
