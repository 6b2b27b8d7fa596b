"""What must be true when the run of a restatement is killed: no bar has changed, nothing is written down of it, Dagster knows that
it failed, and the next restatement needs no help. The kills come first, one after the other, then that one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.dagster_api import finished, launch
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.postgres import connect
from stock_platform.contracts.runs import RESTATE_JOB, RESTATE_STEP
from stock_platform.market.restatement import JOB as FLINK_JOB
from stock_platform_tests.running_stack import RunningStack
from stock_platform_tests.tapes import SESSION, different, expected_bars, spoil

GATE_LOCK, RESTATEMENT_LOCK = 7_426_002, 7_426_012
"""As gate/promote.py and market/shadow.py have them."""
TABLES = (
    "market.bar_1m",
    "market.bar_1m_revision",
    "staging.bar_1m",
    "quality.restatement",
    "aggregates.bar_5m",
    "aggregates.bar_1d",
)
CLOCK = SystemClock()


@dataclass(frozen=True)
class Spoilt:
    """A tape with a few wrong trades, and the bars that it makes different, by symbol and time."""

    path: Path
    bars: list[tuple[str, object]]


@pytest.fixture(scope="module")
def spoilt(tape: Path) -> Spoilt:
    """Four to six bars of SPY."""
    path, refused = spoil(tape, tape.parent)
    nothing = pl.DataFrame({"row": []}, schema={"row": pl.UInt32})
    found = different(expected_bars(tape, nothing), expected_bars(path, refused))
    assert 4 <= len(found) <= 6
    return Spoilt(path, found)


@pytest.fixture(scope="module", autouse=True)
def newest_before(stack: RunningStack) -> int:
    """Id of the newest restatement before these tests."""
    return stack.value("SELECT coalesce(max(restatement_id), 0) FROM ops.restatement")


def test_kill_while_flink_computes_changes_no_bar(stack: RunningStack, spoilt: Spoilt) -> None:
    before, run_id = rows(stack), begin(stack, spoilt)
    until(lambda: FlinkRest(stack.settings.flink_address).running_job(FLINK_JOB) is not None)
    stack.kill_run(run_id)
    assert_nothing_happened(stack, run_id, before)


def test_kill_in_the_middle_of_the_promotion_changes_no_bar(stack: RunningStack, spoilt: Spoilt) -> None:
    """Staging has taken the bars over by then, in the same transaction; market waits for one that the test holds."""
    before = rows(stack)
    with connect(stack.settings.dsn("admin")) as holder:
        holder.execute("SELECT FROM market.bar_1m WHERE symbol = %s AND ts_start = %s FOR UPDATE", spoilt.bars[-1])
        run_id = begin(stack, spoilt)
        until(lambda: promotion_waits(stack))
        stack.kill_run(run_id)
    assert_nothing_happened(stack, run_id, before)


def test_next_restatement_needs_no_help_and_gives_the_right_difference(
    stack: RunningStack, spoilt: Spoilt, newest_before: int
) -> None:
    before = stack.certified()
    told = stack.command("restate", "--session", SESSION, "--tape", str(spoilt.path))
    assert told.returncode == 0, told.stderr
    assert f"certified 0 added, 0 removed, {len(spoilt.bars)} changed" in told.stdout
    assert stack.frame("SELECT symbol, ts_start FROM quality.restatement ORDER BY symbol, ts_start").rows() == spoilt.bars
    assert different(stack.certified(), before) == spoilt.bars
    of_these = f"dagster_run_id IS NOT NULL AND restatement_id > {newest_before}"
    # The one that was killed while Flink computed; the one whose bars had been computed; the one that was not killed.
    states = stack.frame(f"SELECT state, is_promoted FROM ops.restatement WHERE {of_these} ORDER BY restatement_id").rows()
    assert states == [("failed", False), ("failed", False), ("finished", True)]
    assert FlinkRest(stack.settings.flink_address).running_job(FLINK_JOB) is None
    assert stack.status()["healthy"]


def begin(stack: RunningStack, spoilt: Spoilt) -> str:
    """Ask Dagster for the restatement; its run."""
    config = {"ops": {RESTATE_STEP: {"config": {"symbols": [], "tape": str(spoilt.path)}}}}
    return launch(stack.settings.dagster_address, RESTATE_JOB, config=config, tags={"dagster/partition": SESSION})


def rows(stack: RunningStack) -> list[pl.DataFrame]:
    """Every row of what a restatement writes, with the transaction that wrote it."""
    return [stack.frame(f"SELECT row::text, row.xmin::text FROM {table} AS row ORDER BY 1") for table in TABLES]


def promotion_waits(stack: RunningStack) -> bool:
    """Whether somebody waits for a row to write a certified bar."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO market.bar_1m AS old%'"
    )
    return bool(stack.frame(query, role="admin").item())


def assert_nothing_happened(stack: RunningStack, run_id: str, before: list[pl.DataFrame]) -> None:
    """The run has failed, its locks are free, and every row is as it was."""
    assert finished(stack.settings.dagster_address, run_id, clock=CLOCK, within=timedelta(seconds=120)).status == "FAILURE"
    locks = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid IN ({GATE_LOCK}, {RESTATEMENT_LOCK})"
    until(lambda: stack.frame(locks, role="admin").item() == 0 and not promotion_waits(stack))
    for table, old, new in zip(TABLES, before, rows(stack), strict=True):
        assert new.equals(old), table
    assert stack.value(f"SELECT count(*) FROM quality.restatement WHERE dagster_run_id = '{run_id}'") == 0
    assert stack.value(f"SELECT count(*) FROM ops.restatement WHERE dagster_run_id = '{run_id}' AND is_promoted") == 0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes within three minutes."""
    assert wait_until(condition, CLOCK, within=timedelta(seconds=180), every=timedelta(milliseconds=100))
