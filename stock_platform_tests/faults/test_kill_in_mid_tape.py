"""What must be true after recovery: the same certified bars as the accepted trades give without any fault, each of them still says
where its ticks are, and a recomputation by the platform itself finds no difference. Nor does one of bars chosen at random, after
every service has been killed once more."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.recomputed import unequal_fields
from stock_platform_tests.running_stack import RunningStack, different_cells, running_stack
from stock_platform_tests.tapes import cut, expected_bars, refused_rows

CUT = {"start": "2013-10-07T13:29:00+00:00", "end": "2013-10-07T14:24:00+00:00"}
MINUTES = 54
VERIFIED_COUNT = 200


@pytest.fixture(scope="module")
def tape(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The minute before the open and 54 after it."""
    return cut(recorded_tape, tmp_path_factory.mktemp("tape"), **CUT)


@pytest.fixture(scope="module")
def stack(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """After the tape, in the middle of which a feed run, the task manager and the broker were killed."""
    words = ("--feed", "tape", "--tape", str(tape), "--speed", "40")
    with running_stack(tmp_path_factory.mktemp("faulty"), *words) as running:
        _reach(running, "13:32:00")
        running.kill_feed_run()
        _reach(running, "13:38:00")
        running.kill_service("flink-taskmanager")
        _reach(running, "13:44:00")
        running.kill_service("kafka")
        done = running.command("up", *words, "--wait", within_s=600)
        assert done.returncode == 0, done.stderr
        yield running


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


def _reach(stack: RunningStack, time_of_day: str) -> None:
    """Wait until the feed has published past an event time."""
    goal = datetime.fromisoformat(f"2013-10-07T{time_of_day}+00:00")

    def is_there() -> bool:
        seen = stack.value("SELECT max(ts_event_last) FROM ops.feed_line") if _has_line(stack) else None
        return seen is not None and seen >= goal

    assert wait_until(is_there, SystemClock(), within=timedelta(seconds=240), every=timedelta(milliseconds=500))


def _has_line(stack: RunningStack) -> bool:
    return stack.value("SELECT count(*) FROM ops.feed_line") > 0
