"""Dagster's own storage in Postgres, over a connection that each process keeps. Not here: what is stored, which is Dagster's.

Dagster opens two or three connections for every event, so that a gate run spent most of its time at opening them."""

# dagster-postgres is typed in part only; its storages have no other way to be given an engine.
# pyright: reportPrivateUsage=false

from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine


class _EventLog(PostgresEventLogStorage):
    """Closes the connection with the instance: a code server makes instances for a moment, again and again."""

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()


class KeptConnectionStorage(DagsterPostgresStorage):
    """Named in dagster.yaml; its config is that of Dagster's own. Of several threads the others open connections as they need them.

    A connection is tried before it is used, so that one that a restart of Postgres has cut is opened anew."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage = _EventLog(postgres_url, should_autocreate_tables=False)
        engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> "KeptConnectionStorage":
        """As Dagster makes it from dagster.yaml."""
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)
