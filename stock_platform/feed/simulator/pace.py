"""Market time: the clock's own, or a tape's that runs faster or at another date."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from stock_platform.adapters.clock import Clock
from stock_platform.feed.simulator.updates import instant, second_of

_CATCH_UP_LIMIT = 10
"""Seconds that a delayed server sends afterwards; a real vendor conflates what is older."""


class Pace:
    """Which second of the market it is.

    Args:
        begins: The market's time at this moment; the clock's own where it is missing.
        speed: Market seconds a second.
    """

    def __init__(self, clock: Clock, *, begins: datetime | None = None, speed: float = 1.0) -> None:
        self._clock = clock
        self._speed = speed
        self._origin = clock.now()
        self._begins = begins or self._origin
        self._limit = _CATCH_UP_LIMIT if begins is None else None

    def second(self) -> int:
        """The second of the epoch that the market is in."""
        return second_of(self._market_now())

    async def seconds(self) -> AsyncIterator[int]:
        """Each second, as it begins; a tape skips none."""
        last = self.second()
        while True:
            await asyncio.sleep((instant(last + 1) - self._market_now()).total_seconds() / self._speed)
            current = self.second()
            for second in range(last + 1 if self._limit is None else max(last + 1, current - self._limit), current + 1):
                yield second
            last = max(last, current)

    def _market_now(self) -> datetime:
        return self._begins + (self._clock.now() - self._origin) * self._speed
