"""A recorded tape as Yahoo would have streamed it: conflated to a second, volumes cumulative.

The newest print of each symbol and second stands for the second; the day's volume counts every print of the regular
session, so that volumes taken from its growth still sum to all of it. Not here: prints one by one (feed/tape)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from stock_platform.calendars import Calendar, Session, calendar
from stock_platform.feed.simulator.shape import CLOSED, POST, PRE, REGULAR
from stock_platform.feed.simulator.updates import BLOCK_S, EMPTY, PRICE_SCALE, Block, DailyBar, Update, second_of
from stock_platform.feed.tape import Tape
from stock_platform.feed.tick import from_epoch_ms
from stock_platform.feed.watchlist import Instrument, always_open, instruments_of_tape

_DAY = timedelta(days=1)
_CALENDAR = "XNYS"


def conflated(path: Path) -> Iterator[Update]:
    """The tape's updates by second and symbol; there is no previous close in a tape.

    Raises:
        TapeUnreadable: it is no tape.
    """
    for symbol, second, price, volume, phase in conflated_frame(path).iter_rows():
        yield Update(symbol, second, price / PRICE_SCALE, None if volume < 0 else volume, phase, None)


def conflated_frame(path: Path) -> pl.DataFrame:
    """One row a second and symbol with a print, sorted so: symbol, second, price (ten-thousandths), volume (-1: none), phase."""
    hours, tape = _hours(_sessions(Tape(path))), pl.scan_parquet(path)
    total = pl.col("day_volume") if "day_volume" in tape.collect_schema() else pl.lit(None, pl.Int64)
    prints = tape.select(
        symbol=pl.col("symbol").cast(pl.String),
        second=pl.col("ts_event").dt.epoch("s"),
        price=(pl.col("price").cast(pl.Decimal(18, 4)) * PRICE_SCALE).cast(pl.Int64),
        size=pl.col("size").cast(pl.Int64).fill_null(0),
        total=total,
    )
    placed = prints.join_asof(hours.lazy(), left_on="second", right_on="start", strategy="backward")
    counted = placed.with_columns(traded=pl.when(pl.col("phase") == REGULAR).then(pl.col("size")).otherwise(0))
    seconds = counted.group_by("symbol", "second", maintain_order=True).agg(
        pl.col("price").last(), pl.col("traded").sum(), pl.col("phase", "session", "total").last()
    )
    summed = pl.col("traded").cum_sum().over("symbol", "session")
    volume = pl.when(pl.col("phase") == REGULAR).then(pl.coalesce("total", summed)).otherwise(-1)
    return seconds.select("symbol", "second", "price", volume.alias("volume"), "phase").sort("second", "symbol").collect()


def _sessions(tape: Tape) -> list[Session]:
    first, last = (from_epoch_ms(tape.row(row).ts_event_ms).date() for row in (0, tape.row_count - 1))
    return calendar(_CALENDAR).sessions(first - _DAY, last + 2 * _DAY)


def _hours(sessions: Iterable[Session]) -> pl.DataFrame:
    """From which second on the market is in which phase of which session."""
    rows: list[tuple[int, int, int]] = [(0, CLOSED, 0)]
    for number, each in enumerate(sessions, start=1):
        edges = ((each.ts_pre, PRE), (each.ts_open, REGULAR), (each.ts_close, POST), (each.ts_post_end, CLOSED))
        rows.extend((second_of(ts), phase, number) for ts, phase in edges)
    return pl.DataFrame(rows, schema={"start": pl.Int64, "phase": pl.Int8, "session": pl.Int32}, orient="row")


class PlayedTape:
    """A tape as a source of the simulator.

    Args:
        shift_s: Added to the tape's times, whole minutes; not 0: it plays on a market that never closes.
    """

    def __init__(self, path: Path, *, known: Sequence[Instrument] = (), shift_s: int = 0) -> None:
        frame = conflated_frame(path).with_columns(pl.col("second") + shift_s)
        named = instruments_of_tape(frame["symbol"].unique().to_list(), known)
        self.instruments = {each.symbol: each for each in (always_open(named) if shift_s else named)}
        keyed = frame.with_columns(block=pl.col("second") // BLOCK_S * BLOCK_S).partition_by("symbol", "block", as_dict=True)
        self._blocks = {key: _block(part) for key, part in keyed.items()}
        self._starts = {symbol: sorted(start for name, start in self._blocks if name == symbol) for symbol in self.instruments}
        self.first_second = int(frame["second"][0])

    def block(self, symbol: str, start: int) -> Block:
        """Updates of [start, start + BLOCK_S)."""
        return self._blocks.get((symbol, start), EMPTY)

    def active_block(self, symbol: str, start: int) -> int | None:
        """Start of the newest block, not later than that, with a print."""
        return max((each for each in self._starts[symbol] if each <= start), default=None)

    def calendar(self, symbol: str) -> Calendar:
        """The instrument's own."""
        return calendar(self.instruments[symbol].calendar)

    def drawn_bar(self, symbol: str, session: Session) -> DailyBar | None:
        """Nothing is known of other days."""
        return None


def _block(part: pl.DataFrame) -> Block:
    seconds, prices, volumes, phases = (part[name].to_numpy() for name in ("second", "price", "volume", "phase"))
    return Block(seconds, prices, volumes, phases)
