"""The one truth that stream, chart and quote show: a source's updates, after what happened to the market.

Any second can be asked for from any thread; what is asked for again and again is kept."""

from datetime import timedelta
from functools import lru_cache

from stock_platform.calendars import Session
from stock_platform.feed.simulator.events import happened
from stock_platform.feed.simulator.fault import Split
from stock_platform.feed.simulator.faults import Faults, Timed
from stock_platform.feed.simulator.shape import REGULAR
from stock_platform.feed.simulator.updates import (
    BLOCK_S,
    PRICE_SCALE,
    Block,
    Source,
    Update,
    block_start,
    instant,
    joined,
    second_of,
)

_EMPTY_BLOCKS_LIMIT = 200
"""So many blocks without an update (a halt of two days) and nothing is known any more."""
_LONGEST_CLOSURE = timedelta(days=10)


class World:
    """A source and its faults."""

    def __init__(self, source: Source, faults: Faults) -> None:
        self.source = source
        self.faults = faults
        count = len(source.instruments)
        self._block = lru_cache(maxsize=3 * count + 256)(self._compute_block)
        self._previous = lru_cache(maxsize=3 * count + 256)(self._compute_previous)
        self._closes = lru_cache(maxsize=3 * count + 256)(self._compute_close)

    def newest(self, symbol: str, second: int) -> Update | None:
        """The newest update at or before that second; None when it is not traded here."""
        if symbol not in self.source.instruments:
            return None
        start: int | None = block_start(second)
        for _ in range(_EMPTY_BLOCKS_LIMIT):
            start = self.source.active_block(symbol, start)
            if start is None:
                return None
            block = self._block(symbol, start, self.faults.version)
            index = int(block.seconds.searchsorted(second, side="right")) - 1
            if index >= 0:
                return self._update(symbol, block, index)
            start -= BLOCK_S
        return None

    def update(self, symbol: str, second: int) -> Update | None:
        """What happens to the symbol in that second of the epoch; None when nothing does, or it is not traded here."""
        if symbol not in self.source.instruments:
            return None
        block = self._block(symbol, block_start(second), self.faults.version)
        index = int(block.seconds.searchsorted(second))
        if index == block.seconds.size or block.seconds[index] != second:
            return None
        return self._update(symbol, block, index)

    def last_regular(self, symbol: str, second: int) -> Update | None:
        """The newest update of regular hours."""
        newest = self.newest(symbol, second)
        if newest is None or newest.phase == REGULAR:
            return newest
        today = self.session(symbol, second).session_date
        sessions = self.source.calendar(symbol).sessions(today - _LONGEST_CLOSURE, today + timedelta(days=1))
        ended = [second_of(each.ts_close) for each in sessions if second_of(each.ts_close) <= second]
        return self.newest(symbol, ended[-1] - 1) if ended else None

    def updates(self, symbol: str, start: int, end: int, *, adjusted_at: int | None = None) -> Block:
        """All updates of [start, end), both multiples of BLOCK_S; see events.happened."""
        events = list(self.faults.of_market(symbol))
        blocks = joined([self.source.block(symbol, at) for at in range(start, end, BLOCK_S)])
        return happened(blocks, events, adjusted_at=adjusted_at)

    def splits(self, symbol: str, until: int) -> list[tuple[Split, Timed]]:
        """Splits so far."""
        events = (timed for timed in self.faults.of_market(symbol) if timed.start <= until)
        return [(timed.fault, timed) for timed in events if isinstance(timed.fault, Split)]

    def session(self, symbol: str, second: int) -> Session:
        """The newest session at that second, its pre-market included."""
        return self.source.calendar(symbol).session_latest(instant(second))

    def previous_close(self, symbol: str, second: int) -> float | None:
        """Last regular price of the session before, in today's shares; None where nothing is known of it."""
        return self._previous(symbol, block_start(second), self.faults.version)

    def _compute_block(self, symbol: str, start: int, version: int) -> Block:
        return happened(self.source.block(symbol, start), self.faults.of_market(symbol))

    def _compute_previous(self, symbol: str, start: int, version: int) -> float | None:
        session = self.session(symbol, start + BLOCK_S - 1)
        day = session.session_date
        before = self.source.calendar(symbol).sessions(day - _LONGEST_CLOSURE, day)
        if not before:
            return None
        last = second_of(before[-1].ts_close) - 1
        price = self._closes(symbol, last, version)
        for split, timed in self.splits(symbol, start + BLOCK_S - 1):
            price = price / split.ratio if price and timed.start > last else price
        return price

    def _compute_close(self, symbol: str, second: int, version: int) -> float | None:
        start = self.source.active_block(symbol, block_start(second))
        for at in range(start or 0, (start or 0) - _EMPTY_BLOCKS_LIMIT * BLOCK_S, -BLOCK_S):
            block = self._compute_block(symbol, at, version)
            index = int(block.seconds.searchsorted(second, side="right")) - 1
            if index >= 0:
                return int(block.prices[index]) / PRICE_SCALE
        return None

    def _update(self, symbol: str, block: Block, index: int) -> Update:
        second, volume = int(block.seconds[index]), int(block.volumes[index])
        return Update(
            symbol=symbol,
            second=second,
            price=int(block.prices[index]) / PRICE_SCALE,
            day_volume=None if volume < 0 else volume,
            phase=int(block.phases[index]),
            previous_close=self.previous_close(symbol, second),
        )
