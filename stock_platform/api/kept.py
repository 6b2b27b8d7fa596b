"""Answers that many ask for at once are found once, and kept for a moment: so the watchlist costs the same whoever looks at it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi.concurrency import run_in_threadpool

from stock_platform.adapters.clock import Clock

Key = tuple[str, int]
_COUNT = 64
"""Answers; the oldest goes first. There are few pages of a watchlist, and a client can make up cursors."""


class Kept:
    """Used by the event loop alone.

    Args:
        for_: From the moment that the store is asked.
    """

    def __init__(self, clock: Clock, *, for_: timedelta = timedelta(milliseconds=250)) -> None:
        self._clock, self._for = clock, for_
        self._found: dict[Key, tuple[datetime, asyncio.Future[bytes]]] = {}

    async def answer(self, key: Key, find: Callable[[], bytes]) -> bytes:
        """The kept answer, or a new one, for which all that ask meanwhile wait; a failure is kept for nobody else."""
        now = self._clock.now()
        kept = self._found.get(key)
        if kept is None or not timedelta() <= now - kept[0] < self._for or _has_failed(kept[1]):
            kept = (now, asyncio.ensure_future(run_in_threadpool(find)))
            self._found.pop(key, None)
            self._found[key] = kept
            if len(self._found) > _COUNT:
                del self._found[next(iter(self._found))]
        return await asyncio.shield(kept[1])


def _has_failed(future: "asyncio.Future[bytes]") -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)
