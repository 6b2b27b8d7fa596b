"""Answers that many ask for at once are found once, and kept for a moment: so the watchlist costs the same whoever looks at it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi.concurrency import run_in_threadpool

from stock_platform.adapters.clock import Clock

Key = tuple[str, int]
_COUNT = 64
"""Answers; the oldest goes first. There are few pages of a watchlist, and a client can make up cursors."""


@dataclass(frozen=True)
class Found:
    """An answer, or the wait for it."""

    ts_asked: datetime
    answer: "asyncio.Future[bytes]"


class Kept:
    """Used by the event loop alone.

    Args:
        for_: From the moment that the store is asked. An answer of up to twice that age is given while the next one is found, so
            that of a steady stream of requests none waits.
    """

    def __init__(self, clock: Clock, *, for_: timedelta = timedelta(milliseconds=250)) -> None:
        self._clock, self._for = clock, for_
        self._found: dict[Key, Found] = {}
        self._before: dict[Key, Found] = {}

    async def answer(self, key: Key, find: Callable[[], bytes]) -> bytes:
        """The kept answer, or a new one, for which all that ask meanwhile wait; a failure is kept for nobody else."""
        now = self._clock.now()
        newest = self._found.get(key)
        if newest is None or not _is_within(newest, now, self._for) or _has_failed(newest):
            newest = self._ask(key, find, now)
        before = self._before.get(key)
        is_shown = before and not newest.answer.done() and _is_within(before, now, 2 * self._for)
        return await asyncio.shield(before.answer if before and is_shown else newest.answer)

    def _ask(self, key: Key, find: Callable[[], bytes], now: datetime) -> Found:
        before = self._found.pop(key, None)
        self._before.pop(key, None)
        if before and before.answer.done() and not _has_failed(before):
            self._before[key] = before
        self._found[key] = found = Found(now, asyncio.ensure_future(run_in_threadpool(find)))
        if len(self._found) > _COUNT:
            oldest = next(iter(self._found))
            del self._found[oldest]
            self._before.pop(oldest, None)
        return found


def _is_within(found: Found, now: datetime, age: timedelta) -> bool:
    return timedelta() <= now - found.ts_asked < age


def _has_failed(found: Found) -> bool:
    future = found.answer
    return future.done() and (future.cancelled() or future.exception() is not None)
