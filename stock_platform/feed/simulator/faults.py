"""The list of faults of a running simulator: when each holds, whom it hits. Every chance is drawn from the seed.

Not here: the models (fault), a scenario's file (scenario)."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from typing import NamedTuple, TypeVar

from stock_platform.errors import FaultNameTaken, FaultUnknown
from stock_platform.feed.simulator.fault import Crash, Dividend, Fault, Halt, Split, names
from stock_platform.feed.simulator.updates import instant, second_of

_MARKET = (Halt, Crash, Split, Dividend)


class Timed(NamedTuple):
    """A fault and its seconds of the epoch, [start, end)."""

    fault: Fault
    start: int
    end: float

    def holds(self, second: int) -> bool:
        """Whether it is on in that second."""
        return self.start <= second < self.end


_Kind = TypeVar("_Kind")


class Faults:
    """All faults, in the order in which they were added.

    Args:
        version: Changes with every change of what happens to the market.
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._timed: dict[str, Timed] = {}
        self._numbers = count(1)
        self.version = 0

    def add(self, fault: Fault, *, now: int) -> Fault:
        """Put it on the list, with a name and a start.

        Raises:
            FaultNameTaken: another one has its id.
        """
        if fault.id in self._timed:
            raise FaultNameTaken(fault.id)
        start = second_of(fault.start) if fault.start else now + int(fault.after_s or 0)
        name = fault.id or next(name for number in self._numbers if (name := f"{fault.kind}-{number}") not in self._timed)
        named = fault.model_copy(update={"id": name, "start": instant(start), "after_s": None})
        self._timed[name] = Timed(named, start, start + (fault.duration_s or float("inf")))
        self.version += isinstance(fault, _MARKET)
        return named

    def remove(self, name: str) -> None:
        """Take it off the list.

        Raises:
            FaultUnknown: no fault has that id.
        """
        if name not in self._timed:
            raise FaultUnknown(name, self._timed)
        self.version += isinstance(self._timed.pop(name).fault, _MARKET)

    def all(self) -> list[Timed]:
        """Every fault, over or yet to come too."""
        return list(self._timed.values())

    def active(self, kind: type[_Kind] | tuple[type[_Kind], ...], second: int) -> list[tuple[_Kind, int]]:
        """Faults of a kind that hold in the second, each with its start."""
        return [(timed.fault, timed.start) for timed in self.all() if isinstance(timed.fault, kind) and timed.holds(second)]

    def of_market(self, symbol: str) -> Iterator[Timed]:
        """What happens to the market of a symbol, whenever."""
        return (timed for timed in self.all() if isinstance(timed.fault, _MARKET) and names(symbol, timed.fault.symbols))

    def hits(self, fault: Fault, *key: object) -> bool:
        """Whether the fault's share falls on what the key names: the same answer for the same seed, fault and key."""
        return fault.share >= 1 or self.chance(fault.id, *key) < fault.share

    def chance(self, *key: object) -> float:
        """A number in [0, 1) drawn from seed and key."""
        digest = blake2b("|".join(map(str, (self._seed, *key))).encode(), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48
