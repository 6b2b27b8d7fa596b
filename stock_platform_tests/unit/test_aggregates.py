"""Coarser bars and statistics against sums done by hand in Python's own decimals."""

import math
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stock_platform.aggregates.coarser import PRICE, coarsen
from stock_platform.aggregates.liquidity import liquidity
from stock_platform.aggregates.session import session_statistics
from stock_platform_tests.bars import CLOSE, OPEN, SESSION, bar
from stock_platform_tests.days import days

_INSTANT = pl.Datetime("us", "UTC")
_SCHEMA = {
    "symbol": pl.String,
    **dict.fromkeys(("ts_start", "ts_end", "ts_open", "ts_close"), _INSTANT),
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), PRICE),
    "volume": pl.Int64,
    "tick_count": pl.Int64,
    "verdict": pl.String,
    "session_date": pl.Date,
}
NO_HISTORY = days()


def frame(bars: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [{name: {"verdict": "passed", **each, "ts_open": OPEN, "ts_close": CLOSE}[name] for name in _SCHEMA} for each in bars]
    return pl.DataFrame(rows, schema=_SCHEMA)


def minutes(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Bars with prices and volumes of a wide range; some minutes are missing, some traded nothing."""
    random = Random(seed)
    bars = []
    for minute in (each for each in range(count) if random.random() < 0.9):
        low = Decimal(random.randrange(1, 10**9)).scaleb(-6)
        high = low + Decimal(random.randrange(10**7)).scaleb(-6)
        volume = random.choice([0, random.randrange(1, 10**10)])
        prices = {"open": high, "high": high, "low": low, "close": low}
        bars.append(bar(minute, **prices, volume=volume, vwap=(low if volume else None), tick_count=random.randrange(1, 99)))
    return bars


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), every=st.sampled_from([("5m", 5), ("15m", 15), ("1h", 60)]))
def test_coarse_bars_equal_sums_by_hand_in_any_order(seed: int, every: tuple[str, int]) -> None:
    bars = minutes(130, seed)
    name, length = every
    groups: dict[int, list[dict[str, Any]]] = {}
    for each in bars:
        groups.setdefault(int((each["ts_start"] - OPEN).total_seconds()) // (60 * length), []).append(each)

    expected = []
    for number, group in sorted(groups.items()):
        volume = sum(each["volume"] for each in group)
        notional = sum((each["vwap"] or 0) * each["volume"] for each in group)
        vwap = (notional / volume).quantize(Decimal("0.000001"), ROUND_HALF_UP) if volume else None
        highest, lowest = max(each["high"] for each in group), min(each["low"] for each in group)
        expected.append((number, group[0]["open"], highest, lowest, group[-1]["close"], volume, vwap, len(group)))

    shuffled = frame(Random(seed).sample(bars, len(bars)))
    result = coarsen(shuffled, every=name)
    numbers = [int((ts - OPEN).total_seconds()) // (60 * length) for ts in result["ts_start"]]
    columns = [result[column].to_list() for column in ("open", "high", "low", "close", "volume", "vwap", "bar_count")]
    assert list(zip(numbers, *columns, strict=True)) == expected


def test_last_coarse_bar_ends_at_the_close() -> None:
    result = coarsen(frame([bar(389)]), every="1h")
    assert result.select("ts_start", "ts_end").row(0) == (OPEN.replace(hour=20, minute=30), CLOSE)


def test_session_bar_spans_the_session() -> None:
    result = coarsen(frame([bar(3), bar(200)]), every=None)
    assert result.select("ts_start", "ts_end", "bar_count", "session_date").row(0) == (OPEN, CLOSE, 2, SESSION)


def test_bars_without_volume_give_none_not_zero() -> None:
    result = coarsen(frame([bar(0, volume=None, vwap=None)]), every="5m")
    assert result.select("volume", "vwap").row(0) == (None, None)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "restated"), "restated"),
        (("restated", "vendor", "passed"), "vendor"),
        (("vendor", "suspect", "passed"), "suspect"),
    ],
)
def test_coarse_bar_is_no_better_than_the_worst_of_its_minutes(verdicts: tuple[str, ...], worst: str) -> None:
    bars = [bar(minute, verdict=verdict) for minute, verdict in enumerate(verdicts)]
    result = coarsen(frame([*bars, bar(5)]), every="5m")
    assert result["verdict"].to_list() == [worst, "passed"]


def test_statistics_of_a_session_by_hand() -> None:
    closes = [Decimal("100"), Decimal("102"), Decimal("101")]
    bars = [bar(n, open=close, close=close, high=close + 1, low=close - 1) for n, close in enumerate(closes)]

    row = session_statistics(frame(bars), days(AAPL=("97", "98", "101"))).row(0, named=True)

    assert math.isclose(row["range_pct"], (103 - 99) / 100 * 100)
    assert math.isclose(row["return_pct"], 1.0)
    assert math.isclose(row["gap_pct"], (100 / 98 - 1) * 100)
    squares = math.log(102 / 100) ** 2 + math.log(101 / 102) ** 2
    assert math.isclose(row["realised_volatility_pct"], math.sqrt(squares) * 100)


def test_statistics_of_one_bar_have_no_volatility_and_no_gap() -> None:
    row = session_statistics(frame([bar(0)]), NO_HISTORY).row(0, named=True)
    assert row["realised_volatility_pct"] is None
    assert row["gap_pct"] is None


def test_vwap_of_a_span_with_a_bar_of_the_vendor_in_it_is_not_known() -> None:
    """The vendor states a volume and no VWAP; its volume counts, and a VWAP of the others alone would be another thing."""
    bars = [bar(minute) for minute in (0, 1, 5)] + [bar(2, vwap=None, tick_count=0), bar(6, vwap=None, volume=0)]
    coarse = coarsen(frame(bars), every="5m")
    assert coarse.select("volume", "vwap", "tick_count").rows() == [(3000, None, 24), (1000, Decimal("100.25"), 24)]


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        # the bar has 1,000: over the mean of 100, 200, 300, 400 and 500; a session without a volume counts for none
        ((100, 200, None, 300, 400, 500, 1000), 1000 / 300),
        ((200, 300, None, 400, 500, 1000), None),
        # the newest 20 before: 20 of 500 and none of the 9,999
        ((9999, *[500] * 20, 1000), 2.0),
        ((0, 0, 0, 0, 0, 1000), None),
    ],
)
def test_volume_is_measured_by_the_twenty_sessions_before(volumes: tuple[int | None, ...], expected: float | None) -> None:
    history = days(AAPL=["100"] * len(volumes)).with_columns(volume=pl.Series(volumes, dtype=pl.Int64))
    row = session_statistics(frame([bar(0, volume=1000)]), history).row(0, named=True)
    assert row["volume_ratio_20"] == expected


def test_liquidity_of_a_half_hour_by_hand() -> None:
    bars = [
        bar(0, open=Decimal(100), high=Decimal(101), low=Decimal(99), close=Decimal(100), volume=300, vwap=Decimal("100.000001")),
        bar(29, open=Decimal(100), high=Decimal(102), low=Decimal(98), close=Decimal(102), volume=100, vwap=Decimal(101)),
        bar(30, volume=600),
    ]
    first, second = liquidity(frame(list(reversed(bars)))).to_dicts()
    assert (first["ts_start"], first["ts_end"]) == (OPEN, OPEN + timedelta(minutes=30))
    assert (first["volume"], first["tick_count"], first["bar_count"]) == (400, 24, 2)
    assert first["volume_share_ratio"] == 0.4
    assert first["notional"] == Decimal("40100.000300")  # 300 x 100.000001 + 100 x 101
    assert math.isclose(first["mean_range_bps"], (200 + 400) / 2)
    assert math.isclose(first["amihud_pct"], 2 / 0.0401000003)  # 2 percent over 0.0401 million
    assert (second["ts_start"], second["volume_share_ratio"]) == (OPEN + timedelta(minutes=30), 0.6)


def test_last_half_hour_of_a_short_session_ends_at_its_close() -> None:
    short = frame([bar(195)]).with_columns(ts_close=pl.lit(OPEN + timedelta(minutes=200)).dt.cast_time_unit("us"))
    assert liquidity(short).select("ts_start", "ts_end").row(0) == (OPEN + timedelta(minutes=180), OPEN + timedelta(minutes=200))


def test_liquidity_without_volume_is_not_known_and_without_trades_has_no_cost() -> None:
    unknown = liquidity(frame([bar(0, volume=None, vwap=None)])).row(0, named=True)
    assert [unknown[name] for name in ("volume", "volume_share_ratio", "notional", "amihud_pct")] == [None] * 4
    idle = liquidity(frame([bar(0, volume=0, vwap=None)])).row(0, named=True)
    assert [idle[name] for name in ("volume", "volume_share_ratio", "notional", "amihud_pct")] == [0, None, 0, None]


def test_liquidity_with_a_bar_of_the_vendor_in_it_counts_its_volume_and_knows_no_value() -> None:
    row = liquidity(frame([bar(0, volume=300), bar(1, volume=100, vwap=None, tick_count=0)])).row(0, named=True)
    assert (row["volume"], row["notional"], row["amihud_pct"]) == (400, None, None)


@given(seed=st.integers(0, 10_000))
def test_liquidity_adds_up_to_the_session_in_any_order(seed: int) -> None:
    bars = minutes(390, seed)
    found = liquidity(frame(Random(seed).sample(bars, len(bars))))
    assert found.equals(liquidity(frame(bars)))
    assert sum(found["volume"]) == sum(each["volume"] for each in bars)
    assert sum(found["notional"]) == sum((each["vwap"] or 0) * each["volume"] for each in bars)
    assert math.isclose(sum(found["volume_share_ratio"]), 1)
