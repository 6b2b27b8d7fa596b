"""Door to Postgres: connections by role, migrations, and frames in and out by COPY. SQL of a stage lives with the stage."""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

import polars as pl
import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from stock_platform.errors import MigrationChanged

Connection = psycopg.Connection[tuple[Any, ...]]
_MIGRATIONS = Path(__file__).resolve().parent.parent / "contracts" / "migrations"
_LOCK = 7_426_001
"""Key of the advisory lock under which migrations are applied: any constant of ours."""
_PROVENANCE = ("ts_updated", "ts_recv", "dagster_run_id", "response_path")
"""When and from what a row was made: alone they are no change of it."""


@contextmanager
def connect(dsn: str, *, autocommit: bool = False) -> Generator[Connection]:
    """A connection in UTC that commits at the end of the block, or rolls back when it raises."""
    with psycopg.connect(dsn, autocommit=autocommit, connect_timeout=5, options="-c timezone=UTC") as connection:
        yield connection


@contextmanager
def advisory_lock(dsn: str, key: int) -> Generator[None]:
    """Hold a lock of this database while the block runs; another holder is waited for."""
    with connect(dsn) as connection:
        connection.execute("SET LOCAL lock_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
        yield


def is_locked(connection: Connection, key: int) -> bool:
    """Whether somebody holds that advisory lock now."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    return row is None or not row[0]


def server_problem(dsn: str) -> str | None:
    """None when the server takes this role's connection, else the reason."""
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[-1]
    return None


def read_frame(connection: Connection, query: str, parameters: Any = None, *, schema: dict[str, Any] | None = None) -> pl.DataFrame:
    """Rows of a query as a frame, columns and order as the query gives them."""
    cursor = connection.execute(cast(LiteralString, query), parameters)
    names = [column.name for column in cursor.description or ()]
    return pl.DataFrame(cursor.fetchall(), schema=schema or names, orient="row", infer_schema_length=None)


def copy_frame(connection: Connection, query: str, parameters: Mapping[str, Any], *, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The same by COPY, for many rows: a tenth of the time, as no value becomes a Python object on the way.

    Args:
        schema: Names and types in the order of the query; no flags, which COPY writes as t and f."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(cast(LiteralString, query)))
    with psycopg.ClientCursor(connection).copy(statement, parameters) as copy:
        text = b"".join(copy)
    if not text:
        return pl.DataFrame(schema=dict(schema))
    return pl.read_csv(text, has_header=False, schema=dict(schema))


def upsert_frame(connection: Connection, table: str, frame: pl.DataFrame, *, key: Sequence[str]) -> int:
    """Insert or replace rows by key; rows that say nothing new are left alone. Returns the rows changed.

    Effectively once: a repeat changes nothing."""
    if frame.is_empty():
        return 0
    target = sql.Identifier(*table.split("."))
    with _incoming(connection, target, frame):
        return connection.execute(_upsert(target, frame.columns, key)).rowcount


@contextmanager
def _incoming(connection: Connection, target: sql.Identifier, frame: pl.DataFrame) -> Generator[None]:
    """The frame as the temporary table `incoming` while the block runs, with the types of the target's columns."""
    names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(names, target)
    )
    with connection.cursor().copy(sql.SQL("COPY incoming ({}) FROM STDIN (FORMAT csv)").format(names)) as copy:
        copy.write(frame.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6f%:z"))
    yield
    connection.execute("DROP TABLE incoming")


def _upsert(target: sql.Identifier, names: Sequence[str], key: Sequence[str]) -> sql.Composed:
    """INSERT … ON CONFLICT from the temporary table; the row's provenance alone is no change."""
    values = [name for name in names if name not in key]
    content = [name for name in values if name not in _PROVENANCE]
    return sql.SQL(
        "INSERT INTO {target} AS old ({names}) SELECT {names} FROM incoming "
        "ON CONFLICT ({key}) DO UPDATE SET {assignments} WHERE ({olds}) IS DISTINCT FROM ({news})"
    ).format(
        target=target,
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in values),
        olds=sql.SQL(", ").join(sql.Identifier("old", name) for name in content),
        news=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in content),
    )


