"""A session's archive (archive.tick) as the JSON lines that flink/sql/ticks_of_archive.sql reads.

Only what makes bars is written: ticks of the regular session, of the symbols asked for. Memory: one row group of the archive.
Not here: making an archive (feed)."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from stock_platform.adapters.parquet import read_pieces

_READ = (
    "symbol price day_volume ts_event session_phase currency previous_close source is_continuous kafka_partition kafka_offset"
).split()


def write_lines(archive: Path, folder: Path, symbols: Sequence[str]) -> int:
    """One file per row group, so that they are read in parallel; returns the ticks written.

    Args:
        symbols: None stands for all.
    """
    count = 0
    for number, piece in enumerate(read_pieces(archive, columns=_READ)):
        wanted = piece.filter(pl.col("session_phase") == "regular")
        chosen = wanted.filter(pl.col("symbol").is_in(symbols)) if symbols else wanted
        if chosen.height:
            _as_lines(chosen).write_ndjson(folder / f"{number:05}.json")
        count += chosen.height
    return count


def tick_count(archive: Path, symbols: Sequence[str]) -> int:
    """How many ticks `write_lines` would write."""
    wanted = pl.scan_parquet(archive).filter(pl.col("session_phase") == "regular")
    chosen = wanted.filter(pl.col("symbol").is_in(symbols)) if symbols else wanted
    return chosen.select(pl.len()).collect().item()


def regular_symbols(archive: Path) -> set[str]:
    """Symbols of which there are ticks of the regular session."""
    regular = pl.scan_parquet(archive).filter(pl.col("session_phase") == "regular")
    return set(regular.select(pl.col("symbol").unique()).collect()["symbol"])


def _as_lines(ticks: pl.DataFrame) -> pl.DataFrame:
    """Prices as text, so that no reader rounds them; instants as epoch milliseconds. An archive does not know when a tick came."""
    instant = pl.col("ts_event").dt.epoch("ms")
    return ticks.with_columns(pl.col("price", "previous_close").cast(pl.String), ts_event=instant, ts_recv=instant)
