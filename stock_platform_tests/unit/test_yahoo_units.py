"""Wrong units and missed splits in real bad bars; what is right is said by the repaired files beside them, or by the exchange."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from stock_platform.feed.splits import Split
from stock_platform.feed.yahoo.bars import Bar
from stock_platform.feed.yahoo.units import doubts, major_unit, missed_splits, unit_errors
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
    assert missed_splits(closes_of("4063-T-1d-bad-stock-split"), split) == missed
    assert missed_splits(closes_of("4063-T-1d-bad-stock-split-fixed"), split) == []


def test_reverse_split_is_missed_the_other_way_round() -> None:
    closes = [(date(2026, 1, day), Decimal(price)) for day, price in ((5, "1.0"), (6, "1.1"), (7, "10.5"), (8, "10"))]
    assert missed_splits(closes, Split(date(2026, 1, 7), Decimal("0.1"))) == [date(2026, 1, 5), date(2026, 1, 6)]


def test_split_without_a_day_after_it_says_nothing() -> None:
    assert missed_splits([(date(2026, 1, 5), Decimal(1))], Split(date(2026, 1, 7), Decimal(2))) == []


def test_doubts_name_the_row_and_what_is_wrong_with_it() -> None:
    closes = ["70", "70", "7000", "70", "70", "10", "10", "10", "10"]
    first = datetime(2026, 11, 2, tzinfo=UTC)
    bars = [
        Bar(ts, ts.date(), price, price, price, price, 1, False)
        for ts, price in ((first + timedelta(days=n), Decimal(close)) for n, close in enumerate(closes))
    ]
    found = doubts(bars, [Split(date(2026, 11, 9), Decimal(7))])
    assert found[0] == "2026-11-04 00:00Z: 7000 is times_100"
    assert [each[:10] for each in found[1:]] == ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"]
    assert found[1] == "2026-11-02: close misses the split of 2026-11-09, 7 new shares an old one"
    assert doubts(bars[:2]) == []
