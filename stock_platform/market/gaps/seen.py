"""What is known of the minutes of one symbol's session, before anything is made of it. Pure; read by facts and repair/look."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple

from stock_platform.market.session_minutes import Minute, touched

HISTORY_MINUTES = 30
"""So many session minutes say how often a symbol ticks."""


class Held(NamedTuple):
    """A bar that is staged and not certified.

    Args:
        detail: Rules that it broke; of an unjudged one, the checks that block its batch, if any do.
    """

    kind: Literal["refused", "discarded", "unjudged"]
    detail: str


@dataclass(frozen=True)
class InTopic:
    """What Kafka has of one symbol's minute.

    Args:
        regular: Ticks of regular hours.
        phases: Ticks of which the vendor says another phase, by phase.
        letters: Messages that were refused, by reason.
    """

    regular: int = 0
    phases: Mapping[str, int] = field(default_factory=lambda: {})
    letters: Mapping[str, int] = field(default_factory=lambda: {})


def deaf_minutes(unheard: Iterable[tuple[datetime, datetime]]) -> frozenset[Minute]:
    """Minutes that these stretches touch."""
    return frozenset(minute for start, end in unheard for minute in touched(start, end))


@dataclass(frozen=True)
class Seen:
    """One symbol's session.

    Args:
        expected: Closed session minutes since the symbol is watched, in order.
        bars: Certified minutes, with their ticks; None where the bar is the vendor's.
        before: Ticks of the last session minutes of the session before, oldest first.
        held: Minutes whose bar the gate keeps.
        unheard: Stretches that no feed line heard.
        topic: What Kafka has of minutes that were looked up there.
        is_dropped: Kafka no longer has all of the time that was looked up.
        known_closed: Minutes of which an earlier look found that the market was not open.
        decided: Minutes that a repair run has decided about: they are missing, and not classified again.
    """

    symbol: str
    calendar: str
    expected: Sequence[Minute]
    bars: Mapping[Minute, int | None]
    before: Sequence[int] = ()
    held: Mapping[Minute, Held] = field(default_factory=lambda: {})
    unheard: Sequence[tuple[datetime, datetime]] = ()
    topic: Mapping[Minute, InTopic] = field(default_factory=lambda: {})
    is_dropped: bool = False
    known_closed: frozenset[Minute] = frozenset()
    decided: frozenset[Minute] = frozenset()

    @cached_property
    def missing(self) -> list[Minute]:
        """Expected minutes without a certified bar."""
        return [minute for minute in self.expected if minute not in self.bars]

    @cached_property
    def deaf(self) -> frozenset[Minute]:
        """Minutes that an unheard stretch touches."""
        return deaf_minutes(self.unheard)

    @cached_property
    def silent(self) -> frozenset[Minute]:
        """Missing minutes of which nothing says that there was a tick, or that nobody listened."""
        known = self.held.keys() | self.deaf | self.decided
        return frozenset(m for m in self.missing if m not in known and not self.regular(m))

    def regular(self, minute: Minute) -> int:
        """Regular ticks of the minute that Kafka has, where it was looked up."""
        found = self.topic.get(minute)
        return found.regular if found else 0

    def traded_in(self, minutes: range) -> bool:
        """Whether anything shows that it traded then."""
        return any(m in self.bars or m in self.held or self.regular(m) for m in minutes)

    def is_expected_in(self, minutes: range) -> bool:
        """Whether some of these minutes are expected of it."""
        index = bisect_left(self.expected, minutes.start)
        return index < len(self.expected) and self.expected[index] < minutes.stop

    def rate(self, start: Minute) -> float | None:
        """Its own ticks a minute over the 30 session minutes before `start`; None where nothing is known of them.

        A missing minute counts as 0; one that nobody heard, or whose bar is the vendor's, says nothing and is left out."""
        index = bisect_left(self.expected, start)
        own = self.expected[max(0, index - HISTORY_MINUTES) : index]
        counts = [self.bars.get(minute, 0) for minute in own if minute not in self.deaf]
        known = [*self.before, *(count for count in counts if count is not None)][-HISTORY_MINUTES:]
        return sum(known) / len(known) if known else None
