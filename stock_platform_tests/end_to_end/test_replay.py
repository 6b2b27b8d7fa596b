"""A recorded piece through the platform, archived, and the archive played again elsewhere: the same bars come out."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.feed.archive_file import archive_path, pieces, regular_bars
from stock_platform_tests.running_stack import RunningStack, running_stack
from stock_platform_tests.tapes import cut

SESSION = date(2013, 10, 7)
BAR = "symbol, ts_start, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, is_continuous, verdict"
_BARS = f"SELECT {BAR} FROM market.bar_1m ORDER BY symbol, ts_start"
_CHECKS = "SELECT count(*) FROM public.asset_check_executions WHERE asset_key LIKE '%archive%' AND execution_status = 'SUCCEEDED'"


@pytest.fixture(scope="module")
def first(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, Path]:
    """Certified bars of eight minutes around the open, and the archive that the stack made of them by itself."""
    folder = tmp_path_factory.mktemp("first")
    tape = cut(recorded_tape, folder, start="2013-10-07T13:28:00+00:00", end="2013-10-07T13:36:00+00:00")
    with running_stack(folder / "data", "--feed", "tape", "--tape", str(tape), "--speed", "60", "--wait") as stack:
        path = archive_path(stack.settings.home, SESSION)
        within = timedelta(seconds=150)
        assert wait_until(path.exists, SystemClock(), within=within), "the sensor of certified sessions has asked for no archive"
        assert wait_until(
            lambda: _passed_checks(stack) == 2, SystemClock(), within=timedelta(seconds=60), every=timedelta(seconds=1)
        )
        bars = stack.frame(_BARS)
    return bars, path


def _passed_checks(stack: RunningStack) -> int:
    from stock_platform.adapters.postgres import connect

    with connect(stack.settings.dsn("dagster", "dagster")) as connection:
        row = connection.execute(_CHECKS).fetchone()  # type: ignore[arg-type]
    return row[0] if row else 0


def test_archive_holds_every_accepted_tick_of_the_session(first: tuple[pl.DataFrame, Path]) -> None:
    bars, path = first
    assert bars.height == 4 * 6
    found = regular_bars(path)
    assert found["tick_count"].sum() == bars["tick_count"].sum()
    ticks = pl.concat(list(pieces(path)))
    assert ticks.select(pl.struct("symbol", "day_volume", "ts_event", "price").is_unique().all()).item()
    assert set(ticks["session_phase"]) == {"pre", "regular"}


def test_archive_played_again_elsewhere_gives_the_same_bars(first: tuple[pl.DataFrame, Path], tmp_path: Path) -> None:
    bars, path = first
    with running_stack(tmp_path / "data", "--tape", str(path), "--speed", "60", verb="replay") as stack:
        again = stack.frame(_BARS)
        wrong = stack.command("replay", "--session", "2013-10-08")
    assert again.equals(bars)
    assert wrong.returncode == 2
    assert "Session 2013-10-08 is not archived" in wrong.stderr
