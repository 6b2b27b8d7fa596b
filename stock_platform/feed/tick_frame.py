"""Messages of market.ticks.v1 as columns of archive.tick. Not here: where they are read (adapters/kafka_range)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from stock_platform.adapters.kafka_range import Record
from stock_platform.feed.archive_file import COLUMNS

_ROWS_AT_ONCE = 200_000
"""Some 150 MB while they are objects."""


class _Message(msgspec.Struct):
    """What is kept of a message."""

    symbol: str
    price: str
    day_volume: int | None
    size: int | None
    ts_event: int
    session_phase: str
    currency: str
    previous_close: str | None
    source: str
    line: str
    tick_id: str
    is_suspect: bool
    is_continuous: bool


_NAMES = _Message.__struct_fields__
_WIRE: Mapping[str, Any] = {"ts_event": pl.Int64, "price": pl.String, "previous_close": pl.String}
_decode = msgspec.json.Decoder(_Message).decode


def tick_frame(records: Sequence[Record], partition: int) -> pl.DataFrame:
    """Records as columns, but for the calendar; those that are no ticks are left out: the stream job has their dead letters."""
    rows = [(message, record.offset) for record in records if (message := _decoded(record.value))]
    columns: dict[str, list[Any]] = {name: [getattr(message, name) for message, _ in rows] for name in _NAMES}
    frame = pl.DataFrame(columns, schema={name: _WIRE.get(name, COLUMNS[name]) for name in _NAMES})
    offsets = pl.Series([offset for _, offset in rows], dtype=pl.Int64)
    return frame.with_columns(
        pl.from_epoch("ts_event", "ms").dt.replace_time_zone("UTC").cast(COLUMNS["ts_event"]),
        pl.col("price", "previous_close").cast(COLUMNS["price"], strict=False),
        kafka_partition=pl.lit(partition, pl.Int64),
        kafka_offset=offsets,
    ).filter(pl.col("price").is_not_null())


def gathered(batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
    """Batches put together, so that few frames are made."""
    together: list[Record] = []
    for batch in batches:
        together += batch
        if len(together) >= _ROWS_AT_ONCE:
            yield together
            together = []
    if together:
        yield together


def _decoded(value: bytes) -> _Message | None:
    try:
        return _decode(value)
    except msgspec.MsgspecError:
        return None
