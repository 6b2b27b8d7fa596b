"""What must be true after recovery: the same certified bars, byte for byte, as the accepted trades give without any fault, and
each of them still says where its ticks are."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.running_stack import RunningStack, different_cells, running_stack
from stock_platform_tests.tapes import cut

CUT = {"start": "2013-10-07T13:29:00+00:00", "end": "2013-10-07T13:47:00+00:00"}


@pytest.fixture(scope="module")
def tape(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen minutes around the open."""
    return cut(recorded_tape, tmp_path_factory.mktemp("tape"), **CUT)


@pytest.fixture(scope="module")
def undisturbed(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The same tape without a fault, played fast."""
    with running_stack(tmp_path_factory.mktemp("calm"), "--feed", "tape", "--tape", str(tape), "--speed", "600", "--wait") as stack:
        yield stack


def test_kill_of_feed_run_task_manager_and_broker_in_mid_tape_loses_no_bar(
    undisturbed: RunningStack, tape: Path, tmp_path: Path
) -> None:
    expected = undisturbed.certified()
    assert expected.height == 4 * 17
    undisturbed.command("down")

    with running_stack(tmp_path / "faulty", "--feed", "tape", "--tape", str(tape), "--speed", "20") as stack:
        _reach(stack, "13:32:00")
        stack.kill_feed_run()
        _reach(stack, "13:35:00")
        stack.kill_service("flink-taskmanager")
        _reach(stack, "13:38:00")
        stack.kill_service("kafka")
        done = stack.command("up", "--feed", "tape", "--tape", str(tape), "--speed", "20", "--wait", within_s=600)

        assert done.returncode == 0, done.stderr
        assert different_cells(stack.certified(), expected) == []
        assert different_cells(stack.certified_places(), stack.topic_places()) == []
        assert stack.value("SELECT count(*) FROM quality.quarantine") == 0


def _reach(stack: RunningStack, time_of_day: str) -> None:
    """Wait until the feed has published past an event time."""
    goal = datetime.fromisoformat(f"2013-10-07T{time_of_day}+00:00")

    def is_there() -> bool:
        seen = stack.value("SELECT max(ts_event_last) FROM ops.feed_line") if _has_line(stack) else None
        return seen is not None and seen >= goal

    assert wait_until(is_there, SystemClock(), within=timedelta(seconds=240), every=timedelta(milliseconds=500))


def _has_line(stack: RunningStack) -> bool:
    return stack.value("SELECT count(*) FROM ops.feed_line") > 0
