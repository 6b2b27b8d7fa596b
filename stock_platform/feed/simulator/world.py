"""The one truth that stream, chart and quote show: a source's updates, after what happened to the market.

Any second can be asked for from any thread; what is asked for again and again is kept."""

from datetime import timedelta
from functools import lru_cache

from stock_platform.calendars import Session
from stock_platform.feed.simulator.events import happened
from stock_platform.feed.simulator.fault import Split
from stock_platform.feed.simulator.faults import Faults, Timed
from stock_platform.feed.simulator.shape import DAY_S, REGULAR
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
from stock_platform.feed.simulator.venue import kind_of

_EMPTY_BLOCKS_LIMIT = 200
"""So many blocks without an update (a halt of two days) and nothing is known any more."""
_LONGEST_CLOSURE = timedelta(days=10)


class World:
    """A source and its faults."""

    def __init__(self, source: Source, faults: Faults) -> None:
        self.source = source
        self.faults = faults
        self._kinds = {symbol: kind_of(each) for symbol, each in source.instruments.items()}
        count = len(source.instruments)
        self._block = lru_cache(maxsize=3 * count + 256)(self._compute_block)
        self._previous = lru_cache(maxsize=3 * count + 256)(self._compute_previous)
        self._closes = lru_cache(maxsize=3 * count + 256)(self._compute_close)

    def newest(self, symbol: str, second: int) -> Update | None:
        """The newest update at or before that second; None when it is not traded here."""
        found = self._find(symbol, second) if symbol in self.source.instruments else None
        return self._update(symbol, *found) if found else None

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

    def _find(self, symbol: str, second: int) -> tuple[Block, int] | None:
        """Block and index of the newest update at or before that second."""
        start: int | None = block_start(second)
        for _ in range(_EMPTY_BLOCKS_LIMIT):
            start = self.source.active_block(symbol, start)
            if start is None:
                return None
            block = self._block(symbol, start, self.faults.version)
            index = int(block.seconds.searchsorted(second, side="right")) - 1
            if index >= 0:
                return block, index
            start -= BLOCK_S
        return None

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
        second = int(block.seconds[index])
        return Update(
            symbol=symbol,
            second=second,
            price=int(block.prices[index]) / PRICE_SCALE,
            day_volume=self._day_volume(symbol, second, int(block.volumes[index])),
            phase=int(block.phases[index]),
            previous_close=self.previous_close(symbol, second),
        )

    def _day_volume(self, symbol: str, second: int, traded: int) -> int | None:
        """As the vendor says it of this kind; `traded` is the session's so far, -1 outside of it."""
        if traded < 0 or self._kinds[symbol] == "CURRENCY":
            return None
        if self._kinds[symbol] == "CRYPTOCURRENCY":
            return traded + self._traded_on_day_before(symbol, second)
        return traded

    def _traded_on_day_before(self, symbol: str, second: int) -> int:
        """The part of the UTC day before that lies within the last 24 hours."""
        midnight = second - second % DAY_S
        return max(0, self._traded(symbol, midnight - 1) - self._traded(symbol, second - DAY_S))

    def _traded(self, symbol: str, second: int) -> int:
        """Traded on a UTC day up to that second."""
        found = self._find(symbol, second)
        if found is None or found[0].seconds[found[1]] < second - second % DAY_S:
            return 0
        return max(0, int(found[0].volumes[found[1]]))
