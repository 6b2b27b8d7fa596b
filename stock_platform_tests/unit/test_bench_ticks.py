import json
from decimal import Decimal

import polars as pl
import pytest

from benchmarks import truth
from benchmarks.ticks import (
    DISPLACED_RATIO,
    LATE_RATIO,
    PARTITION_COUNT,
    REPEATED_RATIO,
    cloned,
    dirtied,
    synthetic_market,
    with_messages,
)
from stock_platform.adapters.kafka import partition_of

COUNT = 20_000
IDENTITY = ["symbol", "day_volume", "ts_event", "price"]


@pytest.fixture(scope="module")
def clean() -> pl.DataFrame:
    return with_messages(cloned(synthetic_market(4_000), count=COUNT, symbol_count=50))


@pytest.fixture(scope="module")
def dirty(clean: pl.DataFrame) -> pl.DataFrame:
    return dirtied(clean)


def test_clean_file_has_so_many_different_ticks_in_event_order(clean: pl.DataFrame) -> None:
    assert clean.unique(IDENTITY).height == COUNT
    assert clean["ts_event"].is_sorted()
    assert clean["symbol"].n_unique() == 50


def test_message_says_what_the_columns_say_and_lies_in_its_symbols_partition(clean: pl.DataFrame) -> None:
    for row in clean.sample(100, seed=1).iter_rows(named=True):
        message = json.loads(row["value"])
        assert (message["symbol"], message["ts_event"], message["day_volume"]) == (
            row["symbol"],
            row["ts_event"],
            row["day_volume"],
        )
        assert Decimal(message["price"]) == row["price"]
        assert row["partition"] == partition_of(row["symbol"], PARTITION_COUNT)


def test_dirty_file_has_the_same_truth(clean: pl.DataFrame, dirty: pl.DataFrame) -> None:
    assert not dirty["ts_event"].is_sorted()
    assert truth.bars(dirty).equals(truth.bars(clean))


@pytest.mark.parametrize(
    ("at_least_ms", "at_most_ms", "promised"), [(1, 32_000, DISPLACED_RATIO + REPEATED_RATIO), (300_000, 602_000, LATE_RATIO)]
)
def test_dirty_file_is_late_as_often_as_promised(dirty: pl.DataFrame, at_least_ms: int, at_most_ms: int, promised: float) -> None:
    delay = dirty["ts_arrival"] - dirty["ts_event"]
    assert delay.is_between(at_least_ms, at_most_ms).sum() / COUNT == pytest.approx(promised, rel=0.5)
    assert delay.max() <= 602_000  # type: ignore[operator]


def test_dirty_file_repeats_as_often_as_promised(dirty: pl.DataFrame) -> None:
    assert (dirty.height - COUNT) / COUNT == pytest.approx(REPEATED_RATIO, rel=0.2)
    assert dirty["ts_arrival"].is_sorted()


def test_bar_is_computed_as_by_hand() -> None:
    price = pl.Series("price", ["10.00", "10.50", "9.75", "11.00"]).cast(pl.Decimal(18, 6))
    ticks = pl.DataFrame({"symbol": "A", "ts_event": [60_000, 61_000, 61_000, 125_000], "day_volume": [100, 300, 250, 400]})
    found = truth.bars(ticks.with_columns(price).sample(4, shuffle=True, seed=3)).rows(named=True)
    first, second = ({name: float(bar[name]) for name in (*truth.COMPARED, "tick_count")} for bar in found)
    assert first == {"open": 10.0, "high": 10.5, "low": 9.75, "close": 10.5, "volume": 300, "tick_count": 3}
    assert second == {"open": 11.0, "high": 11.0, "low": 11.0, "close": 11.0, "volume": 100, "tick_count": 1}
    # 100 shares at 10.00, 150 at 9.75, 50 at 10.50.
    assert found[0]["vwap"] == pytest.approx((1000 + 1462.5 + 525) / 300)


def test_bars_that_are_missing_or_too_many_or_different_are_counted(clean: pl.DataFrame) -> None:
    right = truth.bars(clean)
    changed = right.with_row_index().with_columns(pl.when(pl.col("index") == 3).then(0).otherwise(pl.col("volume")).alias("volume"))
    added = right.head(1).with_columns(pl.lit("OTHER").alias("symbol"))
    assert truth.wrong_bars(right, right) == 0
    assert truth.wrong_bars(right, right.slice(2)) == 2
    assert truth.wrong_bars(right, changed.drop("index")) == 1
    assert truth.wrong_bars(right, pl.concat([right, added])) == 1
