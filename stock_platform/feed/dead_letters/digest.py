"""Many dead letters in few lines: the newest, and how many of each reason. One pass, bounded memory.

A restart of the stream job may repeat its newest letters; a repeat counts once if no more than REMEMBERED of the job's letters
lie between the two."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from stock_platform.feed.dead_letters.letter import Letter

REMEMBERED = 200_000
"""Some 40 MB. A restart repeats what was read since the last checkpoint: seconds, not hours."""


@dataclass(frozen=True)
class Wanted:
    """Which letters are looked for; None: whatever it is.

    Args:
        since: Refused at or after that instant.
    """

    reason: str | None = None
    symbol: str | None = None
    since: datetime | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether it is one of them; the symbol last, because it has to be read out of the message."""
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.since is None or letter.ts_dead >= self.since)
            and (self.symbol is None or letter.symbol == self.symbol)
        )


@dataclass(frozen=True)
class Digest:
    """What a list shows.

    Args:
        newest: Newest first, by their place in the topic.
        counts: By reason, the most frequent first.
        repeat_count: Letters that were there before, and are not counted.
        reasons: Of all letters, also of those that are not looked for; by name.
    """

    newest: tuple[Letter, ...]
    counts: dict[str, int]
    repeat_count: int
    reasons: tuple[str, ...]


def digest(letters: Iterable[Letter], wanted: Wanted, *, limit: int) -> Digest:
    """Look through all letters, oldest first, and keep what a list shows."""
    reasons: set[str] = set()

    def taken() -> Iterator[Letter]:
        for letter in letters:
            reasons.add(letter.reason)
            if wanted.takes(letter):
                yield letter

    distinct = Distinct()
    newest: deque[Letter] = deque(maxlen=limit)
    counts: Counter[str] = Counter()
    for letter in distinct.of(taken()):
        newest.append(letter)
        counts[letter.reason] += 1
    return Digest(tuple(reversed(newest)), dict(counts.most_common()), distinct.repeat_count, tuple(sorted(reasons)))


class Distinct:
    """Passes each letter once."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: set[object] = set()
        self._order: deque[object] = deque()
        self.repeat_count = 0

    def of(self, letters: Iterable[Letter]) -> Iterator[Letter]:
        """The letters without repeats."""
        for letter in letters:
            if letter.identity is None or self._is_new(letter.identity):
                yield letter
            else:
                self.repeat_count += 1

    def _is_new(self, identity: object) -> bool:
        if identity in self._seen:
            return False
        self._seen.add(identity)
        self._order.append(identity)
        if len(self._order) > self._remembered:
            self._seen.discard(self._order.popleft())
        return True
