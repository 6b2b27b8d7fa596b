"""Where the price of one symbol stands: what a session begins from, units, splits, and the spike filter within it. Pure.

Not here: time, sessions and volumes (validation). Prices are whole millionths."""

from decimal import Decimal
from typing import Literal

from stock_platform.feed.price import from_millionths
from stock_platform.feed.spike import SpikeFilter
from stock_platform.feed.tick import price_text

_JUMP_PCT = 40
"""A session's first price further from the last one is doubted: no large stock has opened so far off without a split."""
_UNIT = 100
"""The major unit and the minor one: a pound and its pence."""
_UNIT_PCT = 10
"""How near to a hundred times, or a hundredth of, the level a price is taken for one in the wrong unit."""
_FAR = 50

Standing = Literal["inside", "shift", "jump", "outside"]
"""Believed; the third of a new level; a session's first and far off; refused."""


class Level:
    """Judges the prices of one symbol, session by session."""

    __slots__ = ("_before", "_filter", "_last", "_ratio")

    def __init__(self) -> None:
        self._filter = SpikeFilter()
        self._last: int | None = None
        self._before: int | None = None
        self._ratio = Decimal(1)

    @property
    def text(self) -> str:
        """The level, for a person."""
        level = self._filter.level or self._last or self._before
        return "no level" if level is None else price_text(from_millionths(level))

    def open(self, *, is_same_market: bool) -> None:
        """A session begins: anywhere, unless the market was open all the time."""
        self._before = self._last
        if not is_same_market:
            self._filter.seed([])

    def expect_split(self, ratio: Decimal) -> None:
        """New shares an old one, from this session on; 1 for none."""
        self._ratio = ratio

    def know_close(self, price: int) -> None:
        """The vendor says where the session before ended; what was seen is believed more."""
        self._before = self._before or price

    def unit_factor(self, price: int) -> str | None:
        """Why the price is in another unit than those before; None when it is not. Asked only of a level that is sure."""
        level = self._last or self._before
        if level is None or (price < _FAR * level and level < _FAR * price):
            return None
        if (not self._filter.is_settled and self._before is None) or self._is_split(price):
            return None
        if _is_near(price, _UNIT * level, _UNIT_PCT):
            return f"{_UNIT} times"
        return f"a {_UNIT}th of" if _is_near(price * _UNIT, level, _UNIT_PCT) else None

    def judge(self, price: int, *, width: int) -> Standing:
        """What the price is; a believed one is taken."""
        if self._filter.level is None:
            standing: Standing = self._first(price)
        else:
            standing = "inside"
            if self._is_split(price) and not self._filter.allows(price, width=width):
                self._filter.seed([])
                self._ratio = Decimal(1)
        found = self._filter.judge(price, width=width)
        if found != "outside":
            self._last = price
        return standing if found == "inside" else found

    def allows(self, price: int, *, width: int) -> bool:
        """Whether a price that comes late is near enough; it changes nothing."""
        return self._filter.level is None or self._filter.allows(price, width=width)

    def _first(self, price: int) -> Standing:
        before = self._before
        if before is None or (_is_near(price, before, _JUMP_PCT) and not self._is_nearer_after_split(price, before)):
            return "inside"
        if self._is_split(price):
            self._ratio = Decimal(1)
            return "inside"
        return "jump"

    def _is_nearer_after_split(self, price: int, before: int) -> bool:
        return abs(price * self._ratio - before) < abs(price - before)

    def _is_split(self, price: int) -> bool:
        """Whether the expected split explains the price."""
        level = self._last or self._before
        return self._ratio != 1 and level is not None and _is_near(int(price * self._ratio), level, _UNIT_PCT)


def _is_near(price: int, level: int, pct: int) -> bool:
    return abs(price - level) * 100 <= level * pct
