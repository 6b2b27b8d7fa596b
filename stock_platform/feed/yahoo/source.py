"""The stream as a source that can be read without asyncio: connections live in a thread, frames wait in a queue."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from itertools import count
from queue import Empty, Queue

from stock_platform.adapters.clock import Clock
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.pricing import Frame, decode
from stock_platform.feed.yahoo.stream import Link, Patience, frames, shares

_QUEUE_COUNT = 50_000
"""Frames that wait while Kafka is slow: 25 minutes of the default watchlist; then the socket is not read."""
_BATCH_COUNT = 1_000
_JOIN_WITHIN_S = 10.0


class StreamSource:
    """All connections of one line. Open until closed; never over."""

    is_over = False

    def __init__(self, url: str, instruments: Sequence[Instrument], *, clock: Clock, patience: Patience | None = None) -> None:
        self._url = url
        self._clock = clock
        self._patience = patience or Patience()
        self._links = [Link(symbols) for symbols in shares(instruments)]
        self._queue: Queue[Frame] = Queue(_QUEUE_COUNT)
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether every connection is up."""
        return all(link.ts_connected is not None for link in self._links)

    @property
    def last_error(self) -> str | None:
        """Newest problem of a connection, for a person."""
        return next((link.problem for link in self._links if link.problem), None)

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal]:
        """What has come, decoded; waits for the first no longer than told.

        Raises:
            whatever ended the thread: nothing that the client knows how to survive.
        """
        if self._failure is not None:
            raise self._failure
        return [decode(frame) for frame in self._take(within)]

    def _take(self, within: timedelta) -> list[Frame]:
        batch: list[Frame] = []
        with suppress(Empty):
            batch.append(self._queue.get(timeout=within.total_seconds()) if within else self._queue.get_nowait())
            while len(batch) < _BATCH_COUNT:
                batch.append(self._queue.get_nowait())
        return batch

    def close(self) -> None:
        """Leave the vendor and end the thread; what has come can still be read."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_JOIN_WITHIN_S)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except BaseException as error:  # noqa: BLE001 - the thread's outermost frame: told to the reader
            self._failure = error
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        sequence = count()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._fill(link, sequence)) for link in self._links]
            await self._stop.wait()
            for task in tasks:
                task.cancel()

    async def _fill(self, link: Link, sequence: "count[int]") -> None:
        stream = frames(self._url, link, sequence=sequence, clock=self._clock, patience=self._patience)
        async with aclosing(stream) as arriving:
            async for frame in arriving:
                while self._queue.full():
                    await asyncio.sleep(0.05)
                self._queue.put_nowait(frame)
