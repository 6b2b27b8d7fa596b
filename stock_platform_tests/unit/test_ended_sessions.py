"""When a session that is over gets its run, and what a person reads where it does not; over runs as Dagster records them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.defs.ended import Asked, Due, reason_to_wait, requested

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILED, WELL, CANCELED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED
RUN = "ab12cd34-0000-4000-8000-000000000000"


def record(status: dg.DagsterRunStatus, *, ago: timedelta | None = None) -> dg.RunRecord:
    """A run that ended so long ago; None: it has not ended."""
    run = dg.DagsterRun(job_name="archive_session", run_id=RUN, status=status)
    ended = None if ago is None else (NOW - ago).timestamp()
    return dg.RunRecord(1, run, NOW - 90 * MINUTE, NOW, start_time=None, end_time=ended)


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param([], id="no run so far"),
        pytest.param([record(FAILED, ago=30 * MINUTE)], id="one failed half an hour ago"),
        pytest.param([record(FAILED, ago=30 * MINUTE), record(FAILED, ago=70 * MINUTE)], id="two failed"),
        pytest.param(
            [record(FAILED, ago=30 * MINUTE), record(WELL, ago=70 * MINUTE), record(FAILED, ago=80 * MINUTE)],
            id="two failed, but not in a row",
        ),
    ],
)
def test_session_gets_a_run(runs: list[dg.RunRecord]) -> None:
    assert reason_to_wait(runs, NOW) is None


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        pytest.param([record(dg.DagsterRunStatus.STARTING)], "run ab12cd34 is under way.", id="on its way"),
        pytest.param([record(dg.DagsterRunStatus.CANCELING)], "run ab12cd34 is under way.", id="not gone yet"),
        pytest.param(
            [record(dg.DagsterRunStatus.STARTED), *[record(FAILED, ago=40 * MINUTE)] * 2],
            "run ab12cd34 is under way.",
            id="the third try works",
        ),
        pytest.param(
            [record(FAILED, ago=5 * MINUTE)], "run ab12cd34 failed; the next try comes at 22:25:00Z.", id="failed five minutes ago"
        ),
        pytest.param(
            [record(CANCELED, ago=5 * MINUTE)], "run ab12cd34 failed; the next try comes at 22:25:00Z.", id="canceled by a person"
        ),
        pytest.param(
            [record(WELL, ago=29 * MINUTE)],
            "run ab12cd34 left nothing behind; the next try comes at 22:01:00Z.",
            id="ended well, without the partition",
        ),
        pytest.param(
            [record(FAILED, ago=timedelta(days=2))] * 3,
            "given up, run ab12cd34 is the third in a row to fail. Mend its cause, then start the job archive_session by hand.",
            id="three failed in a row, long ago",
        ),
    ],
)
def test_session_waits_and_says_why(runs: list[dg.RunRecord], reason: str) -> None:
    assert reason_to_wait(runs, NOW) == reason


@pytest.mark.parametrize(
    ("due", "said"),
    [
        pytest.param(Due(None), "The feed has not said yet how far it is.", id="nothing is known"),
        pytest.param(Due(NOW), "No session that was over at 2026-11-20 22:00:00Z is still to be archived.", id="all is done"),
        pytest.param(Due(NOW, (), ("Session x: a.", "Session y: b.")), "Session x: a. Session y: b.", id="two wait"),
        pytest.param(
            Due(NOW, (), ("A.", "B.", "C.", "D.", "E.")), "A. B. C. 2 further sessions to be archived wait, too.", id="many wait"
        ),
    ],
)
def test_nothing_is_asked_for_and_the_reason_is_said(due: Due, said: str) -> None:
    done = requested(due, "archived")
    assert not done.run_requests
    assert done.skip_reason is not None
    assert done.skip_reason.skip_message == said


def test_each_session_is_asked_for_under_the_name_of_its_attempt() -> None:
    due = Due(NOW, (Asked("2026-11-19", "run-1"), Asked("2026-11-20")), ("Session 2026-11-18: run ab is under way.",))
    asked = [(each.partition_key, each.run_key) for each in requested(due, "archived").run_requests or ()]
    assert asked == [("2026-11-19", "2026-11-19 after run-1"), ("2026-11-20", "2026-11-20 first")]
