"""Prices by the batch quote request for what the stream does not bring, in a thread of its own: the request blocks.

Not here: the request, its budget and its breaker (polling), what is unheard (source). Delivery: one price a symbol and poll;
what happened between two polls shows only in the cumulative volume."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from stock_platform.adapters.clock import Clock
from stock_platform.feed.tick import Candidate, Refusal

_EVERY = timedelta(seconds=15)
"""Four requests a minute for each hundred symbols, of a budget of sixty for the whole machine."""
_AFTER = timedelta(seconds=10)
"""A connection comes back within this time, or the fallback begins."""
_JOIN_WITHIN_S = 10.0


class Poll(Protocol):
    """The batch quote request."""

    last_error: str | None

    def poll(self, symbols: Sequence[str]) -> Sequence[Candidate | Refusal]:
        """Prices of these symbols now; nothing and a last_error when they could not be had."""
        ...


class Fallback:
    """Asks for what is unheard, every 15 s, for as long as something is.

    Args:
        make_poll: Called when something is unheard for the first time.
        unheard: Symbols that the stream does not bring at an instant.
        take: Gets each price.
        after: How long it waits before it looks again while nothing is unheard.
    """

    def __init__(
        self,
        make_poll: Callable[[], Poll],
        unheard: Callable[[datetime], Sequence[str]],
        take: Callable[[Candidate | Refusal], None],
        *,
        clock: Clock,
        every: timedelta = _EVERY,
        after: timedelta = _AFTER,
    ) -> None:
        self._make_poll = make_poll
        self._poll: Poll | None = None
        self._unheard = unheard
        self._take = take
        self._clock = clock
        self._every = every
        self._after = after
        self._stop = threading.Event()
        self._problem: str | None = None
        self.ts_polled: datetime | None = None
        self.polled_count = 0
        self._thread = threading.Thread(target=self._run, name="fallback", daemon=True)
        self._thread.start()

    @property
    def last_error(self) -> str | None:
        """Why the newest poll failed; None while none is needed."""
        return self._problem

    def close(self) -> None:
        """End the thread; a request that is under way is not waited for."""
        self._stop.set()
        self._thread.join(_JOIN_WITHIN_S)

    def _run(self) -> None:
        pause = self._after
        while not self._stop.wait(pause.total_seconds()):
            symbols = self._unheard(self._clock.now())
            pause = self._every if symbols else self._after
            self._problem = self._ask(symbols) if symbols else None

    def _ask(self, symbols: Sequence[str]) -> str | None:
        """Ask once; gives the problem, if there was one."""
        asked = self._clock.now()
        try:
            poll = self._poll = self._poll or self._make_poll()
            found = poll.poll(symbols)
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: it is told, and the next poll comes
            return f"Polling failed: {error!r}"
        for item in found:
            self._take(item)
        self.polled_count += len(found)
        if poll.last_error is None:
            self.ts_polled = asked
        return poll.last_error
