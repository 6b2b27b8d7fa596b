"""Door to Parquet files that are read and written a row group at a time: one of any length in the memory of one group."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl


def read_pieces(
    path: Path, *, columns: Sequence[str] | None = None, types: Mapping[str, Any] | None = None
) -> Iterator[pl.DataFrame]:
    """The file's row groups in order.

    Args:
        columns: Those that are read; None stands for all.
        types: Of columns that are not taken as the file has them.
    """
    file = _parquet().ParquetFile(path)
    for index in range(file.num_row_groups):
        yield pl.DataFrame(file.read_row_group(index, columns=columns), schema_overrides=types)


def write_pieces(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """One row group a frame; returns the rows. No file when there is no frame. Nothing in it tells when it was made."""
    writer: Any = None
    rows = 0
    for frame in frames:
        table: Any = cast(Any, frame).to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or _parquet().ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=max(1, frame.height))
        rows += frame.height
    if writer:
        writer.close()
    return rows


def _parquet() -> Any:
    import pyarrow.parquet as parquet  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - 0.3 s, for most runs in vain

    return parquet
