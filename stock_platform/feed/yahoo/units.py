"""Units of the vendor's prices: currencies in hundredths, rows in the wrong unit, rows that missed a split. Pure.

Flags only: what is done about a wrong row is decided where bars are compared."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Literal

from stock_platform.feed.splits import Split
from stock_platform.feed.yahoo.bars import Bar

_MINOR = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}
"""The vendor's names of hundredths: London, Johannesburg, Tel Aviv."""

_AROUND = timedelta(days=21)
"""Longer ago, a price says nothing of what a split would have made of it."""
_NEIGHBOURS = 5
"""On each side: enough that a few bad rows are outvoted."""
_TOLERANCE = Decimal("1.5")
"""A unit error is a factor of 100; no move between neighbouring bars comes near 100 / 1.5."""

UnitError = Literal["times_100", "divided_by_100"]


def major_unit(currency: str) -> tuple[str, Decimal]:
    """ISO currency, and what a price is to be multiplied by: (GBP, 0.01) for GBp."""
    major = _MINOR.get(currency)
    return (major, Decimal("0.01")) if major else (currency, Decimal(1))


def doubts(bars: Sequence[Bar], splits: Sequence[Split] = ()) -> list[str]:
    """What looks wrong in a history, a sentence each: closes in another unit, closes that missed a split.

    Args:
        bars: In order of time; with splits, daily ones.
    """
    wrong = unit_errors([bar.close for bar in bars])
    units = [f"{bars[index].ts_start:%Y-%m-%d %H:%M}Z: {bars[index].close} is {error}" for index, error in wrong.items()]
    missed = [
        f"{day}: close misses the split of {split.ex_date}, {split.ratio} new shares an old one"
        for split in splits
        for day in missed_splits([(bar.session_date, bar.close) for bar in bars if _is_around(bar, split)], split)
    ]
    return units + missed


def _is_around(bar: Bar, split: Split) -> bool:
    return abs(bar.session_date - split.ex_date) <= _AROUND


def unit_errors(prices: Sequence[Decimal], *, expected: Decimal | None = None) -> dict[int, UnitError]:
    """Positions of prices a factor of 100 off the expected one, else off the median of their neighbours.

    Args:
        prices: One field of bars, in order of time.
        expected: A price known from elsewhere. Without one, a run of wrong rows longer than its neighbourhood looks like a level:
            prices alone do not say which side is wrong.
    """
    return {
        index: error
        for index, price in enumerate(prices)
        if (error := _unit_error(price, expected or _around(prices, index))) is not None
    }


def missed_splits(closes: Sequence[tuple[date, Decimal]], split: Split) -> list[date]:
    """Days before the ex-date whose close still stands in old shares: nearer to ratio x the price after it than to that price.

    Args:
        closes: In order of time, a few weeks around the ex-date, and at least one day from it on."""
    after = [close for day, close in closes if day >= split.ex_date][:_NEIGHBOURS]
    if not after or split.ratio == 1:
        return []
    expected = median(after)
    return [day for day, close in closes if day < split.ex_date and _is_nearer(close / expected, split.ratio)]


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
