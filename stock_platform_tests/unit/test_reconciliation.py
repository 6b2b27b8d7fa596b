"""Certified bars held against the vendor's: what is equal, what differs, what is corrected. Expected values by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from stock_platform.contracts.vendor import FIELDS
from stock_platform.defs.reconcile import near_result
from stock_platform.market.asked import Stretch
from stock_platform.market.reconciliation import FieldSummary, Reconciliation

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_SCHEMA: dict[str, Any] = {
    "symbol": pl.String,
    "ts_start": pl.Datetime("us", "UTC"),
    **{f"{side}_{name}": pl.Int64 if name == "volume" else pl.Decimal(18, 6) for name in FIELDS for side in ("ours", "vendor")},
}
RIGHT = {"open": "100", "high": "102", "low": "99", "close": "101", "volume": 500}


def pair(minute: int, ours: dict[str, Any] | None, vendor: dict[str, Any] | None, symbol: str = "A") -> dict[str, Any]:
    sides = {"ours": ours, "vendor": vendor}
    values = {f"{side}_{name}": value(bar, name) for side, bar in sides.items() for name in FIELDS}
    return {"symbol": symbol, "ts_start": OPEN + minute * MINUTE, **values}


def value(bar: dict[str, Any] | None, name: str) -> Any:
    found = None if bar is None else bar[name]
    return Decimal(found) if isinstance(found, str) else found


def reconciliation(*pairs: dict[str, Any]) -> Reconciliation:
    return Reconciliation(pl.DataFrame(pairs, schema=_SCHEMA))


FOUND = reconciliation(
    pair(0, RIGHT, RIGHT),
    pair(1, RIGHT, RIGHT | {"close": "101.01", "volume": 490}),  # 0.99 bp
    pair(2, RIGHT, RIGHT | {"high": "103.02", "close": "101.02"}),  # 100 bps and 1.98
    pair(3, RIGHT, None),
    pair(4, None, RIGHT),
    pair(5, RIGHT | {"volume": None}, RIGHT),
)


def test_prices_within_a_basis_point_are_equal_and_what_differs_is_told_field_by_field() -> None:
    rows = [(row[0], int((row[1] - OPEN) / MINUTE), *row[2:5]) for row in FOUND.differences().rows()]
    assert rows == [
        ("A", 1, "volume", Decimal(500), Decimal(490)),
        ("A", 2, "close", Decimal(101), Decimal("101.02")),
        ("A", 2, "high", Decimal(102), Decimal("103.02")),
        ("A", 3, "only_ours", Decimal(101), None),
        ("A", 4, "only_vendor", None, Decimal(101)),
    ]
    bps = FOUND.differences()["difference_bps"].to_list()
    assert bps == [pytest.approx(-200), pytest.approx(1.98, abs=0.001), pytest.approx(100), None, None]


def test_fields_are_summed_up() -> None:
    assert [(each.name, each.compared, each.differing) for each in FOUND.fields] == [
        ("open", 4, 0),
        ("high", 4, 1),
        ("low", 4, 0),
        ("close", 4, 1),
        ("volume", 3, 1),
    ]
    assert FOUND.fields[0] == FieldSummary("open", 4, 0, 0.0)
    assert (FOUND.both.height, FOUND.equal_count, FOUND.only_ours.height, FOUND.only_vendor.height) == (4, 2, 1, 1)
    text = FOUND.markdown()
    assert text.startswith(
        "4 bars compared, 2 equal in every field; 1 only ours, 1 only the vendor's. Prices within 1 bp are equal."
    )
    assert "| high | 4 | 3 | 1 | 100.0 |" in text


def test_only_prices_of_instruments_that_want_it_are_corrected() -> None:
    start = OPEN + 2 * MINUTE
    assert FOUND.to_correct(["A"]) == [Stretch("A", start, start + MINUTE)]
    assert FOUND.to_correct(["B"]) == FOUND.to_correct([]) == []


@pytest.mark.parametrize(
    ("far", "passed"),
    [(0, True), (1, True), (2, False)],
)
def test_near_vendor_warns_when_more_than_one_close_in_a_hundred_is_far_off(far: int, passed: bool) -> None:
    """101.6 is 59 bps off 101; 101.5 is 49.5."""
    pairs = [pair(minute, RIGHT, RIGHT | {"close": "101.6" if minute < far else "101.5"}) for minute in range(100)]
    result = near_result(OPEN.date(), reconciliation(*pairs))
    assert (result.passed, result.metadata["failed"].value, result.metadata["observed"].value) == (passed, far, 100)


def test_nothing_to_compare_is_near() -> None:
    assert near_result(None, None).passed
    empty = reconciliation()
    assert (empty.differences().height, empty.far_share(50), empty.to_correct(["A"])) == (0, 0.0, [])
    assert "0 bars compared" in empty.markdown()
