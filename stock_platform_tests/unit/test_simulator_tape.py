"""A recorded tape conflated to a second: nothing of its volume is lost, and its bars are those of the prints.

Expected values come from polars straight over the tape, without the platform's code."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from stock_platform.feed.simulator.bars import History
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.played import PlayedTape, conflated
from stock_platform.feed.simulator.updates import Update
from stock_platform.feed.simulator.world import World

_TAPE = Path(__file__).parents[2].parent / "shared/data/tapes/us-2013-10-07.parquet"
_OPEN, _CLOSE = (datetime(2013, 10, 7, hour, minute, tzinfo=UTC) for hour, minute in ((13, 30), (20, 0)))


@pytest.fixture(scope="module")
def tape() -> Path:
    if not _TAPE.exists():
        pytest.skip(f"no recorded tape at {_TAPE}")
    return _TAPE


@pytest.fixture(scope="module")
def regular(tape: Path) -> pl.DataFrame:
    """Prints of the regular session."""
    inside = pl.col("ts_event").is_between(_OPEN, _CLOSE, closed="left")
    return pl.read_parquet(tape).with_columns(pl.col("symbol").cast(pl.String)).filter(inside)


@pytest.fixture(scope="module")
def updates(tape: Path) -> list[Update]:
    return list(conflated(tape))


def test_conflated_tape_keeps_all_of_the_regular_volume(updates: list[Update], regular: pl.DataFrame) -> None:
    expected = dict(regular.group_by("symbol").agg(pl.col("size").sum()).iter_rows())
    high_water: dict[str, int] = {}
    for update in updates:
        if update.day_volume is not None:
            assert update.day_volume >= high_water.get(update.symbol, 0)
            high_water[update.symbol] = update.day_volume
    assert len(expected) == 4
    assert high_water == expected


def test_conflated_tape_has_one_update_a_symbol_and_second_with_a_print(tape: Path, updates: list[Update]) -> None:
    seconds = pl.read_parquet(tape).select(pl.col("symbol").cast(pl.String), pl.col("ts_event").dt.epoch("s"))
    assert len(updates) == len({(update.symbol, update.second) for update in updates}) == seconds.unique().height
    assert [(update.second, update.symbol) for update in updates] == sorted((update.second, update.symbol) for update in updates)


def test_update_of_a_second_is_its_newest_print(updates: list[Update], regular: pl.DataFrame) -> None:
    # IBM's genuine jump: 182.60 is what the second 10:02:50 New York ended with.
    second = int(datetime(2013, 10, 7, 14, 2, 50, tzinfo=UTC).timestamp())
    expected = regular.filter((pl.col("symbol") == "IBM") & (pl.col("ts_event").dt.epoch("s") == second)).sort("ts_event", "seq")
    (update,) = (each for each in updates if (each.symbol, each.second) == ("IBM", second))
    assert update.price == float(expected["price"][-1])
    assert update.phase == 1


def test_prints_out_of_hours_have_a_phase_and_no_volume(updates: list[Update]) -> None:
    phases = {(update.phase, update.day_volume is None) for update in updates}
    assert phases == {(0, True), (1, False), (2, True)}


def test_minutes_of_the_chart_sum_to_the_day_s_volume(tape: Path, regular: pl.DataFrame) -> None:
    history = History(World(PlayedTape(tape), Faults(seed=7)))
    start, end = int(_OPEN.timestamp()), int(_CLOSE.timestamp())
    for symbol, expected in regular.group_by("symbol").agg(pl.col("size").sum()).iter_rows():
        assert int(history.minutes(symbol, start, end, now=end).volumes.sum()) == expected


def test_minute_of_the_chart_has_the_prints_volume_and_close(tape: Path, regular: pl.DataFrame) -> None:
    history, start = History(World(PlayedTape(tape), Faults(seed=7))), _OPEN + timedelta(minutes=33)
    bars = history.minutes("SPY", int(start.timestamp()), int(start.timestamp()) + 60, now=int(_CLOSE.timestamp()))
    inside = pl.col("ts_event").is_between(start, start + timedelta(minutes=1), closed="left")
    prints = regular.filter((pl.col("symbol") == "SPY") & inside).sort("ts_event", "seq")
    assert bars.volumes.tolist() == [prints["size"].sum()]
    assert bars.closes.tolist() == [int(prints["price"][-1] * 10_000)]


def test_tape_shifted_to_now_plays_on_a_market_that_never_closes(tape: Path) -> None:
    played, shifted = PlayedTape(tape), PlayedTape(tape, shift_s=60)
    assert shifted.first_second == played.first_second + 60
    assert shifted.calendar("SPY").name == "24/7"
    assert played.calendar("SPY").name == "XNYS"
