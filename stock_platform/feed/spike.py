"""The spike filter: is a price one that the symbol's newest accepted prices allow? Pure, exact, no clock.

Not here: what else can be wrong with a tick, splits and session bounds (validation). Prices are whole millionths, so
that the same prices get the same verdicts on every machine. A refused price never enters the window.
Source: Brownlees and Gallo, Financial econometric analysis at ultra-high frequency, 2006, section 3.1, made causal:
the neighbourhood is the past alone."""

from bisect import bisect_left, insort
from collections import deque
from math import isqrt
from typing import Literal

from stock_platform.feed.price import MILLION

WINDOW_COUNT = 60
_TRIM_PCT = 5
"""Cut at either end, 10 % in all: a wrong price that came in does not move the level."""
_FLOOR_BPS = 30
"""Allowed at any calm: no false reject on four stocks and two days, 89-100 % of errors found with less."""
_COLLAR_BPS = 300
"""Allowed while little is known: found every error of 5 %, and rejected no trade, on a whole day of four stocks."""
_SETTLED_COUNT = 20
"""Fewer prices say nothing of how far the next one may be."""
SHIFT_COUNT = 3
"""So many consecutive rejects that agree with one another are a genuine new level (a halt's end, a crash)."""
_AGREEING_PCT = 10
"""Rejects further apart are no level: the wider band of Limit Up-Limit Down, within which a stock trades without a halt."""
_ONE_BPS = 10_000

Judgement = Literal["inside", "shift", "outside"]


class SpikeFilter:
    """Judges the prices of one symbol in their order."""

    __slots__ = ("_increment", "_ordered", "_rejects", "_sum", "_window")

    def __init__(self) -> None:
        self._window: deque[int] = deque()
        self._ordered: list[int] = []
        self._sum = 0
        self._rejects: list[int] = []
        self._increment = MILLION

    @property
    def is_empty(self) -> bool:
        """Whether any price will do."""
        return not self._ordered

    @property
    def is_settled(self) -> bool:
        """Whether enough is known to judge sharply."""
        return len(self._ordered) >= _SETTLED_COUNT

    @property
    def level(self) -> int | None:
        """Trimmed mean of the newest accepted prices; None before the first."""
        if not self._ordered:
            return None
        total, count = self._trimmed()
        return total // count

    def judge(self, price: int, *, width: int = 1) -> Judgement:
        """Take the price, take it as the third of a new level, or refuse it.

        Args:
            price: Millionths, > 0.
            width: How often the deviation counts. The floor stays: doubled, it lets half a percent in.
        """
        if not self._ordered or self.allows(price, width=width):
            self._rejects.clear()
            self._take(price)
            return "inside"
        self._rejects.append(price)
        if not self._is_shift():
            return "outside"
        self.seed(self._rejects)
        return "shift"

    def allows(self, price: int, *, width: int = 1) -> bool:
        """Whether the price is within the floor and 3 standard deviations of the level. Changes nothing."""
        total, count = self._trimmed()
        beyond = abs(count * price - total) - self._floor(total, count)
        return beyond <= 0 or beyond <= 3 * width * self._deviation(total, count)

    def seed(self, prices: list[int]) -> None:
        """Begin again from these prices, or from nothing."""
        level = tuple(prices)
        self._window.clear()
        self._ordered.clear()
        self._rejects.clear()
        self._sum = 0
        for price in level:
            self._take(price)

    def _trimmed(self) -> tuple[int, int]:
        """Sum and count without the extremes."""
        ordered, count = self._ordered, len(self._ordered)
        if not (cut := count * _TRIM_PCT // 100):
            return self._sum, count
        return self._sum - sum(ordered[:cut]) - sum(ordered[-cut:]), count - 2 * cut

    def _floor(self, total: int, count: int) -> int:
        """Times count: 30 bp or two of the symbol's price steps, 3 % at most; 3 % while little is known."""
        if not self.is_settled:
            return total * _COLLAR_BPS // _ONE_BPS
        return max(total * _FLOOR_BPS // _ONE_BPS, min(2 * count * self._increment, total * _COLLAR_BPS // _ONE_BPS))

    def _deviation(self, total: int, count: int) -> int:
        """Times count: standard deviation without the extremes."""
        cut = (len(self._ordered) - count) // 2
        squares = sum(price * price for price in self._ordered[cut : cut + count])
        return isqrt(count * squares - total * total)

    def _is_shift(self) -> bool:
        """Whether the newest rejects are nearer to one another than to the level, and near enough."""
        del self._rejects[:-SHIFT_COUNT]
        if len(self._rejects) < SHIFT_COUNT:
            return False
        total, count = self._trimmed()
        nearest = min(abs(count * price - total) for price in self._rejects)
        spread = max(self._rejects) - min(self._rejects)
        return spread * count <= nearest and spread * 100 <= min(self._rejects) * _AGREEING_PCT

    def _take(self, price: int) -> None:
        while price % self._increment:
            self._increment //= 10
        self._window.append(price)
        insort(self._ordered, price)
        self._sum += price
        if len(self._window) > WINDOW_COUNT:
            oldest = self._window.popleft()
            self._sum -= oldest
            del self._ordered[bisect_left(self._ordered, oldest)]
