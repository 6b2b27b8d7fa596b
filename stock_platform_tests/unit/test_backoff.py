"""How long feed lines that failed are waited with, over runs as Dagster records them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.defs.backoff import spread
from stock_platform.defs.feed_supervisor import backing_off

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILED, ENDED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def record(status: dg.DagsterRunStatus, *, ago: timedelta, lasted_s: float = 10) -> dg.RunRecord:
    """A run that ended so long ago."""
    ended = (NOW - ago).timestamp()
    run = dg.DagsterRun(job_name="feed_line", status=status)
    return dg.RunRecord(1, run, NOW - ago, NOW - ago, start_time=ended - lasted_s, end_time=ended)


def failures(count: int, *, ago: timedelta) -> list[dg.RunRecord]:
    return [record(FAILED, ago=ago + number * MINUTE) for number in range(count)]


def test_same_name_and_count_wait_equally_long_every_time() -> None:
    assert spread(MINUTE, "line-0a", failures=3) == spread(MINUTE, "line-0a", failures=3)


def test_lines_that_failed_together_come_back_apart_within_a_quarter() -> None:
    pauses = [spread(MINUTE, f"line-{number}a", failures=3) for number in range(100)]
    assert min(pauses) >= 0.75 * MINUTE
    assert max(pauses) <= 1.25 * MINUTE
    assert len(set(pauses)) == 100
    assert min(pauses) < 0.8 * MINUTE, "both ends are used"
    assert max(pauses) > 1.2 * MINUTE


def test_two_lines_that_are_close_once_are_not_the_next_time() -> None:
    orders = {spread(MINUTE, "line-0a", failures=count) < spread(MINUTE, "line-0b", failures=count) for count in range(2, 12)}
    assert orders == {True, False}


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="never started"),
        pytest.param(failures(1, ago=timedelta(0)), id="one failure"),
        pytest.param([record(ENDED, ago=timedelta(0)), *failures(5, ago=MINUTE)], id="the newest run ended well"),
        pytest.param([record(FAILED, ago=timedelta(0), lasted_s=60), *failures(5, ago=MINUTE)], id="the newest worked a minute"),
        pytest.param(failures(2, ago=timedelta(seconds=25)), id="two failures, 20 s and a quarter ago"),
        pytest.param(failures(6, ago=timedelta(seconds=150)), id="six failures, the longest pause and a quarter ago"),
    ],
)
def test_line_gets_a_run_at_once(records: list[dg.RunRecord]) -> None:
    assert backing_off("line-0a", records, NOW) is None


@pytest.mark.parametrize(
    ("count", "within_s"),
    [
        pytest.param(2, 20 * 0.75, id="two failures: 20 s"),
        pytest.param(3, 40 * 0.75, id="three failures: 40 s"),
        pytest.param(4, 80 * 0.75, id="four failures: 80 s"),
        pytest.param(6, 120 * 0.75, id="six failures: two minutes, not 320 s"),
    ],
)
def test_line_whose_runs_fail_waits_longer_each_time(count: int, within_s: float) -> None:
    reason = backing_off("line-0a", failures(count, ago=timedelta(seconds=within_s - 1)), NOW)
    assert reason is not None
    assert reason.startswith(f"Line line-0a: the last {count} runs failed; the next try comes in ")
    assert backing_off("line-0a", failures(count, ago=timedelta(seconds=within_s / 0.75 * 1.25)), NOW) is None
