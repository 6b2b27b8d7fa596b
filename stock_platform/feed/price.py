"""Prices as they are stored, numeric(18,6): whole millionths, exact. Not here: whether a price is believed (spike)."""

from decimal import Decimal

MILLION = 1_000_000
_LIMIT = Decimal(10) ** 12
"""No more than this can be stored."""
_EXACT = 10_000
"""A vendor's noise behind the sixth digit is rounded off, if that moves the price by no more than a ten-thousandth."""


def millionths(price: Decimal) -> int | None:
    """The price as it is stored; None when it is no price or cannot be stored."""
    if not price.is_finite() or not 0 < price < _LIMIT:
        return None
    scaled = price * MILLION
    rounded = round(scaled)
    return rounded if abs(scaled - rounded) * _EXACT <= scaled else None


def from_millionths(price: int) -> Decimal:
    """The price, exact."""
    return Decimal(price).scaleb(-6)
