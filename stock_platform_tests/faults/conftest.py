"""The stack that the kills on a tape share: those in mid-tape come first, those in a restatement find what these have left."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.running_stack import RunningStack, running_stack
from stock_platform_tests.tapes import cut


@pytest.fixture(scope="package")
def tape(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The minute before the open and 54 after it."""
    return cut(recorded_tape, tmp_path_factory.mktemp("tape"), start="2013-10-07T13:29:00+00:00", end="2013-10-07T14:24:00+00:00")


@pytest.fixture(scope="package")
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


def _reach(stack: RunningStack, time_of_day: str) -> None:
    """Wait until the feed has published past an event time."""
    goal = datetime.fromisoformat(f"2013-10-07T{time_of_day}+00:00")

    def is_there() -> bool:
        seen = stack.value("SELECT max(ts_event_last) FROM ops.feed_line") if _has_line(stack) else None
        return seen is not None and seen >= goal

    assert wait_until(is_there, SystemClock(), within=timedelta(seconds=240), every=timedelta(milliseconds=500))


def _has_line(stack: RunningStack) -> bool:
    return stack.value("SELECT count(*) FROM ops.feed_line") > 0
