"""How many rows sessions have in their tables, for the key that Dagster plots: `dagster/row_count`.

It is what the table has, whoever wrote it; what a run wrote of it has names of its own (`rows_written`, `changed`)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from stock_platform.adapters.postgres import Connection, count_rows, count_rows_by
from stock_platform.contracts.record import Record

ROW_COUNT = "dagster/row_count"

Metadata = Mapping[str, Any]


def row_count(connection: Connection, record: Record, session_date: date) -> dict[str, int]:
    """Rows that the table has of the session, as metadata; with what this transaction has written."""
    return row_counts(connection, record, [session_date])[session_date]


def row_counts(
    connection: Connection, record: Record, days: Sequence[date], *, column: str = "session_date"
) -> dict[date, dict[str, int]]:
    """The same for several sessions, by one query.

    Args:
        column: The table's name for the session."""
    return {day: {ROW_COUNT: count} for day, count in count_rows_by(connection, record.address, column, days).items()}


def table_count(connection: Connection, record: Record) -> dict[str, int]:
    """The same for a table that is not kept by session."""
    return {ROW_COUNT: count_rows(connection, record.address)}


def tell_each(context: dg.AssetExecutionContext, key: dg.AssetKey, by_day: Mapping[date, Metadata]) -> None:
    """Give each session's event what is its own; what a result says itself all of them have."""
    for day, metadata in by_day.items():
        context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
