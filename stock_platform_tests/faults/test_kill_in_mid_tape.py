"""What must be true after recovery: the same certified bars as the accepted trades give without any fault, each of them still says
where its ticks are, and a recomputation by the platform itself finds no difference."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.running_stack import RunningStack, different_cells, running_stack
from stock_platform_tests.tapes import cut, expected_bars, refused_rows

CUT = {"start": "2013-10-07T13:29:00+00:00", "end": "2013-10-07T13:47:00+00:00"}


@pytest.fixture(scope="module")
def tape(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen minutes around the open."""
    return cut(recorded_tape, tmp_path_factory.mktemp("tape"), **CUT)


def test_kill_of_feed_run_task_manager_and_broker_in_mid_tape_loses_no_bar(tape: Path, tmp_path: Path) -> None:
    with running_stack(tmp_path / "faulty", "--feed", "tape", "--tape", str(tape), "--speed", "20") as stack:
        _reach(stack, "13:32:00")
        stack.kill_feed_run()
        _reach(stack, "13:35:00")
        stack.kill_service("flink-taskmanager")
        _reach(stack, "13:38:00")
        stack.kill_service("kafka")
        done = stack.command("up", "--feed", "tape", "--tape", str(tape), "--speed", "20", "--wait", within_s=600)

        assert done.returncode == 0, done.stderr
        expected = expected_bars(tape, refused_rows(stack.settings.kafka_bootstrap))
        assert expected.height == 4 * 17
        found = stack.certified()
        as_found = [pl.col(name).cast(found.schema[name]) for name in expected.columns]
        assert different_cells(found.select(expected.columns), expected.select(as_found)) == []
        assert set(found["verdict"]) == {"passed"}
        assert different_cells(stack.certified_places(), stack.topic_places()) == []
        assert stack.value("SELECT count(*) FROM quality.quarantine") == 0
        anew = stack.command("restate", "--session", "2013-10-07", "--compare-only")
        assert "staging   0 added, 0 removed, 0 changed" in anew.stdout, anew.stderr


def _reach(stack: RunningStack, time_of_day: str) -> None:
    """Wait until the feed has published past an event time."""
    goal = datetime.fromisoformat(f"2013-10-07T{time_of_day}+00:00")

    def is_there() -> bool:
        seen = stack.value("SELECT max(ts_event_last) FROM ops.feed_line") if _has_line(stack) else None
        return seen is not None and seen >= goal

    assert wait_until(is_there, SystemClock(), within=timedelta(seconds=240), every=timedelta(milliseconds=500))


def _has_line(stack: RunningStack) -> bool:
    return stack.value("SELECT count(*) FROM ops.feed_line") > 0
