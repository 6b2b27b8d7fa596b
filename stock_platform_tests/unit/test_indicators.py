"""Indicators against worked examples that others have published, against TA-Lib, and what must hold for any prices.

Published: StockCharts' ChartSchool, chartschool.stockcharts.com, the spreadsheets cs-rsi.xls, cs-atr.xls and cs-bbands.xls beside
its pages "Relative Strength Index", "Average True Range" and "Bollinger Bands". TA-Lib: what its release 0.8.2 for Python gives
for the same closes."""

import math
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.aggregates.indicator import indicators
from stock_platform_tests.days import days, ranges

QQQQ = (
    "44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328 45.6140 46.2820 46.2820 "
    "46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515 45.7835 45.3548 44.0288 44.1783 44.2181 44.5672 "
    "43.4205 42.6628 43.1314"
).split()
RSI = (
    (15, 70.5328), (16, 66.3186), (17, 66.5498), (18, 69.4063), (19, 66.3552), (20, 57.9749), (21, 62.9296), (22, 63.2571),
    (23, 56.0593), (24, 62.3771), (25, 54.7076), (26, 50.4228), (27, 39.9898), (28, 41.4605), (29, 41.8689), (30, 45.4632),
    (31, 37.3040), (32, 33.0795), (33, 37.7730),
)  # fmt: skip

RANGES = (
    (48.70, 47.79, 48.16), (48.72, 48.14, 48.61), (48.90, 48.39, 48.75), (48.87, 48.37, 48.63), (48.82, 48.24, 48.74),
    (49.05, 48.635, 49.03), (49.20, 48.94, 49.07), (49.35, 48.86, 49.32), (49.92, 49.50, 49.91), (50.19, 49.87, 50.13),
    (50.12, 49.20, 49.53), (49.66, 48.90, 49.50), (49.88, 49.43, 49.75), (50.19, 49.725, 50.03), (50.36, 49.26, 50.31),
    (50.57, 50.09, 50.52), (50.65, 50.30, 50.41), (50.43, 49.21, 49.34), (49.63, 48.98, 49.37), (50.33, 49.61, 50.23),
)  # fmt: skip
ATR = ((14, 0.555), (15, 0.593929), (16, 0.585791), (17, 0.568949), (18, 0.615452), (19, 0.61792), (20, 0.642354))

SPY = (
    "86.1557 89.0867 88.7829 90.3228 89.0671 91.1453 89.4397 89.1750 86.9302 87.6752 86.9596 89.4299 89.3221 88.7241 87.4497 "
    "87.2634 89.4985 87.9006 89.1260 90.7043 92.9001 92.9784"
).split()
BANDS = ((20, 91.291862, 88.70794, 86.124018), (21, 91.949268, 89.04516, 86.141052), (22, 92.612595, 89.239745, 85.866895))

WAVE = [round(100 + 10 * math.sin(n / 5) + n / 20, 6) for n in range(275)]
"""A series that anyone can make again."""

closes = st.lists(st.integers(1, 10**6).map(lambda cents: cents / 100), min_size=1, max_size=230)


def of(prices: Any) -> dict[str, Any]:
    return indicators(days(A=prices)).row(0, named=True)


@pytest.mark.parametrize(("count", "expected"), RSI)
def test_rsi_is_the_published_one(count: int, expected: float) -> None:
    assert of(QQQQ[:count])["rsi_14"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("count", "expected"), ATR)
def test_true_range_is_the_published_one(count: int, expected: float) -> None:
    assert indicators(ranges(RANGES[:count])).row(0, named=True)["atr_14"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("count", "upper", "middle", "lower"), BANDS)
def test_bands_are_the_published_ones(count: int, upper: float, middle: float, lower: float) -> None:
    row = of(SPY[:count])
    found = [row[f"bollinger_{name}"] for name in ("upper", "middle", "lower")]
    assert found == pytest.approx([upper, middle, lower], abs=1e-5)
    assert row["sma_20"] == row["bollinger_middle"]


