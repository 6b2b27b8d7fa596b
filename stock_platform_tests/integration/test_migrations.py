"""Migrations against contracts, and what each role may do."""

from pathlib import Path

import psycopg
import pytest

from stock_platform.adapters.postgres import connect, ensure_databases, migrate
from stock_platform.config import ROOT, Settings
from stock_platform.contracts.catalogue import TABLES, VIEWS
from stock_platform.contracts.dictionary import POSTGRES
from stock_platform.contracts.record import Record
from stock_platform.errors import MigrationChanged
from stock_platform.names import ROLES

_COLUMNS = """
SELECT attribute.attname, format_type(attribute.atttypid, attribute.atttypmod), NOT attribute.attnotnull
FROM pg_attribute AS attribute
WHERE attribute.attrelid = %s::regclass AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY attribute.attnum
"""
_KEY = """
SELECT array_agg(attribute.attname::text ORDER BY array_position(key.conkey, attribute.attnum))
FROM pg_constraint AS key
JOIN pg_attribute AS attribute ON attribute.attrelid = key.conrelid AND attribute.attnum = ANY (key.conkey)
WHERE key.conrelid = %s::regclass AND key.contype = 'p'
"""


@pytest.mark.parametrize("record", TABLES, ids=lambda record: record.address)
def test_migrated_table_is_what_its_contract_says(database: Settings, record: Record) -> None:
    with connect(database.dsn("admin")) as connection:
        columns = connection.execute(_COLUMNS, (record.address,)).fetchall()
        key = connection.execute(_KEY, (record.address,)).fetchone()
    expected = [(column.name, POSTGRES[column.type], column.name in record.nullable) for column in record.columns]
    assert columns == expected
    assert key is not None
    assert tuple(key[0]) == record.key


@pytest.mark.parametrize("record", VIEWS, ids=lambda record: record.address)
def test_migrated_view_is_what_its_contract_says(database: Settings, record: Record) -> None:
    """Names and types: Postgres says of every column of a view that it may be null, and of none that it is a key."""
    with connect(database.dsn("admin")) as connection:
        columns = connection.execute(_COLUMNS, (record.address,)).fetchall()
    assert [(name, kind) for name, kind, _ in columns] == [(column.name, POSTGRES[column.type]) for column in record.columns]


def test_every_table_has_a_contract(database: Settings) -> None:
    with connect(database.dsn("admin")) as connection:
        rows = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
    assert {name for (name,) in rows} == {record.address for record in TABLES} | {"ops.migration"}


def test_migrations_and_passwords_again_change_nothing(database: Settings) -> None:
    ensure_databases(database.dsn("admin", "postgres"), {role: database.password(role) for role in ROLES if role != "admin"})
    assert migrate(database.dsn("admin")) == []


def test_old_restatements_that_were_promoted_are_finished_whatever_became_of_their_shadow(database: Settings) -> None:
    with connect(database.dsn("admin")) as connection:
        connection.execute("ALTER TABLE ops.restatement DROP COLUMN is_promoted")
        connection.execute(
            "INSERT INTO ops.restatement (session_date, ticks_from, state, dagster_run_id) "
            "SELECT '2001-01-01', 'x', state, run "
            "FROM (VALUES ('forgotten', 'r'), ('finished', 'r'), ('forgotten', NULL), ('failed', NULL)) AS old (state, run)"
        )
        connection.execute((ROOT / "stock_platform/contracts/migrations/0035_restatement_ledger.sql").read_bytes())
        query = "SELECT state, is_promoted FROM ops.restatement WHERE session_date = '2001-01-01' ORDER BY restatement_id"
        found = connection.execute(query).fetchall()
        connection.rollback()
    assert found == [("finished", True), ("finished", True), ("finished", False), ("failed", False)]


def test_edited_migration_is_refused(database: Settings, tmp_path: Path) -> None:
    (tmp_path / "0001_roles_and_schemas.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationChanged, match="write a new migration"):
        migrate(database.dsn("admin"), tmp_path)


@pytest.mark.parametrize("role", ["api_reader", "grafana_reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO market.quote (symbol) VALUES ('X')",
        "UPDATE market.bar_1m SET close = 0",
        "DELETE FROM quality.quarantine",
        "SELECT * FROM staging.bar_1m",
        "SELECT * FROM staging.bar_1m_sized",
        "SELECT * FROM ops.migration",
        "CREATE TABLE market.mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "COPY market.quote TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_reader_is_refused(database: Settings, role: str, statement: str) -> None:
    with (
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
        connect(database.dsn(role)) as connection,
    ):
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["api_reader", "grafana_reader"])
def test_reader_is_cut_off_when_it_takes_too_long(database: Settings, role: str) -> None:
    with connect(database.dsn(role)) as connection:
        row = connection.execute("SHOW statement_timeout").fetchone()
    assert row in {("5s",), ("10s",)}


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("flink_writer", "SELECT * FROM market.bar_1m"),
        ("flink_writer", "DELETE FROM staging.bar_1m"),
        ("feed_writer", "SELECT * FROM market.quote"),
        ("gate_owner", "DELETE FROM staging.bar_1m"),
        ("gate_owner", "UPDATE market.quote SET price = 0"),
    ],
)
def test_writer_stays_in_its_hop(database: Settings, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(database.dsn(role)) as connection:
        connection.execute(statement)  # type: ignore[arg-type]
