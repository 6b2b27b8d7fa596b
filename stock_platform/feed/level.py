"""Where the price of one symbol stands: what a session begins from, units, splits, and the spike filter within it. Pure.

Not here: time, sessions and volumes (symbol_state, validation). Prices are whole millionths."""

from decimal import Decimal
from typing import Literal

from stock_platform.feed.price import from_millionths
from stock_platform.feed.spike import SHIFT_COUNT, SpikeFilter
from stock_platform.feed.tick import price_text

_JUMP_PCT = 40
"""A session's first price further from the last one is doubted: without a split, large stocks do not open so far off."""
_UNIT = 100
"""The major unit and the minor one: a pound and its pence."""
_NEAR_PCT = 10
"""How near to a hundred times the level, or to the level after a split, a price is taken for just that."""

Standing = Literal["inside", "shift", "jump", "outside"]
"""Believed; the third of a new level; a session's first and far off; refused."""


class Level:
    """Judges the prices of one symbol, session by session."""

    __slots__ = ("_before", "_close", "_filter", "_last", "_misfit_count", "_ratio")

    def __init__(self) -> None:
        self._filter = SpikeFilter()
        self._last: int | None = None
        self._before: int | None = None
        self._close: int | None = None
        self._misfit_count = 0
        self._ratio = Decimal(1)

    @property
    def text(self) -> str:
        """The level, for a person."""
        return "no level" if self._filter.level is None else price_text(from_millionths(self._filter.level))

    def open(self, *, is_same_market: bool) -> None:
        """A session begins: anywhere, unless the market was open all the time. A unit that had stayed wrong is the right one."""
        if self._misfit_count >= SHIFT_COUNT:
            self._last = None
        self._before, self._close, self._misfit_count = self._last, None, 0
        if not is_same_market:
            self._filter.seed([])

    def expect_split(self, ratio: Decimal) -> None:
        """New shares an old one, from this session on; 1 for none."""
        self._ratio = ratio

    def know_close(self, price: int) -> None:
        """The vendor says where the session before ended."""
        self._close = price

    def misfit(self, price: int) -> str | None:
        """How the price looks like one in another unit; None when it does not, or the level is not sure enough to tell.

        A level that was seen wins for the whole session. Against the vendor's word alone the third price wins.
        """
        level, is_sure = self._sure_level()
        if level is None or (price < _UNIT // 2 * level and level < _UNIT // 2 * price) or self._fits_split(price):
            return None
        is_major, is_minor = _is_near(price * _UNIT, level, _NEAR_PCT), _is_near(price, _UNIT * level, _NEAR_PCT)
        if not is_major and not is_minor:
            return None
        self._misfit_count += 1
        if not is_sure and self._misfit_count >= SHIFT_COUNT:
            return None
        factor = f"{_UNIT} times" if is_minor else f"a {_UNIT}th of"
        return f"{price_text(from_millionths(price))} is {factor} {price_text(from_millionths(level))}: not in its unit"

    def judge(self, price: int, *, width: int) -> Standing:
        """What the price is; a believed one is taken."""
        first: Standing = "inside"
        if self._filter.is_empty:
            first = self._first(price)
        elif self._fits_split(price) and not self._filter.allows(price, width=width):
            self._take_split()
        found = self._filter.judge(price, width=width)
        if found == "outside":
            return "outside"
        self._last, self._misfit_count = price, 0
        return first if found == "inside" else "shift"

    def allows(self, price: int, *, width: int) -> bool:
        """Whether a price that comes late is near enough; it changes nothing."""
        return self._filter.is_empty or self._filter.allows(price, width=width)

    def _sure_level(self) -> tuple[int | None, bool]:
        """Seen in the session before or often in this one; else, before the first price, what the vendor says."""
        if self._filter.is_settled or self._before is not None:
            return self._last, True
        return (self._close if self._filter.is_empty else None), False

    def _first(self, price: int) -> Standing:
        before = self._before or self._close
        if before is None:
            return "inside"
        if self._ratio != 1 and abs(price * self._ratio - before) < abs(price - before):
            before = int(before / self._ratio)
            self._take_split()
        elif self._before is None and _is_near(price, before, _NEAR_PCT):
            self._ratio = Decimal(1)  # the vendor's close is in new shares already: the split is behind us
        return "inside" if _is_near(price, before, _JUMP_PCT) else "jump"

    def _fits_split(self, price: int) -> bool:
        """Whether the expected split, and nothing else, explains the price."""
        level = self._last or self._close
        return self._ratio != 1 and level is not None and _is_near(int(price * self._ratio), level, _NEAR_PCT)

    def _take_split(self) -> None:
        """It has happened: the level begins anew, and the same factor is an error from now on."""
        self._filter.seed([])
        self._ratio = Decimal(1)


def _is_near(price: int, level: int, pct: int) -> bool:
    return abs(price - level) * 100 <= level * pct
