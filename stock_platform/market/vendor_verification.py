"""A certified bar of the vendor held against the vendor's own word: its raw answer, else its row in staging.vendor_bar_1m.

Reads reference.corporate_action and staging.vendor_bar_1m_raw; writes nothing. Not here: reading the answer (feed), bars of ticks
(verification)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from stock_platform.adapters.postgres import Connection
from stock_platform.errors.passport import AnswerNotKept
from stock_platform.market.passport import Passport
from stock_platform.market.verification import Field, Verification

_PRICES = ("open", "high", "low", "close")
_FIELDS = (*_PRICES, "volume")
_STEP = Decimal("0.000001")
_RATIO = "SELECT reference.ratio_since(%s, %s, %s)"
_STAGED = """
SELECT open, high, low, close, volume FROM staging.vendor_bar_1m_raw
WHERE symbol = %s AND ts_start = %s AND response_path = %s
"""


class Stated(NamedTuple):
    """The bar as the raw answer has it, in the vendor's scale.

    Args:
        values: By the names of open, high, low, close, volume; empty where the answer has no such bar.
        ts_recv: When the answer had come.
    """

    values: Mapping[str, Any]
    ts_recv: datetime


def verify_with_vendor(passport: Passport, connection: Connection, stated: Stated | None) -> Verification:
    """Compare the bar with what the vendor said, splits since then undone.

    Args:
        connection: Of gate_owner.
        stated: None where the raw answer is kept no more; then the staged row is looked at.
    Raises:
        AnswerNotKept: the answer is gone, and the row says something of another answer by now.
    """
    bar = passport.current
    path = bar.response_path or ""
    if stated is None:
        row = connection.execute(_STAGED, (bar.symbol, bar.ts_start, path)).fetchone()
        if row is None:
            raise AnswerNotKept(bar.symbol, bar.ts_start, path)
        found, against = dict(zip(_FIELDS, row, strict=True)), f"staging.vendor_bar_1m, for {path} is not kept any more"
    else:
        ratio = connection.execute(_RATIO, (bar.symbol, bar.session_date, stated.ts_recv)).fetchone()
        found, against = as_traded(stated.values, ratio[0] if ratio else Decimal(1)), f"the vendor's raw answer {path}"
    return Verification(1, tuple(Field(name, getattr(bar, name), found.get(name)) for name in _FIELDS), against)


def as_traded(values: Mapping[str, Any], ratio: Decimal) -> dict[str, Any]:
    """Prices times, and volume over, the splits since the session: in its own shares, rounded half away from zero."""
    if not values:
        return {}
    prices = {name: (values[name] * ratio).quantize(_STEP, ROUND_HALF_UP) for name in _PRICES}
    volume = values["volume"]
    return {**prices, "volume": None if volume is None else int((volume / ratio).quantize(Decimal(1), ROUND_HALF_UP))}