def drop_others(connection: Connection, table: str, frame: pl.DataFrame, *, key: Sequence[str], within: Mapping[str, Any]) -> int:
    """Delete the rows of a part of the table that the frame does not have. Returns the rows deleted.

    Args:
        key: Columns that name a row, in frame and table.
        within: Columns and values that name the part; a list stands for any of its values.
    """
    target = sql.Identifier(*table.split("."))
    with _incoming(connection, target, frame.select(key)):
        return connection.execute(_drop(target, key, within), dict(within)).rowcount


def _drop(target: sql.Identifier, key: Sequence[str], within: Mapping[str, Any]) -> sql.Composed:
    part = sql.SQL(" AND ").join(
        sql.SQL("old.{} = ANY ({})" if isinstance(value, list) else "old.{} = {}").format(
            sql.Identifier(name), sql.Placeholder(name)
        )
        for name, value in within.items()
    )
    same = sql.SQL(" AND ").join(sql.SQL("incoming.{0} = old.{0}").format(sql.Identifier(name)) for name in key)
    return sql.SQL("DELETE FROM {} AS old WHERE {} AND NOT EXISTS (SELECT FROM incoming WHERE {})").format(target, part, same)


def replace_part(connection: Connection, table: str, frame: pl.DataFrame, *, key: Sequence[str], within: Mapping[str, Any]) -> int:
    """The part of a table is these rows from now on: `upsert_frame` and `drop_others` of one frame, which is sent once."""
    target = sql.Identifier(*table.split("."))
    with _incoming(connection, target, frame):
        changed = connection.execute(_upsert(target, frame.columns, key)).rowcount
        return changed + connection.execute(_drop(target, key, within), dict(within)).rowcount


def count_rows(connection: Connection, table: str) -> int:
    """Rows of a whole table."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table.split(".")))).fetchone()
    return row[0] if row else 0


def count_rows_by(connection: Connection, table: str, column: str, values: Sequence[Any]) -> dict[Any, int]:
    """Rows of a table by value of a column; a value that no row has counts 0."""
    query = sql.SQL("SELECT {column}, count(*) FROM {table} WHERE {column} = ANY (%s) GROUP BY {column}").format(
        column=sql.Identifier(column), table=sql.Identifier(*table.split("."))
    )
    return dict.fromkeys(values, 0) | dict(connection.execute(query, (list(values),)).fetchall())


def migrate(dsn: str, folder: Path = _MIGRATIONS) -> list[str]:
    """Apply what is new, in order of names, each in its own transaction; returns the names applied.

    Raises:
        MigrationChanged: an applied file was edited.
    """
    with connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ops.migration "
            "(name text PRIMARY KEY, digest text NOT NULL, ts_applied timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        applied = dict(connection.execute("SELECT name, digest FROM ops.migration").fetchall())
        return [path.name for path in sorted(folder.glob("*.sql")) if _apply(connection, path, applied)]


def _apply(connection: Connection, path: Path, applied: dict[str, str]) -> bool:
    text = path.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    if path.name in applied:
        if applied[path.name] != digest:
            raise MigrationChanged(path.name)
        return False
    with connection.transaction():
        connection.execute(cast(LiteralString, text))
        connection.execute("INSERT INTO ops.migration (name, digest) VALUES (%s, %s)", (path.name, digest))
    return True


def ensure_databases(admin_dsn: str, passwords: dict[str, str]) -> None:
    """Create both databases and set the password of every role that exists; what is there already stays."""
    with connect(admin_dsn, autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role, password in passwords.items():
            verb = "ALTER" if role in roles else "CREATE"
            connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(sql.SQL(verb), sql.Identifier(role), password))
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
        for name, owner in (("stock_platform", "stock_admin"), ("dagster", "dagster")):
            if name not in databases:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


Pool = ConnectionPool[Connection]


def open_pool(dsn: str, *, size: int) -> Pool:
    """Connections for a server with many threads; a broken one is replaced, a missing server is waited for on use."""
    return ConnectionPool(
        dsn, min_size=1, max_size=size, open=True, kwargs={"options": "-c timezone=UTC"}, check=ConnectionPool.check_connection
    )
