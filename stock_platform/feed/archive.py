"""A session's ticks from Kafka to one Parquet in a tape's format: archive.tick. The way back is the tape.

Unit of parallelism: session. Effectively once: the file is what Kafka has now together with what the file had before, each
tick once, sorted; so a repeat gives the same bytes, late ticks make it longer, and ticks that Kafka has forgotten stay.
Memory is bounded: what is read goes to disk by its ten minutes (archive_file.PIECE), each of which is sorted by itself."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import polars as pl

from stock_platform.adapters.kafka_range import OffsetRange, offset_ranges, read_batches
from stock_platform.adapters.parquet import write_pieces
from stock_platform.contracts.tick import TICK
from stock_platform.feed.archive_file import COLUMNS, IDENTITY, ORDER, PIECE, pieces, symbols_of
from stock_platform.feed.tick_frame import gathered, tick_frame

_MARGIN = timedelta(hours=1)
"""Kafka's time is our clock at arrival, the tick's is the vendor's: they differ by seconds, not by this."""
_PIECE_MS = PIECE // timedelta(milliseconds=1)
_INSTANT = pl.Datetime("ms", "UTC")
_WINDOW = {"symbol": pl.String, "calendar": pl.String, "ts_pre": _INSTANT, "ts_post_end": _INSTANT}


class SessionHours(NamedTuple):
    """When a symbol's session is on, pre- and post-market included: [ts_pre, ts_post_end)."""

    symbol: str
    calendar: str
    ts_pre: datetime
    ts_post_end: datetime


@dataclass(frozen=True)
class Archived:
    """What was written.

    Args:
        path: The file; None when there is no tick.
        ranges: Where in Kafka it was looked for.
        unread_count: Records there that are no ticks.
    """

    path: Path | None
    row_count: int
    symbols: tuple[str, ...]
    byte_count: int
    sha256: str
    ranges: tuple[OffsetRange, ...]
    unread_count: int


def archive_session(path: Path, hours: Sequence[SessionHours], *, bootstrap: str, late: timedelta | None) -> Archived:
    """Write the session's file, or write it anew.

    Args:
        hours: Of every symbol that has this session.
        late: How long after its session a tick may reach Kafka; None: for ever.

    Raises:
        TopicMissing, BrokerUnreachable: Kafka does not answer; the file stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ranges = _ranges(hours, bootstrap, late)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".spill-") as folder:
        spill, whole = _Spill(Path(folder)), Path(folder) / "whole"
        unread = sum(_read(bootstrap, where, hours, spill) for where in ranges)
        for piece in pieces(path) if path.exists() else ():
            spill.take(piece)
        row_count = write_pieces(whole, spill.pieces())
        if row_count:
            whole.replace(path)
    if not row_count:
        return Archived(None, 0, (), 0, "", ranges, unread)
    return Archived(path, row_count, tuple(symbols_of(path)), path.stat().st_size, _digest(path), ranges, unread)


class _Spill:
    """Ticks on disk, in one folder, by their ten minutes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[int, list[Path]] = {}
        self._count = 0

    def take(self, ticks: pl.DataFrame) -> None:
        """Put a frame's rows where they belong."""
        numbered = ticks.select(*COLUMNS, piece=pl.col("ts_event").dt.epoch("ms") // _PIECE_MS)
        for key, part in numbered.partition_by("piece", as_dict=True, include_key=False).items():
            path = self._folder / str(self._count)
            part.write_parquet(path, compression="lz4")
            self._parts.setdefault(cast(int, key[0]), []).append(path)
            self._count += 1

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Each ten minutes whole: sorted, each tick once."""
        for number in sorted(self._parts):
            yield _distinct(pl.concat([pl.read_parquet(path) for path in self._parts[number]]))


def _distinct(ticks: pl.DataFrame) -> pl.DataFrame:
    """Each tick once, as it came first; continuous when one of its copies says so."""
    kept = [pl.col(name).first() for name in COLUMNS if name not in (*IDENTITY, "is_continuous")]
    in_order = ticks.sort("kafka_partition", "kafka_offset").group_by(IDENTITY, maintain_order=True)
    return in_order.agg(*kept, pl.col("is_continuous").any()).select(*COLUMNS).sort(ORDER)


def _ranges(hours: Sequence[SessionHours], bootstrap: str, late: timedelta | None) -> tuple[OffsetRange, ...]:
    if not hours:
        return ()
    since = min(each.ts_pre for each in hours) - _MARGIN
    until = None if late is None else max(each.ts_post_end for each in hours) + late + _MARGIN
    return tuple(offset_ranges(bootstrap, TICK.address, since=since, until=until))


def _read(bootstrap: str, where: OffsetRange, hours: Sequence[SessionHours], spill: _Spill) -> int:
    """Spill what the range has of the session; returns how many of its records are no ticks."""
    windows, unread = pl.DataFrame(hours, schema=_WINDOW, orient="row"), 0
    for records in gathered(read_batches(bootstrap, TICK.address, where)):
        ticks = tick_frame(records, where.partition)
        unread += len(records) - ticks.height
        placed = ticks.join(windows, on="symbol")
        spill.take(placed.filter(pl.col("ts_event") >= pl.col("ts_pre"), pl.col("ts_event") < pl.col("ts_post_end")))
    return unread


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
