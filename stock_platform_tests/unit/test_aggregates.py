"""Coarser bars and statistics against sums done by hand in Python's own decimals."""

import math
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from stock_platform.aggregates.coarser import PRICE, coarsen
from stock_platform.aggregates.session import session_statistics
from stock_platform_tests.bars import CLOSE, OPEN, SESSION, bar

_INSTANT = pl.Datetime("us", "UTC")
_SCHEMA = {
    "symbol": pl.String,
    **dict.fromkeys(("ts_start", "ts_end", "ts_open", "ts_close"), _INSTANT),
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), PRICE),
    "volume": pl.Int64,
    "tick_count": pl.Int64,
    "session_date": pl.Date,
}
NO_HISTORY = pl.DataFrame(schema={"symbol": pl.String, "previous_close": PRICE})


def frame(bars: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [{name: {**each, "ts_open": OPEN, "ts_close": CLOSE}[name] for name in _SCHEMA} for each in bars]
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


def test_statistics_of_a_session_by_hand() -> None:
    closes = [Decimal("100"), Decimal("102"), Decimal("101")]
    bars = [bar(n, open=close, close=close, high=close + 1, low=close - 1) for n, close in enumerate(closes)]
    history = pl.DataFrame({"symbol": ["AAPL"], "previous_close": [Decimal("98")]}, schema=NO_HISTORY.schema)

    row = session_statistics(frame(bars), history).row(0, named=True)

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
