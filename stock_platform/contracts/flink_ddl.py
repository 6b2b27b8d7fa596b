"""Render flink/sql/ddl.sql: the stream job's view of topics and tables, from the contracts.

Not here: the job's logic (flink/sql/ticks_to_bars.sql)."""

from stock_platform.contracts.bar import STAGED_BAR
from stock_platform.contracts.record import Record, Type
from stock_platform.contracts.tick import DEAD_LETTER, LONGEST_LETTER_BYTES, QUOTE, QUOTE_UPDATE, TICK

JOB = "ticks_to_bars"
"""Name of the job, of its file and of its consumer group."""

_IN_TOPIC = {
    Type.TEXT: "STRING",
    Type.PRICE: "STRING",
    Type.MONEY: "STRING",
    Type.RATIO: "DOUBLE",
    Type.FACTOR: "STRING",
    Type.MULTIPLIER: "STRING",
    Type.QUANTITY: "BIGINT",
    Type.INSTANT: "BIGINT",
    Type.DAY: "STRING",
    Type.FLAG: "BOOLEAN",
    Type.JSON: "STRING",
}
_IN_TABLE = {
    Type.TEXT: "STRING",
    Type.PRICE: "DECIMAL(18, 6)",
    Type.MONEY: "DECIMAL(38, 6)",
    Type.RATIO: "DOUBLE",
    Type.FACTOR: "DECIMAL(18, 9)",
    Type.MULTIPLIER: "DECIMAL(38, 18)",
    Type.QUANTITY: "BIGINT",
    # The JDBC sink cannot write TIMESTAMP_LTZ. Flink's JVMs run in UTC, so that this becomes the right timestamptz.
    Type.INSTANT: "TIMESTAMP(3)",
    Type.DAY: "DATE",
    Type.FLAG: "BOOLEAN",
    Type.JSON: "STRING",
}

_HEADER = """\
-- Rendered from stock_platform/contracts by `stock-platform render`; do not edit.
-- Names are the addresses with underscores. ${...} is filled at submission. Columns that the database fills are left out.
"""
_READ = (
    "symbol",
    "price",
    "day_volume",
    "ts_event",
    "ts_recv",
    "session_phase",
    "currency",
    "previous_close",
    "source",
    "is_continuous",
)
"""Fields of a tick that the job works with; the others are checked, and not carried along."""
_OF_MESSAGE = (
    "`reason` STRING",
    "`detail` STRING",
    "`payload` BYTES",
    "`kafka_partition` INT METADATA FROM 'partition' VIRTUAL",
    "`kafka_offset` BIGINT METADATA FROM 'offset' VIRTUAL",
    "`kafka_ts` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL",
)
_IN_JOB = {**_IN_TOPIC, Type.PRICE: "DECIMAL(18, 6)"}


def render() -> str:
    """The whole file."""
    tables = (
        _table(TICK, _messages(TICK), _source(TICK)),
        _table(STAGED_BAR, _upserted(STAGED_BAR), _postgres(STAGED_BAR)),
        _table(QUOTE, _upserted(QUOTE), _postgres(QUOTE)),
        _table(QUOTE_UPDATE, ("`symbol` STRING", "`message` BYTES"), _keyed_topic(QUOTE_UPDATE, "symbol")),
        _table(DEAD_LETTER, _columns(DEAD_LETTER, _IN_TOPIC), _letters(DEAD_LETTER)),
    )
    return "\n".join([_HEADER, *tables])


def table_name(record: Record) -> str:
    """Name of a topic or table inside the job."""
    return record.address.replace(".", "_")


def _table(record: Record, columns: tuple[str, ...], options: dict[str, str]) -> str:
    body = ",\n".join(f"    {column}" for column in columns)
    pairs = ",\n".join(f"    '{name}' = '{value}'" for name, value in options.items())
    return f"-- {record.address}: {record.grain}.\nCREATE TABLE {table_name(record)} (\n{body}\n) WITH (\n{pairs}\n);\n"


def _messages(record: Record) -> tuple[str, ...]:
    """Good ticks and others in one table, because each message is read once: a tick has no reason, another has only that."""
    return (*(f"`{column.name}` {_IN_JOB[column.type]}" for column in record.columns if column.name in _READ), *_OF_MESSAGE)


def _columns(record: Record, types: dict[Type, str]) -> tuple[str, ...]:
    return tuple(f"`{column.name}` {types[column.type]}" for column in record.columns if column.name not in record.defaulted)


def _upserted(record: Record) -> tuple[str, ...]:
    return (*_columns(record, _IN_TABLE), f"PRIMARY KEY ({', '.join(record.key)}) NOT ENFORCED")


def _kafka(record: Record) -> dict[str, str]:
    return {"connector": "kafka", "topic": record.address, "properties.bootstrap.servers": "${KAFKA_BOOTSTRAP}"}


def _source(record: Record) -> dict[str, str]:
    """A first job has no state, so it reads from the beginning: bars stay whole, repeats change nothing.

    A rebuild replaces the startup mode (reading_from in adapters/flink_script).
    """
    return {
        **_kafka(record),
        "properties.group.id": JOB,
        "scan.startup.mode": "earliest-offset",
        "scan.topic-partition-discovery.interval": "60 s",
        "format": "tick",
    }


def _letters(record: Record) -> dict[str, str]:
    """A letter that the producer refuses would end the job, and again after each restart."""
    return {
        **_kafka(record),
        "format": "json",
        "sink.delivery-guarantee": "at-least-once",
        "properties.max.request.size": str(LONGEST_LETTER_BYTES),
    }


def _keyed_topic(record: Record, key: str) -> dict[str, str]:
    """A function of the job writes the message as the contract says; a reader in a browser's path waits for no long batch."""
    return {
        **_kafka(record),
        "key.format": "raw",
        "key.fields": key,
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": "at-least-once",
        "properties.linger.ms": "5",
        "properties.batch.size": "131072",
        "properties.compression.type": "lz4",
    }


def _postgres(record: Record) -> dict[str, str]:
    return {
        "connector": "jdbc",
        "url": "${POSTGRES_URL}",
        "table-name": record.address,
        "username": "${POSTGRES_USER}",
        "password": "${POSTGRES_PASSWORD}",
        "sink.buffer-flush.interval": "100 ms",
        "sink.buffer-flush.max-rows": "2000",
        "sink.max-retries": "5",
    }
