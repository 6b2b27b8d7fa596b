"""The only place that asks what time it is; everything else is told."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Let time pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, duration: timedelta) -> None:
        """Block the caller."""
        time.sleep(max(0.0, duration.total_seconds()))


def wait_until(
    condition: Callable[[], bool],
    clock: Clock,
    *,
    within: timedelta,
    every: timedelta = timedelta(milliseconds=200),
) -> bool:
    """Ask again and again until the condition holds; False when time is up."""
    deadline = clock.now() + within
    while not condition():
        if clock.now() >= deadline:
            return False
        clock.sleep(every)
    return True