def test_long_series_gives_what_talib_gives() -> None:
    row = of(WAVE)
    expected = {
        "ema_12": 109.71900319595504,
        "ema_26": 112.05259749593392,
        "macd": -2.333594299978884,
        "macd_signal": -0.4685286239175888,
        "macd_histogram": -1.8650656760612954,
        "rsi_14": 25.43064693127023,
        "sma_20": 115.436560456043,
        "sma_200": 108.57144935503753,
        "bollinger_upper": 129.06269831403972,
        "bollinger_lower": 101.81042259804626,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_short_series_starts_its_averages_as_talib_does() -> None:
    row = of(WAVE[:40])
    expected = {"ema_12": 106.00602123242228, "ema_26": 104.00854526936494, "rsi_14": 79.1825927689988}
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "fewest"),
    [("sma_20", 20), ("sma_50", 50), ("sma_200", 200), ("ema_12", 12), ("ema_26", 26), ("rsi_14", 15), ("macd", 26),
     ("macd_signal", 34), ("macd_histogram", 34), ("bollinger_upper", 20), ("bollinger_lower", 20), ("atr_14", 14)],
)  # fmt: skip
def test_indicator_is_null_until_its_window_is_full(name: str, fewest: int) -> None:
    assert of(WAVE[: fewest - 1])[name] is None
    assert of(WAVE[:fewest])[name] is not None


def test_prices_that_never_moved_have_no_rsi_and_bands_of_no_width() -> None:
    row = of([50] * 40)
    assert row["rsi_14"] is None
    assert (row["bollinger_upper"], row["bollinger_lower"], row["macd_histogram"], row["atr_14"]) == (50, 50, 0, 0)


@pytest.mark.parametrize(("step", "expected"), [(1, 100), (-1, 0)])
def test_rsi_of_one_direction_is_at_its_end(step: int, expected: float) -> None:
    assert of([100 + step * n for n in range(30)])["rsi_14"] == expected


@given(closes)
def test_averages_are_those_of_a_plain_loop(prices: list[float]) -> None:
    row = of(prices)
    for length in (20, 50, 200):
        expected = sum(prices[-length:]) / length if len(prices) >= length else None
        assert row[f"sma_{length}"] == (expected if expected is None else pytest.approx(expected))
    for length in (12, 26):
        expected = loop(prices, length, 2 / (length + 1))
        assert row[f"ema_{length}"] == (expected if expected is None else pytest.approx(expected))
    moves = [after - before for before, after in pairwise(prices)]
    rises, falls = (loop([max(sign * move, 0) for move in moves], 14, 1 / 14) for sign in (1, -1))
    if rises is not None and falls is not None and rises + falls > 1e-9:
        assert row["rsi_14"] == pytest.approx(100 * rises / (rises + falls))


def loop(values: list[float], length: int, weight: float) -> float | None:
    """An exponential mean, one value after the other."""
    if len(values) < length:
        return None
    mean = sum(values[:length]) / length
    for value in values[length:]:
        mean += weight * (value - mean)
    return mean


@given(closes)
def test_indicators_stay_in_their_bounds(prices: list[float]) -> None:
    row = of(prices)
    low, high, tolerance = min(prices), max(prices), 1e-9 * max(prices)
    for name in ("sma_20", "sma_50", "sma_200", "ema_12", "ema_26"):
        assert row[name] is None or low - tolerance <= row[name] <= high + tolerance
    assert row["rsi_14"] is None or 0 <= row["rsi_14"] <= 100
    assert row["atr_14"] is None or 0 <= row["atr_14"] <= high - low + tolerance
    if row["bollinger_upper"] is not None:
        assert row["bollinger_lower"] <= row["bollinger_middle"] <= row["bollinger_upper"]


@given(closes, st.randoms(use_true_random=False))
def test_order_of_rows_and_other_symbols_change_nothing(prices: list[float], random: Any) -> None:
    both = days(A=prices, B=[*reversed(prices), 7])
    order = list(range(both.height))
    random.shuffle(order)
    alone = indicators(days(A=prices))
    assert indicators(both[order]).filter(pl.col("symbol") == "A").equals(alone)
