"""The newest quote of every symbol as bytes, in the order in which they came: what each client of the stream is owed follows from
the number of the last update that it was sent. Pure; used by one thread.

A slow client costs no memory and is owed the newest quote of each symbol; a client that returns is owed what it missed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Update:
    """A quote as the stream sends it.

    Args:
        data: The Quote as JSON.
    """

    symbol: str
    ts_event: datetime
    data: bytes


@dataclass(frozen=True)
class Due:
    """What a client is owed.

    Args:
        chunk: Events, oldest first.
        until: Number of the newest update, also where the client did not ask for its symbol.
    """

    chunk: bytes
    count: int
    until: int


class Board:
    """Numbers updates from 1; an older quote never replaces a newer one.

    Args:
        name: Of this server's life: ids of another one say nothing here.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._events: dict[str, tuple[int, Update, bytes]] = {}
        self._shared: dict[int, Due] = {}
        self.number = 0

    def put(self, update: Update) -> bool:
        """Show it, unless something newer, or the same, is shown."""
        known = self._events.get(update.symbol)
        if known and (update.ts_event < known[1].ts_event or update.data == known[1].data):
            return False
        self.number += 1
        event = b"id: %s-%d\nevent: quote\ndata: %s\n\n" % (self._name.encode(), self.number, update.data)
        self._events.pop(update.symbol, None)
        self._events[update.symbol] = (self.number, update, event)
        self._shared.clear()
        return True

    def due(self, since: int, symbols: frozenset[str]) -> Due:
        """The newest quote of each symbol that has moved after update `since`; no symbols stand for all."""
        if symbols:
            return self._due(since, symbols)
        if since not in self._shared:
            self._shared[since] = self._due(since, symbols)
        return self._shared[since]

    def position(self, event_id: str | None) -> int:
        """Number of the update that a client was sent last; 0, so that it is owed all, where that is not known."""
        name, _, number = (event_id or "").rpartition("-")
        is_ours = name == self._name and number.isascii() and number.isdigit() and len(number) <= len(str(self.number))
        return min(int(number), self.number) if is_ours else 0

    def _due(self, since: int, symbols: frozenset[str]) -> Due:
        found: list[bytes] = []
        for symbol, (number, _, event) in reversed(self._events.items()):
            if number <= since:
                break
            if not symbols or symbol in symbols:
                found.append(event)
        return Due(b"".join(reversed(found)), len(found), self.number)
