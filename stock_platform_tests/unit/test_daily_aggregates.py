"""Movers, breadth, volatility and correlation against numbers by hand and Python's own statistics, and for any prices."""

import math
import statistics
from decimal import Decimal
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.aggregates.breadth import sector_breadth
from stock_platform.aggregates.correlation import correlations
from stock_platform.aggregates.indicator import indicators
from stock_platform.aggregates.mover import movers
from stock_platform.aggregates.volatility import volatilities
from stock_platform_tests.bars import SESSION
from stock_platform_tests.days import days, ranges

INSTRUMENTS = pl.DataFrame(
    {
        "symbol": ["A", "B", "C", "D", "E"],
        "sector": ["Energy", "Energy", "Technology", "Technology", "Coins"],
        "calendar": ["XNYS", "XNYS", "XNYS", "XNYS", "24/7"],
    }
)
prices = st.lists(st.integers(100, 10**6).map(lambda cents: cents / 100), min_size=1, max_size=90)


def walk(seed: int, count: int) -> list[float]:
    random, price, found = Random(seed), 100.0, list[float]()
    for _ in range(count):
        price *= 1 + random.uniform(-0.03, 0.03)
        found.append(round(price, 4))
    return found


def log_returns(closes: list[float]) -> list[float]:
    return [math.log(after / before) for before, after in pairwise(closes)]


def test_movers_are_ranked_by_change_and_then_by_symbol() -> None:
    found = movers(days(D=("100", "101"), A=("200", "202"), C=("100", "99"), B=("50", "55"), NEW=("10",)))
    shown = found.select("direction", "rank", "symbol", "previous_close", "close", "change_pct").rows()
    fifty, hundred, two_hundred = Decimal(50), Decimal(100), Decimal(200)
    assert shown == [
        ("bottom", 1, "C", hundred, Decimal(99), Decimal(-1)),
        ("bottom", 2, "A", two_hundred, Decimal(202), Decimal(1)),
        ("bottom", 3, "D", hundred, Decimal(101), Decimal(1)),
        ("bottom", 4, "B", fifty, Decimal(55), Decimal(10)),
        ("top", 1, "B", fifty, Decimal(55), Decimal(10)),
        ("top", 2, "A", two_hundred, Decimal(202), Decimal(1)),
        ("top", 3, "D", hundred, Decimal(101), Decimal(1)),
        ("top", 4, "C", hundred, Decimal(99), Decimal(-1)),
    ]
    assert found["session_date"].unique().to_list() == [SESSION]
    assert found["volume"].unique().to_list() == [100]


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_movers_are_at_most_ten_of_each_and_none_beyond_them(closes: list[int]) -> None:
    found = movers(days(**{f"S{n:02}": ("100", close) for n, close in enumerate(closes)}))
    for direction, wanted in (("top", sorted(closes, reverse=True)), ("bottom", sorted(closes))):
        rows = found.filter(pl.col("direction") == direction)
        assert rows["close"].to_list() == wanted[:10]
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))


def test_breadth_of_sectors_by_hand() -> None:
    flat = ["100"] * 49
    found = sector_breadth(
        days(A=[*flat, "102"], B=[*flat, "99"], C=("10", "10"), D=("7",), E=("100", "104")).with_columns(
            volume=pl.when(pl.col("symbol") != "E").then(pl.col("volume"))
        ),
        INSTRUMENTS,
    )
    shown = {row["sector"]: [*row.values()][2:] for row in found.to_dicts()}
    # A and B have an SMA 50, of 100.04 and 99.98; D has no earlier close
    assert shown == {
        "ALL": [5, 2, 1, 1, 0.5, pytest.approx((2 - 1 + 0 + 4) / 4), 400],
        "Coins": [1, 1, 0, 0, None, pytest.approx(4), None],
        "Energy": [2, 1, 1, 0, 0.5, pytest.approx(0.5), 200],
        "Technology": [2, 0, 0, 1, None, 0, 200],
    }


@given(st.lists(prices, min_size=5, max_size=5))
def test_breadth_of_all_is_the_sum_of_the_sectors(lists: list[list[float]]) -> None:
    found = sector_breadth(days(**dict(zip("ABCDE", lists, strict=True))), INSTRUMENTS)
    counts = ["symbol_count", "advancing_count", "declining_count", "unchanged_count", "volume"]
    parts, whole = (
        found.filter(is_part).select(counts).sum() for is_part in (pl.col("sector") != "ALL", pl.col("sector") == "ALL")
    )
    assert parts.equals(whole)


@pytest.mark.parametrize(("symbol", "per_year"), [("A", 252), ("E", 365)])
def test_volatility_is_the_deviation_of_twenty_returns_a_year(symbol: str, per_year: int) -> None:
    closes = walk(1, 30)
    row = volatilities(days(**{symbol: closes}), INSTRUMENTS).row(0, named=True)
    expected = statistics.stdev(log_returns(closes)[-20:]) * math.sqrt(per_year) * 100
    assert row["volatility_pct"] == pytest.approx(expected)
    assert (row["observation_count"], row["sessions_per_year"]) == (20, per_year)


