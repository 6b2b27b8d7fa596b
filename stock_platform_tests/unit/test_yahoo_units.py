"""Wrong units and missed splits in real bad bars; what is right is said by the repaired files beside them, or by the exchange."""

import csv
from datetime import date
from decimal import Decimal

import pytest

from stock_platform.feed.splits import Split
from stock_platform.feed.yahoo.units import AdjustedClose, Payment, major_unit, missed_payments, missed_splits, unit_errors
from stock_platform_tests.conftest import RECORDED


def rows_of(name: str) -> list[dict[str, str]]:
    path = RECORDED / "yahoo_bad_bars" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    return list(csv.DictReader(path.read_text().splitlines()))


def prices(name: str, field: str) -> list[Decimal]:
    return [Decimal(row[field]) for row in rows_of(name)]


@pytest.mark.parametrize(
    ("currency", "major"),
    [("GBp", ("GBP", "0.01")), ("ZAc", ("ZAR", "0.01")), ("ILA", ("ILS", "0.01")), ("GBP", ("GBP", "1")), ("USD", ("USD", "1"))],
)
def test_minor_unit_has_its_major_one(currency: str, major: tuple[str, str]) -> None:
    assert major_unit(currency) == (major[0], Decimal(major[1]))


@pytest.mark.parametrize(
    ("field", "expected"), [("Open", {}), ("High", {}), ("Low", {11: "divided_by_100"}), ("Close", {11: "divided_by_100"})]
)
def test_single_row_in_pounds_is_found_among_pence(field: str, expected: dict[int, str]) -> None:
    """2024-10-24 16:00 of ASAI.L: low and close 0.6 between 58 and 61.5."""
    assert unit_errors(prices("ASAI-L-1h-bad-unit", field)) == expected
    assert unit_errors(prices("ASAI-L-1h-bad-unit-fixed", field)) == {}


def test_long_run_in_pounds_needs_a_price_known_from_elsewhere() -> None:
    """AET.L: rows 0-9 and 19-22 are 0.1455, the nine between are 14.55, which is right."""
    closes = prices("AET-L-1d-100x-error", "Close")
    assert unit_errors(closes, expected=Decimal("14.55")) == dict.fromkeys((*range(10), *range(19, 23)), "divided_by_100")
    assert unit_errors(prices("AET-L-1d-100x-error-fixed", "Close"), expected=Decimal("14.55")) == {}


def test_row_a_hundred_times_too_large_is_found() -> None:
    assert unit_errors([Decimal(text) for text in ("1.01", "1.02", "103", "1.01", "0.99")]) == {2: "times_100"}


@pytest.mark.parametrize("name", ["8TRA-DE-1d-missing-div-adjust", "EA-15m-no-bad-divs", "4063-T-1d-bad-stock-split"])
def test_real_prices_have_no_unit_errors(name: str) -> None:
    assert unit_errors(prices(name, "Close")) == {}


@pytest.mark.parametrize("values", [[], ["5"], ["0", "0", "0"], ["-1", "100"]])
def test_few_or_odd_prices_say_nothing(values: list[str]) -> None:
    assert unit_errors([Decimal(value) for value in values]) == {}


def closes_of(name: str) -> list[tuple[date, Decimal]]:
    return sorted((date.fromisoformat(row["Date"][:10]), Decimal(row["Close"])) for row in rows_of(name))


def test_days_that_missed_a_split_are_found() -> None:
    """4063.T split 5:1 on 2023-03-30: Yahoo had adjusted 03-29 only."""
    split = Split(date(2023, 3, 30), Decimal(5))
    missed = [date(2023, 3, day) for day in (15, 16, 17, 20, 22, 23, 24, 27, 28)]
    closes = closes_of("4063-T-1d-bad-stock-split")
    assert [closes[index][0] for index in missed_splits(closes, split)] == missed
    assert missed_splits(closes_of("4063-T-1d-bad-stock-split-fixed"), split) == []


def test_reverse_split_is_missed_the_other_way_round() -> None:
    closes = [(date(2026, 1, day), Decimal(price)) for day, price in ((5, "1.0"), (6, "1.1"), (7, "10.5"), (8, "10"))]
    assert missed_splits(closes, Split(date(2026, 1, 7), Decimal("0.1"))) == [0, 1]


def test_split_without_a_day_after_it_says_something_only_with_a_price_known_from_elsewhere() -> None:
    closes, split = [(date(2026, 1, 5), Decimal(20)), (date(2026, 1, 6), Decimal(10))], Split(date(2026, 1, 7), Decimal(2))
    assert missed_splits(closes, split) == []
    assert missed_splits(closes, split, expected=Decimal(11)) == [0]


def test_price_that_went_far_over_the_years_is_no_unit_error() -> None:
    """From 1 to 400 in steps of a doubling: each is right beside the next, though the first is a factor of 400 off the last."""
    prices = [Decimal(price) for price in (1, 2, 4, 8, 16, 32, 64, 128, 256, 400)]
    assert unit_errors(prices, expected=Decimal(400)) == {}
    assert unit_errors([*prices[:4], Decimal(800), *prices[5:]], expected=Decimal(400)) == {}, "800 is 50 x 16: no unit"
    assert unit_errors([*prices[:4], Decimal(1600), *prices[5:]], expected=Decimal(400)) == {}


def adjusted(day: int, close: str, after: str) -> AdjustedClose:
    return AdjustedClose(date(2026, 1, day), Decimal(close), Decimal(after))


PAYMENTS = [Payment(date(2026, 1, 6), Decimal(5)), Payment(date(2026, 1, 8), Decimal(10))]


@pytest.mark.parametrize(
    ("factors", "missed"),
    [
        (("0.855", "0.9", "0.9", "1"), []),
        (("0.9", "0.9", "0.9", "1"), [0]),  # the first payment, of 5 %, is missed
        (("0.95", "1", "1", "1"), [0, 1, 2]),  # the second is, and the first day stands on the others
        (("1", "1", "1", "1"), [0, 1, 2]),
    ],
)
def test_payment_that_an_adjusted_close_misses_is_found(factors: tuple[str, ...], missed: list[int]) -> None:
    """Closes of 100 on the 5th to the 8th; 5 are paid on the 6th, 10 on the 8th."""
    closes = [adjusted(5 + index, "100", str(100 * Decimal(factor))) for index, factor in enumerate(factors)]
    assert missed_payments(closes, PAYMENTS) == missed


def test_payment_that_is_too_small_or_has_no_close_on_both_sides_says_nothing() -> None:
    closes = [adjusted(5, "100", "100"), adjusted(6, "100", "100")]
    assert missed_payments(closes, [Payment(date(2026, 1, 6), Decimal("0.009"))]) == []
    assert missed_payments(closes, [Payment(date(2026, 1, 5), Decimal(5)), Payment(date(2026, 1, 9), Decimal(5))]) == []
    assert missed_payments([], PAYMENTS) == []
