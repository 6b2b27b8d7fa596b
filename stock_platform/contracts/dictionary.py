"""Render the data dictionary: every topic, table and view, every column, with type, unit and meaning. Pure."""

from stock_platform.contracts.catalogue import TABLES, TOPICS, VIEWS
from stock_platform.contracts.record import Column, Record, Type

POSTGRES = {
    Type.TEXT: "text",
    Type.PRICE: "numeric(18,6)",
    Type.MONEY: "numeric(38,6)",
    Type.RATIO: "double precision",
    Type.FACTOR: "numeric(18,9)",
    Type.MULTIPLIER: "numeric(38,18)",
    Type.QUANTITY: "bigint",
    Type.INSTANT: "timestamp with time zone",
    Type.DAY: "date",
    Type.FLAG: "boolean",
    Type.JSON: "jsonb",
}
"""Type of each column in Postgres, as `format_type` spells it."""

_HEAD = """\
# Data dictionary

Rendered from `stock_platform/contracts/` by `stock-platform render`; do not edit. Tests compare it with the migrations.
In topics prices are decimal text and instants epoch milliseconds, UTC; see `docs/schemas/`.
"""


def render() -> str:
    """The dictionary as Markdown."""
    topics = [_section(record, "topic") for record in TOPICS]
    tables = [_section(record, "table") for record in TABLES]
    return "\n".join([_HEAD, *topics, *tables, *(_section(record, "view") for record in VIEWS)])


def _section(record: Record, kind: str) -> str:
    head = f"## {kind} `{record.address}`\n\n{record.meaning} Grain: {record.grain}. Key: {', '.join(record.key)}.\n"
    rows = [_row(record, column) for column in record.columns]
    return "\n".join([head, "| column | type | unit | null | meaning |", "|---|---|---|---|---|", *rows, ""])


def _row(record: Record, column: Column) -> str:
    values = record.closed_sets.get(column.name, ())
    meaning = f"{column.meaning} One of {', '.join(values)}." if values else column.meaning
    is_null = "yes" if column.name in record.nullable else ""
    return f"| `{column.name}` | {POSTGRES[column.type]} | {column.unit} | {is_null} | {meaning} |"
