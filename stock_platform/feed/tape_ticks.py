"""A tape's trades judged as a feed line judges them, written in the archive's format: ticks that a session can be restated from.

Nothing is published. Unit of parallelism: the tape. A repeat gives the same bytes. Memory: the ticks of ten minutes."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.parquet import write_pieces
from stock_platform.feed.archive_file import COLUMNS, IDENTITY, ORDER, PIECE
from stock_platform.feed.plan import TapePlan
from stock_platform.feed.publisher import Acknowledged
from stock_platform.feed.tape import Tape, TapeSource
from stock_platform.feed.tick import Candidate, Refusal, Tick, epoch_ms, price_text, tick_id
from stock_platform.feed.validation import Validator

NO_PLACE = -1
"""Partition and offset of a tick that was never in Kafka."""
_PIECE_MS = PIECE // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Written:
    """What became of the tape.

    Args:
        rejects: Trades that the feed would have refused, by reason.
    """

    row_count: int
    rejects: Counter[str]


def write_ticks(plan: TapePlan, path: Path, *, clock: Clock) -> Written:
    """Judge all of the tape and write its ticks.

    Raises:
        TapeUnreadable: it is no tape.
    """
    tape, rejects = Tape(plan.path), Counter[str]()
    instruments = plan.instruments(tape)
    calendars = {each.symbol: each.calendar for each in instruments}
    source = TapeSource(tape, speed=math.inf, is_as_live=False, acknowledged=Acknowledged(), clock=clock, line=plan.line)
    validator = Validator(line=plan.line, source=plan.source, instruments=instruments)
    frames = (_frame(ticks, calendars) for ticks in _by_piece(_judged(source, validator, rejects)))
    return Written(write_pieces(path, frames), rejects)


def _judged(source: TapeSource, validator: Validator, rejects: Counter[str]) -> Iterator[Tick]:
    """Every tick of the tape, in its order."""
    while not source.is_over:
        for item in source.read(timedelta(0)):
            verdict = validator.judge(item) if isinstance(item, Candidate) else item
            if isinstance(verdict, Refusal):
                rejects[verdict.reason] += 1
            elif verdict is not None:
                yield verdict


def _by_piece(ticks: Iterator[Tick]) -> Iterator[list[Tick]]:
    """Ten minutes at a time: a tape is sorted by time."""
    together, number = list[Tick](), -1
    for tick in ticks:
        piece = epoch_ms(tick.ts_event) // _PIECE_MS
        if piece != number and together:
            yield together
            together = []
        number = piece
        together.append(tick)
    if together:
        yield together


def _frame(ticks: list[Tick], calendars: dict[str, str]) -> pl.DataFrame:
    frame = pl.DataFrame([_row(tick, calendars) for tick in ticks], schema=COLUMNS, orient="row")
    return frame.unique(IDENTITY, keep="first", maintain_order=True).sort(ORDER)


def _row(tick: Tick, calendars: dict[str, str]) -> tuple[Any, ...]:
    identity = tick_id(tick.symbol, day_volume=tick.day_volume, ts_event_ms=epoch_ms(tick.ts_event), price=price_text(tick.price))
    more = {"calendar": calendars[tick.symbol], "tick_id": identity, "kafka_partition": NO_PLACE, "kafka_offset": NO_PLACE}
    return tuple(more[name] if name in more else getattr(tick, name) for name in COLUMNS)
