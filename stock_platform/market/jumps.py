"""Overnight jumps: moves from one session's close to the next one's that no known corporate action explains. Pure.

Not here: closes and their factors (aggregates.bar_1d_adjusted), who is told of a jump (defs/jumps.py)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from stock_platform.contracts.jump import JUMP_PCT, OVERNIGHT


@dataclass(frozen=True)
class Close:
    """One session's close.

    Args:
        price: As it was traded.
        factor: What takes the splits and payments after the session out of it."""

    symbol: str
    session_date: date
    price: Decimal
    factor: Decimal = Decimal(1)

    @property
    def adjusted(self) -> Decimal:
        """The close in today's shares, not rounded."""
        return self.price * self.factor


@dataclass(frozen=True)
class Move:
    """From one session's close to the next one's."""

    before: Close
    after: Close

    @property
    def move_pct(self) -> Decimal:
        """Change of the adjusted close; where no action lies between the two, that is the change of the close as it was traded."""
        return (self.after.adjusted / self.before.adjusted - 1) * 100

    def __str__(self) -> str:
        before, after = self.before, self.after
        days = f"{before.symbol} {before.session_date} to {after.session_date}"
        return f"{days}: {before.price:f} to {after.price:f}, {self.move_pct:+.1f} % after known corporate actions"


def moves(closes: Iterable[Close]) -> list[Move]:
    """Each symbol's moves over night.

    Args:
        closes: In order of symbol and session."""
    pairs = pairwise(closes)
    return [Move(before, after) for before, after in pairs if before.symbol == after.symbol and _is_overnight(before, after)]


def jumps(found: Iterable[Move]) -> list[Move]:
    """Moves that leave too much unexplained: an action is missing, or one is known that the prices do not show."""
    return [move for move in found if abs(move.move_pct) > JUMP_PCT]


def _is_overnight(before: Close, after: Close) -> bool:
    return after.session_date - before.session_date <= OVERNIGHT
