"""Scales of the vendor's prices: currencies in hundredths, prices in the wrong unit, or that missed a split or a payment. Pure.

Not here: which rule a row breaks by that (rules)."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Literal, NamedTuple

from stock_platform.feed.splits import Split

_MINOR = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}
"""The vendor's names of hundredths: London, Johannesburg, Tel Aviv."""

_AROUND = timedelta(days=21)
"""Longer ago, a price says nothing of what a split would have made of it."""
_NEIGHBOURS = 5
"""On each side: enough that a few bad rows are outvoted."""
_TOLERANCE = Decimal("1.5")
"""A unit error is a factor of 100; no move between neighbouring bars comes near 100 / 1.5."""

_SMALLEST_PAYMENT = Decimal("0.0001")
"""Part of the price; less than a basis point drowns in the rounding of prices."""

UnitError = Literal["times_100", "divided_by_100"]
Dated = tuple[date, Decimal]
"""Trading day and price."""


class Payment(NamedTuple):
    """A dividend or capital gain per share, in the shares of the prices beside it."""

    ex_date: date
    amount: Decimal


class AdjustedClose(NamedTuple):
    """A close, and the same adjusted for later payments."""

    day: date
    close: Decimal
    adjusted: Decimal

    @property
    def factor(self) -> Decimal:
        """What the payments after it have multiplied it by."""
        return self.adjusted / self.close


def major_unit(currency: str) -> tuple[str, Decimal]:
    """ISO currency, and what a price is to be multiplied by: (GBP, 0.01) for GBp."""
    major = _MINOR.get(currency)
    return (major, Decimal("0.01")) if major else (currency, Decimal(1))


def unit_errors(prices: Sequence[Decimal], *, expected: Decimal | None = None) -> dict[int, UnitError]:
    """Positions of prices a factor of 100 off what is expected there: the right ones behind them, else all their neighbours.

    Args:
        prices: One field of bars, in order of time.
        expected: The price behind the newest one, known from elsewhere. Without one, a run of wrong rows longer than its
            neighbourhood looks like a level: prices alone do not say which side is wrong.
    """
    around = partial(_around, prices) if expected is None else dict(_levels(prices, expected)).__getitem__
    return {index: error for index, price in enumerate(prices) if (error := _unit_error(price, around(index))) is not None}


def _levels(prices: Sequence[Decimal], expected: Decimal) -> Iterator[tuple[int, Decimal]]:
    """What each price is held against, from the newest back: the right ones behind it, which may have come far."""
    right = deque([expected], maxlen=_NEIGHBOURS)
    for index in reversed(range(len(prices))):
        level = median(right)
        yield index, level
        if prices[index] > 0 and _unit_error(prices[index], level) is None:
            right.append(prices[index])


def missed_splits(prices: Sequence[Dated], split: Split, *, expected: Decimal | None = None) -> list[int]:
    """Positions of prices before the ex-date in old shares: nearer to ratio x the price after it than to that price.

    Args:
        prices: One field of bars, in order of time.
        expected: A price after the ex-date that is known from elsewhere, for prices that end before it.
    """
    after = [price for day, price in prices if day >= split.ex_date][:_NEIGHBOURS]
    level = median(after) if after else expected
    if level is None or level <= 0 or split.ratio == 1:
        return []
    return [
        index
        for index, (day, price) in enumerate(prices)
        if split.ex_date - _AROUND <= day < split.ex_date and _is_nearer(price / level, split.ratio)
    ]


def missed_payments(closes: Sequence[AdjustedClose], payments: Sequence[Payment]) -> list[int]:
    """Positions of closes whose adjusted close misses a later payment: nearer to none than to 1 - payment / close before it.

    Each is held against the first close from the payment's day on; where that one misses a later payment, so do both.

    Args:
        closes: In order of time; those without an adjusted close are left out.
        payments: In order of time.
    """
    missed = set[int]()
    days = [close.day for close in closes]
    for start, payment in reversed(list(zip([0, *(bisect_left(days, each.ex_date) for each in payments)], payments, strict=False))):
        first = bisect_left(days, payment.ex_date)
        if 0 < first < len(closes):
            expected = 1 - payment.amount / closes[first - 1].close
            is_told = Decimal(0) < expected <= 1 - _SMALLEST_PAYMENT
            missed |= {
                index
                for index in range(start, first)
                if first in missed or (is_told and (closes[index].factor / closes[first].factor) ** 2 > expected)
            }
    return sorted(missed)


def _is_nearer(factor: Decimal, ratio: Decimal) -> bool:
    """By ratio: the border lies at its square root."""
    return factor * factor > ratio if ratio > 1 else factor * factor < ratio


def _around(prices: Sequence[Decimal], index: int) -> Decimal:
    near = [*prices[max(0, index - _NEIGHBOURS) : index], *prices[index + 1 : index + 1 + _NEIGHBOURS]]
    return median(near) if near else prices[index]


def _unit_error(price: Decimal, expected: Decimal) -> UnitError | None:
    if price <= 0 or expected <= 0:
        return None
    if 100 / _TOLERANCE <= price / expected <= 100 * _TOLERANCE:
        return "times_100"
    return "divided_by_100" if 100 / _TOLERANCE <= expected / price <= 100 * _TOLERANCE else None
