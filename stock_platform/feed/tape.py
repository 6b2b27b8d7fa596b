"""A Parquet of trades, read in its own order and played at its own pace.

Trades become candidates; the ticks of an archived session (archive.tick) were judged when they were live, and become ticks
again as they were. Not here: judging (validation), publishing. After a restart the rows that Kafka has already are played at
once and marked as published, so that they rebuild the state but are not sent again; of an archive they are left out."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from stock_platform.adapters.clock import Clock
from stock_platform.errors import TapeUnreadable
from stock_platform.feed.publisher import Acknowledged
from stock_platform.feed.tick import Candidate, Tick, epoch_ms, from_epoch_ms

_COLUMNS = ("ts_event", "symbol", "price", "size")
_VENDOR = {"day_volume": pl.Int64(), "previous_close": pl.Decimal(18, 6)}
"""Columns that a tape may have."""
_JUDGED = {"session_phase": pl.String(), "currency": pl.String(), "is_suspect": pl.Boolean(), "is_continuous": pl.Boolean()}
"""Columns that make a tape an archive: what was found when the ticks were live."""
_CHUNK_ROW_COUNT = 100_000
"""Rows in memory at once: some 20 MB."""
_BATCH_COUNT = 2_000
_MINUTE_MS = 60_000


class Trade(NamedTuple):
    """One row.

    Args:
        day_volume: Cumulative; where a tape has only sizes, None. session_phase and what follows: of an archive alone.
    """

    ts_event_ms: int
    symbol: str
    price: Decimal | str | None
    size: int | None
    day_volume: int | None
    previous_close: Decimal | None
    session_phase: str | None
    currency: str | None
    is_suspect: bool | None
    is_continuous: bool | None


class Tape:
    """A tape's file, checked when it is opened.

    Raises:
        TapeUnreadable: not a Parquet, a column is missing or of a wrong type, no rows, not sorted by ts_event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._frame = pl.scan_parquet(path)
            self._check(self._frame.collect_schema())
        except (OSError, pl.exceptions.PolarsError) as error:
            raise TapeUnreadable(path, str(error).splitlines()[0]) from error

    def _check(self, schema: pl.Schema) -> None:
        missing = [name for name in _COLUMNS if name not in schema]
        if missing:
            raise TapeUnreadable(self.path, f"no column {', '.join(missing)}")
        ts_event = schema["ts_event"]
        if not isinstance(ts_event, pl.Datetime) or ts_event.time_zone != "UTC":
            raise TapeUnreadable(self.path, f"ts_event is {ts_event}, not a UTC timestamp")
        if not schema["size"].is_integer():
            raise TapeUnreadable(self.path, f"size is {schema['size']}, not an integer")
        column = pl.col("ts_event")
        facts = self._frame.select(
            column.len().alias("rows"), column.null_count().alias("nulls"), column.is_sorted().alias("is_sorted")
        ).collect()
        rows, nulls, is_sorted = facts.row(0)
        if not rows or nulls or not is_sorted:
            problem = "it has no rows" if not rows else f"{nulls} rows without ts_event" if nulls else "not sorted"
            raise TapeUnreadable(self.path, problem)
        self.row_count = int(rows)

    @cached_property
    def is_archive(self) -> bool:
        """Whether its rows are ticks that were judged before."""
        return not {*_VENDOR, *_JUDGED} - set(self._frame.collect_schema())

    @cached_property
    def calendars(self) -> Mapping[str, str]:
        """Calendar of each symbol, where the tape says it: an archive does."""
        if "calendar" not in self._frame.collect_schema():
            return {}
        return dict(self._frame.select("symbol", "calendar").unique().sort("symbol").collect().iter_rows())

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol of the tape, in alphabetical order."""
        names = self._frame.select(pl.col("symbol").cast(pl.String).unique()).collect()["symbol"]
        return tuple(sorted(name for name in names.to_list() if name))

    def trades(self, start: int = 0) -> Iterator[Trade]:
        """Rows in their order, from that row on."""
        schema, price = self._frame.collect_schema(), pl.col("price")
        exact = price if isinstance(schema["price"], pl.Decimal) else price.cast(pl.String)
        more = [
            (pl.col(name) if name in schema else pl.lit(None)).cast(kind).alias(name) for name, kind in (_VENDOR | _JUDGED).items()
        ]
        rows = self._frame.select(pl.col("ts_event").dt.epoch("ms"), pl.col("symbol").cast(pl.String), exact, pl.col("size"), *more)
        for offset in range(start, self.row_count, _CHUNK_ROW_COUNT):
            yield from map(Trade._make, rows.slice(offset, _CHUNK_ROW_COUNT).collect().iter_rows())

    def row(self, index: int) -> Trade:
        """One row by its number."""
        return next(self.trades(index))


class TapeSource:
    """Plays a tape: a row is due when its distance from the first one, divided by the speed, has passed.

    Args:
        speed: Times faster than it happened.
        is_as_live: Shift it by whole minutes so that it begins now; at speed 1 a restart catches up with the clock.
        acknowledged: What Kafka has already; those rows are played at once.
        line: Name of the line, as an archive's ticks are to carry it.
    """

    def __init__(
        self, tape: Tape, *, speed: float, is_as_live: bool, acknowledged: Acknowledged, clock: Clock, line: str = "tape"
    ) -> None:
        self._line = line
        self._speed = speed
        self._is_archive = tape.is_archive
        self._acknowledged = acknowledged
        self._clock = clock
        self._shift_ms = _shift_ms(tape, acknowledged, clock.now()) if is_as_live else 0
        self._is_tied_to_clock = is_as_live and speed == 1
        self._trades = enumerate(tape.trades())
        self._next = next(self._trades, None)
        self._origin: tuple[int, int] | None = None
        self._is_closed = False

    @property
    def is_over(self) -> bool:
        """Whether the last row has been read."""
        return self._next is None

    def read(self, within: timedelta) -> Sequence[Candidate | Tick]:
        """Rows that are due; waits for the next one no longer than told."""
        if self._is_closed:
            return []
        ts_recv = self._clock.now()
        now_ms, batch = epoch_ms(ts_recv), list[Candidate | Tick]()
        while self._next is not None and len(batch) < _BATCH_COUNT:
            line_seq, trade = self._next
            is_published = self._acknowledged.covers(trade.symbol, line_seq)
            if not is_published and self._due_in_ms(trade, now_ms) > 0:
                break
            if not self._is_archive:
                batch.append(self._candidate(trade, line_seq, ts_recv, is_published=is_published))
            elif not is_published:
                batch.append(self._tick(trade, line_seq, ts_recv))
            self._next = next(self._trades, None)
        if not batch and self._next is not None:
            self._clock.sleep(min(within, timedelta(milliseconds=self._due_in_ms(self._next[1], now_ms))))
        return batch

    def close(self) -> None:
        """Read no further."""
        self._is_closed = True

    def _due_in_ms(self, trade: Trade, now_ms: int) -> int:
        ts_ms = trade.ts_event_ms + self._shift_ms
        if self._origin is None:
            self._origin = (ts_ms, ts_ms if self._is_tied_to_clock else now_ms)
        first_ts_ms, first_now_ms = self._origin
        return math.ceil((ts_ms - first_ts_ms) / self._speed) - (now_ms - first_now_ms)

    def _candidate(self, trade: Trade, line_seq: int, ts_recv: datetime, *, is_published: bool) -> Candidate:
        return Candidate(
            symbol=trade.symbol,
            price=_price(trade.price),
            day_volume=trade.day_volume,
            size=trade.size,
            ts_event=from_epoch_ms(trade.ts_event_ms + self._shift_ms),
            ts_recv=ts_recv,
            previous_close=trade.previous_close,
            ts_connected=None,
            line_seq=line_seq,
            payload=partial(_row_json, trade),
            is_published=is_published,
        )

    def _tick(self, trade: Trade, line_seq: int, ts_recv: datetime) -> Tick:
        return Tick(
            symbol=trade.symbol,
            price=_price(trade.price),
            day_volume=trade.day_volume,
            size=trade.size,
            ts_event=from_epoch_ms(trade.ts_event_ms + self._shift_ms),
            ts_recv=ts_recv,
            session_phase=trade.session_phase or "closed",
            currency=trade.currency or "",
            previous_close=trade.previous_close,
            source="tape",
            line=self._line,
            line_seq=line_seq,
            is_suspect=bool(trade.is_suspect),
            is_continuous=bool(trade.is_continuous),
        )


def _shift_ms(tape: Tape, acknowledged: Acknowledged, now: datetime) -> int:
    """Whole minutes from the tape's time to the time it is played in; a restart keeps the published shift."""
    published = acknowledged.any
    if published is not None and published.ts_event_ms is not None:
        return published.ts_event_ms - tape.row(published.line_seq).ts_event_ms
    distance_ms = epoch_ms(now.astimezone(UTC)) - tape.row(0).ts_event_ms
    return distance_ms // _MINUTE_MS * _MINUTE_MS


def _price(value: Decimal | str | None) -> Decimal:
    """The price as it is written; what is no number is NaN, and refused."""
    if isinstance(value, Decimal):
        return value
    try:
        return Decimal(value or "NaN")
    except InvalidOperation:
        return Decimal("NaN")


def _row_json(trade: Trade) -> bytes:
    row = {"price": None, **{name: value for name, value in trade._asdict().items() if value is not None}}
    return json.dumps(row, separators=(",", ":"), default=str).encode()
