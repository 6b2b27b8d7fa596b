"""What checks of the archive and of the gap ledger say of one good and of one bad session."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import polars as pl
import pytest

from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.defs.archive import COVERS, RECOMPUTED, archive_checks
from stock_platform.defs.gaps import gap_check
from stock_platform.market.gaps.rows import Row
from stock_platform.repair.look import Found

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BARS = (("A", 0, "10.5", 3), ("A", 1, "11", 2), ("B", 0, "20", 1))
"""Symbol, minute, close, ticks."""


def bars(*rows: tuple[str, int, str, int]) -> pl.DataFrame:
    """Bars whose open, high and low are 10, 30 and 5."""
    return pl.DataFrame(
        {
            "symbol": [row[0] for row in rows],
            "ts_start": [OPEN + row[1] * MINUTE for row in rows],
            "open": [Decimal(10)] * len(rows),
            "high": [Decimal(30)] * len(rows),
            "low": [Decimal(5)] * len(rows),
            "close": [Decimal(row[2]) for row in rows],
            "tick_count": [row[3] for row in rows],
        },
        schema_overrides={
            "symbol": pl.String,
            "tick_count": pl.Int64,
            "ts_start": pl.Datetime("us", "UTC"),
            **dict.fromkeys(("open", "high", "low", "close"), pl.Decimal(18, 6)),
        },
    )


def checked(name: str, found: pl.DataFrame) -> tuple[bool, Any, Any]:
    """Whether it passes, what it looked at, what failed."""
    result = next(each for each in archive_checks(bars(*BARS), found) if each.check_name == name)
    assert result.severity is dg.AssetCheckSeverity.WARN
    return result.passed, result.metadata["observed"].value, result.metadata["failed"].value


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(BARS, (True, 2, 0), id="as many ticks"),
        pytest.param(
            (("A", 0, "10.5", 2), ("A", 1, "11", 4), BARS[2]), (True, 2, 0), id="one more, which came too late for its bar"
        ),
        pytest.param((("A", 0, "10.5", 2), *BARS[1:]), (False, 2, 1), id="one tick short"),
        pytest.param(BARS[:2], (False, 2, 1), id="a symbol is not there"),
        pytest.param((), (False, 2, 2), id="no archive"),
    ],
)
def test_archive_has_no_fewer_ticks_than_the_bars_count(
    found: tuple[tuple[str, int, str, int], ...], expected: tuple[bool, int, int]
) -> None:
    assert checked(COVERS, bars(*found)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(BARS, (True, 3, 0), id="the same bars"),
        pytest.param((*BARS, ("C", 0, "1", 1)), (True, 3, 0), id="one more, which nobody certified"),
        pytest.param((("A", 0, "10.500001", 3), *BARS[1:]), (False, 3, 1), id="another close, by the last digit"),
        pytest.param((("A", 0, "10.5", 4), *BARS[1:]), (False, 3, 1), id="another count"),
        pytest.param(BARS[1:], (False, 3, 1), id="a bar is not there"),
    ],
)
def test_certified_bars_come_out_of_the_archive_as_they_are(
    found: tuple[tuple[str, int, str, int], ...], expected: tuple[bool, int, int]
) -> None:
    assert checked(RECOMPUTED, bars(*found)) == expected


def gap(symbol: str, gap_class: GapClass, state: GapState) -> Row:
    return Row(
        symbol,
        OPEN,
        OPEN + 2 * MINUTE,
        OPEN.date(),
        2,
        gap_class,
        "as told",
        state,
        None,
        None,
        0,
        ts_found=OPEN + 3 * MINUTE,
        ts_closed=None,
        dagster_run_id="run",
    )


OPEN_PIPELINE_GAP = gap("A", GapClass.PIPELINE_GAP, GapState.OPEN)


@pytest.mark.parametrize(
    ("rows", "failed", "sample"),
    [
        pytest.param((), 0, "none", id="no gap"),
        pytest.param((gap("A", GapClass.FEED_GAP, GapState.OPEN),), 0, "none", id="open, but nobody heard it"),
        pytest.param((gap("A", GapClass.PIPELINE_GAP, GapState.REPAIRED),), 0, "none", id="repaired"),
        pytest.param(
            (gap("B", GapClass.HALT, GapState.EXPLAINED), OPEN_PIPELINE_GAP), 1, "A 14:30Z", id="open, its ticks in Kafka"
        ),
    ],
)
def test_ledger_has_no_open_gap_whose_ticks_are_in_kafka(rows: tuple[Row, ...], failed: int, sample: str) -> None:
    result = gap_check([Found(rows, 390, 0)])
    assert result.passed is (failed == 0)
    assert (result.metadata["failed"].value, result.metadata["sample"].value) == (failed, sample)