def test_volatility_of_a_price_that_swings_between_two_values_by_hand() -> None:
    # eleven closes give ten returns of ±ln 1.1: their mean is 0, their sample variance 10/9 of the square
    row = volatilities(days(A=["100", "110"] * 5 + ["100"]), INSTRUMENTS).row(0, named=True)
    assert row["volatility_pct"] == pytest.approx(math.log(1.1) * math.sqrt(10 / 9 * 252) * 100)
    assert row["parkinson_volatility_pct"] == 0  # no day had a range


def test_volatility_of_ranges_by_hand() -> None:
    # ln(high / low) = ln 1.1 on each day
    row = volatilities(ranges([(110, 100, 105)] * 10), INSTRUMENTS).row(0, named=True)
    assert row["parkinson_volatility_pct"] == pytest.approx(math.log(1.1) / math.sqrt(4 * math.log(2)) * math.sqrt(252) * 100)
    assert (row["volatility_pct"], row["observation_count"]) == (None, 9)


@pytest.mark.parametrize(("count", "has_volatility", "has_range"), [(9, False, False), (10, False, True), (11, True, True)])
def test_volatility_is_null_below_ten(count: int, has_volatility: bool, has_range: bool) -> None:
    row = volatilities(days(A=walk(2, count)), INSTRUMENTS).row(0, named=True)
    assert (row["volatility_pct"] is not None, row["parkinson_volatility_pct"] is not None) == (has_volatility, has_range)


@given(prices)
def test_volatility_does_not_depend_on_the_unit_of_the_price(closes: list[float]) -> None:
    found = [volatilities(days(A=[close * scale for close in closes]), INSTRUMENTS) for scale in (1, 4)]
    for name in ("volatility_pct", "parkinson_volatility_pct"):
        one, other = (each[name][0] for each in found)
        assert one == (None if other is None else pytest.approx(other, abs=1e-6))


def test_correlation_is_that_of_sixty_returns() -> None:
    one, other = walk(3, 80), walk(4, 80)
    row = correlations(days(B=other, A=one)).row(0, named=True)
    expected = statistics.correlation(log_returns(one)[-60:], log_returns(other)[-60:])
    assert row["correlation"] == pytest.approx(expected)
    assert (row["symbol"], row["other_symbol"], row["observation_count"]) == ("A", "B", 60)


def test_returns_of_a_pair_are_between_sessions_that_both_have() -> None:
    one, other = walk(5, 40), walk(6, 40)
    gone = {7, 8, 20}
    both = days(A=one, B=other)
    dates = both["session_date"].unique().sort()
    missing = both.filter(~((pl.col("symbol") == "B") & pl.col("session_date").is_in(dates[sorted(gone)].implode())))
    kept = [[close for place, close in enumerate(closes) if place not in gone] for closes in (one, other)]
    row = correlations(missing).row(0, named=True)
    assert row["correlation"] == pytest.approx(statistics.correlation(*map(log_returns, kept)))
    assert row["observation_count"] == 36


@pytest.mark.parametrize(("count", "is_known"), [(20, False), (21, True)])
def test_correlation_is_null_below_twenty_observations(count: int, is_known: bool) -> None:
    row = correlations(days(A=walk(7, count), B=walk(8, count))).row(0, named=True)
    assert (row["correlation"] is not None, row["observation_count"]) == (is_known, count - 1)


def test_price_that_did_not_move_correlates_with_nothing() -> None:
    assert correlations(days(A=["100"] * 30, B=walk(9, 30)))["correlation"].to_list() == [None]


def test_each_pair_is_there_once() -> None:
    found = correlations(days(C=walk(1, 30), A=walk(2, 30), B=walk(3, 30)))
    assert found.select("symbol", "other_symbol").rows() == [("A", "B"), ("A", "C"), ("B", "C")]


@given(prices, prices)
def test_correlation_is_between_minus_one_and_one_and_a_series_is_its_own(one: list[float], other: list[float]) -> None:
    found = correlations(days(A=one, B=other, C=one))
    values = found["correlation"].drop_nulls()
    assert values.is_between(-1, 1).all()
    own = found.filter(pl.col("symbol") == "A", pl.col("other_symbol") == "C")["correlation"][0]
    assert own is None or own == pytest.approx(1)


def test_session_without_bars_gives_no_rows() -> None:
    none = days()
    found = [indicators(none), movers(none), correlations(none), sector_breadth(none, INSTRUMENTS), volatilities(none, INSTRUMENTS)]
    assert [each.height for each in found] == [0] * 5
