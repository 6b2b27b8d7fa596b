"""What a source of the simulator gives: updates of one symbol, a quarter of an hour at a time.

A source is the market of a seed (market) or a recorded tape (played); everything else of the simulator asks this face."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stock_platform.calendars import Calendar, Session
from stock_platform.contracts.epoch import EPOCH
from stock_platform.feed.watchlist import Instrument

BLOCK_S = 900
"""A block: short enough that 5,000 symbols at one update a second fit into 200 MB."""
PRICE_SCALE = 10_000
"""Prices are whole ten-thousandths of the currency: what a tape of US trades has."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Updates of one symbol; every array has the same length.

    Args:
        seconds: Of the epoch, ascending.
        prices: In ten-thousandths.
        volumes: Cumulative since the session's open, after this update; -1 outside the regular session.
        phases: Yahoo's market_hours: 0 pre, 1 regular, 2 post, 3 closed.
    """

    seconds: Integers
    prices: Integers
    volumes: Integers
    phases: NDArray[np.int8]

    def where(self, mask: NDArray[np.bool_]) -> "Block":
        """Only those updates."""
        return Block(self.seconds[mask], self.prices[mask], self.volumes[mask], self.phases[mask])


_NONE = np.empty(0, dtype=np.int64)
EMPTY = Block(_NONE, _NONE, _NONE, np.empty(0, dtype=np.int8))


class Update(NamedTuple):
    """One last-sale update.

    Args:
        second: Of the epoch.
        day_volume: As the vendor says it: of a coin that of the last 24 hours; None outside the regular session and of currencies.
        phase: Yahoo's market_hours.
    """

    symbol: str
    second: int
    price: float
    day_volume: int | None
    phase: int
    previous_close: float | None


class DailyBar(NamedTuple):
    """One session, prices in ten-thousandths."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class Source(Protocol):
    """Where updates come from: a pure function, so that any second can be asked for at any time."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What is traded, by symbol."""
        ...

    def block(self, symbol: str, start: int) -> Block:
        """Updates of [start, start + BLOCK_S); start is a multiple of BLOCK_S."""
        ...

    def active_block(self, symbol: str, start: int) -> int | None:
        """Start of the newest block, not later than that, in which the market is open; None when there is none."""
        ...

    def calendar(self, symbol: str) -> Calendar:
        """Sessions as this source trades them."""
        ...

    def drawn_bar(self, symbol: str, session: Session) -> DailyBar | None:
        """A session so old that nobody can ask for its minutes; None where nothing is known of it."""
        ...


def block_start(second: int) -> int:
    """Start of the block that holds the second."""
    return second - second % BLOCK_S


def second_of(ts: datetime) -> int:
    """Whole seconds since the epoch."""
    return (ts - EPOCH) // timedelta(seconds=1)


def instant(second: float) -> datetime:
    """The instant, aware, UTC."""
    return EPOCH + timedelta(seconds=second)


def joined(blocks: list[Block]) -> Block:
    """Blocks in a row as one."""
    if not blocks:
        return EMPTY
    return Block(
        np.concatenate([each.seconds for each in blocks]),
        np.concatenate([each.prices for each in blocks]),
        np.concatenate([each.volumes for each in blocks]),
        np.concatenate([each.phases for each in blocks]),
    )
