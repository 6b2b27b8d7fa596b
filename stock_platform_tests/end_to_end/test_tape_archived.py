"""The half hour as the stack archived it by itself, and the archive played again elsewhere: the same bars come out."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import connect
from stock_platform.feed.archive_file import archive_path, pieces, regular_bars
from stock_platform_tests.running_stack import RunningStack, running_stack

SESSION = date(2013, 10, 7)
BAR = "symbol, ts_start, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, is_continuous, verdict"
_BARS = f"SELECT {BAR} FROM market.bar_1m ORDER BY symbol, ts_start"
_CHECKS = "SELECT count(*) FROM public.asset_check_executions WHERE asset_key LIKE '%archive%' AND execution_status = 'SUCCEEDED'"


@pytest.fixture(scope="module")
def archive(stack: RunningStack) -> Path:
    """What the sensor of certified sessions has asked for, and its checks have passed."""
    path = archive_path(stack.settings.home, SESSION)
    assert wait_until(path.exists, SystemClock(), within=timedelta(seconds=150)), "no archive was asked for"
    within, every = timedelta(seconds=60), timedelta(seconds=1)
    assert wait_until(lambda: _passed_checks(stack) == 2, SystemClock(), within=within, every=every)
    return path


def _passed_checks(stack: RunningStack) -> int:
    with connect(stack.settings.dsn("dagster", "dagster")) as connection:
        row = connection.execute(_CHECKS).fetchone()
    return row[0] if row else 0


def test_archive_holds_every_accepted_tick_of_the_session(stack: RunningStack, archive: Path) -> None:
    bars = stack.frame(_BARS)
    assert regular_bars(archive)["tick_count"].sum() == bars["tick_count"].sum()
    ticks = pl.concat(list(pieces(archive)))
    assert ticks.select(pl.struct("symbol", "day_volume", "ts_event", "price").is_unique().all()).item()
    assert set(ticks["session_phase"]) == {"pre", "regular"}


def test_archive_played_again_elsewhere_gives_the_same_bars(stack: RunningStack, archive: Path, tmp_path: Path) -> None:
    with running_stack(tmp_path / "data", "--tape", str(archive), "--speed", "60", verb="replay") as other:
        again = other.frame(_BARS)
        wrong = other.command("replay", "--session", "2013-10-08")
    assert again.height == 4 * 25
    assert again.equals(stack.frame(_BARS))
    assert wrong.returncode == 2
    assert "Session 2013-10-08 is not archived" in wrong.stderr
