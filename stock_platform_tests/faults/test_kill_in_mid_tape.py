"""What must be true after recovery: the same certified bars as the accepted trades give without any fault, each of them still says
where its ticks are, and a recomputation by the platform itself finds no difference. Nor does one of bars chosen at random, after
every service has been killed once more."""

import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.recomputed import unequal_fields
from stock_platform_tests.running_stack import RunningStack, different_cells
from stock_platform_tests.tapes import expected_bars, refused_rows

MINUTES = 54
VERIFIED_COUNT = 200


def test_kill_of_feed_run_task_manager_and_broker_in_mid_tape_loses_no_bar(stack: RunningStack, tape: Path) -> None:
    expected = expected_bars(tape, refused_rows(stack.settings.kafka_bootstrap))
    assert expected.height == 4 * MINUTES
    found = stack.certified()
    as_found = [pl.col(name).cast(found.schema[name]) for name in expected.columns]
    assert different_cells(found.select(expected.columns), expected.select(as_found)) == []
    assert set(found["verdict"]) == {"passed"}
    assert different_cells(stack.certified_places(), stack.topic_places()) == []
    assert stack.value("SELECT count(*) FROM quality.quarantine") == 0
    anew = stack.command("restate", "--session", "2013-10-07", "--compare-only")
    assert "staging   0 added, 0 removed, 0 changed" in anew.stdout, anew.stderr


def test_kill_of_every_service_at_once_leaves_bars_whose_passports_are_true(stack: RunningStack) -> None:
    before = stack.certified()
    kill_every_service(stack)
    assert stack.certified().equals(before)
    bars = stack.frame("SELECT symbol, ts_start FROM market.bar_1m ORDER BY symbol, ts_start").rows()
    assert unequal_fields(stack, Random(20131007).sample(bars, VERIFIED_COUNT), late_limit=None) == []


def kill_every_service(stack: RunningStack) -> None:
    """kill -9 of all of them, and the end of the wait until the process manager has brought each back to health."""
    before = {name: process.pid for name, process in stack.processes().items() if process.pid}
    assert {"kafka", "postgres", "flink-jobmanager", "flink-taskmanager", "dagster-daemon", "api"} <= before.keys()
    for pid in before.values():
        with suppress(ProcessLookupError):  # it may have gone with another
            os.kill(pid, signal.SIGKILL)

    def is_all_new_and_healthy() -> bool:
        now = stack.processes()
        return all(now[name].pid not in (0, pid) for name, pid in before.items()) and stack.status()["healthy"]

    assert wait_until(is_all_new_and_healthy, SystemClock(), within=timedelta(seconds=240), every=timedelta(seconds=2))
