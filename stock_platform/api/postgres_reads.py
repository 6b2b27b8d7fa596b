"""How the Postgres store asks: one statement, one connection of the pool, rows as dictionaries. What it asks: its children."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, LiteralString, cast

from psycopg import OperationalError
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout

from stock_platform.adapters.dagster_api import run_url
from stock_platform.adapters.postgres import Connection, Pool
from stock_platform.api.cursors import Key
from stock_platform.api.store import ListQuery, StoreUnavailable

WAIT_S = 2.0
"""For a connection of the pool: a server that is too busy says so before its client gives up."""


class PostgresReads:
    """Reads as the role of the pool's connections.

    Args:
        dagster_page: Address of Dagster for a browser; every statement has the start of a run's address as %(runs)s.
    """

    def __init__(self, pool: Pool, dagster_page: str) -> None:
        self._pool = pool
        self._runs = run_url(dagster_page, "")

    def _rows(self, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(cast(LiteralString, statement), {**values, "runs": self._runs}).fetchall()

    def _listed(self, statement: str, columns: str, query: ListQuery) -> list[dict[str, Any]]:
        """Rows of a list in descending order of the columns; the statement has {after} among its conditions."""
        condition, key = before(columns, query.after)
        return self._rows(statement.format(after=condition), asdict(query) | key)

    @contextmanager
    def _connection(self) -> Generator[Connection]:
        """A connection of the pool.

        Raises:
            StoreUnavailable: none is free in time, the server is away, or it has stopped the statement.
        """
        try:
            with self._pool.connection(timeout=WAIT_S) as connection:
                yield connection
        except (OperationalError, PoolTimeout) as error:
            raise StoreUnavailable(str(error).strip().splitlines()[0]) from error


def before(columns: str, after: Key | None) -> tuple[str, dict[str, Any]]:
    """The condition that a row comes after that key in descending order, and its parameters."""
    if after is None:
        return "TRUE", {}
    values = {f"after_{number}": part for number, part in enumerate(after)}
    return f"({columns}) < ({', '.join(f'%({name})s' for name in values)})", values
