"""The supervisor of the stream job over a real database and Dagster's own run records; Flink's answers are scripted.

Without Flink itself: what it does with a submission is tested in test_flink_operations."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.flink_script import Plan
from stock_platform.adapters.flink_state import JobRecord, keep_record
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.defs.stream_job import flink_job, flink_supervisor
from stock_platform.defs.world import World
from stock_platform.stack import layout
from stock_platform.stack.status import data_status

_PLAN = Plan("3f2a", "2.3.0", 1)
_JOB = "0123456789abcdef0123456789abcdef"


def epoch_ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def running(*, since: timedelta = timedelta(hours=1)) -> dict[str, Any]:
    """Flink's answers about a job that flows."""
    return {
        "/jobs/overview": {"jobs": [{"jid": _JOB, "name": "ticks_to_bars", "state": "RUNNING"}]},
        f"/jobs/{_JOB}": {
            "name": "ticks_to_bars",
            "state": "RUNNING",
            "vertices": [{"status": "RUNNING", "parallelism": 2}],
            "start-time": epoch_ms(SystemClock().now() - since),
            "timestamps": {"RESTARTING": 0},
        },
        f"/jobs/{_JOB}/metrics": [{"id": "numRestarts", "value": "3"}],
    }


def checkpoints(*, age: timedelta) -> dict[str, Any]:
    """Flink's answer about a checkpoint that took 85 ms."""
    began = epoch_ms(SystemClock().now() - age) - 85
    newest = {"external_path": "/x/chk-7", "state_size": 1_048_576, "trigger_timestamp": began, "end_to_end_duration": 85}
    return {f"/jobs/{_JOB}/checkpoints": {"latest": {"completed": newest}}}


GONE: dict[str, Any] = {"/jobs/overview": {"jobs": []}, "/overview": {"slots-total": 2}}


@dataclass
class Desk:
    """A supervisor and what Flink answers it."""

    world: World
    instance: dg.DagsterInstance
    answers: dict[str, Any] = field(default_factory=dict)
    cursor: str | None = None
    events: list[Any] = field(default_factory=list)

    def look(self) -> str | None:
        """Why no run is asked for; None: one is."""
        context = dg.build_sensor_context(instance=self.instance, resources={"world": self.world}, cursor=self.cursor)
        result = flink_supervisor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor, self.events = result.cursor, list(result.asset_events)
        assert bool(result.run_requests) == (result.skip_reason is None)
        return None if result.skip_reason is None else str(result.skip_reason.skip_message)

    def row(self, columns: str) -> tuple[Any, ...] | None:
        with self.world.database("gate_owner") as connection:
            return connection.execute(f"SELECT {columns} FROM ops.flink_job").fetchone()  # type: ignore[arg-type]


@pytest.fixture
def desk(database: Settings, tmp_path: Path) -> Iterator[Desk]:
    """No job, no state, nothing reported yet."""
    answers: dict[str, Any] = {}

    class Flink(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.split("?")[0])
            self.send_response(200 if answer is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Flink)
    Thread(target=server.serve_forever, daemon=True).start()
    settings = database.model_copy(update={"data_dir": tmp_path, "flink_port": server.server_port, "kafka_port": 1})
    layout.flink(settings.home).mkdir(parents=True)
    layout.job_plan(settings.home).write_text(json.dumps(asdict(_PLAN)))
    with connect(database.dsn("admin")) as connection:
        connection.execute("TRUNCATE ops.flink_job, staging.torn_bar")
    with dg.DagsterInstance.ephemeral() as instance:
        yield Desk(World(settings, SystemClock()), instance, answers)
    server.shutdown()


def test_running_job_is_reported_with_checkpoint_lag_and_origin(desk: Desk) -> None:
    keep_record(layout.flink(desk.world.settings.home), JobRecord(_JOB, _PLAN, "/x/chk-1", SystemClock().now()))
    desk.answers |= running() | checkpoints(age=timedelta(seconds=3))
    reason = desk.look()
    assert reason and "RUNNING, 3 restarts" in reason
    columns = "state, restart_count, checkpoint_bytes, checkpoint_ms, lag_count, parallelism, restored_from, plan, last_error"
    assert desk.row(columns) == ("RUNNING", 3, 1_048_576, 85, None, 2, "/x/chk-1", _PLAN.fingerprint, None)
    status = data_status(desk.world.settings, SystemClock().now())
    assert status.stream_job and "checkpoint of 1.0 MiB in 85 ms" in status.stream_job
    assert status.torn_bar_count == 0


def test_check_is_evaluated_when_its_answer_changes_and_not_at_every_look(desk: Desk) -> None:
    desk.answers |= running() | checkpoints(age=timedelta(seconds=3))
    desk.look()
    assert {event.check_name: event.passed for event in desk.events} == {"checkpoint_fresh": True, "no_torn_bar": True}
    desk.look()
    assert desk.events == []
    desk.answers |= checkpoints(age=timedelta(seconds=75))
    desk.look()
    assert [(event.check_name, event.passed) for event in desk.events] == [("checkpoint_fresh", False)]


def test_job_that_has_just_started_after_a_long_pause_is_given_time_for_its_first_checkpoint(desk: Desk) -> None:
    desk.answers |= running() | checkpoints(age=timedelta(hours=1))
    desk.look()
    assert {event.check_name: event.passed for event in desk.events}["checkpoint_fresh"] is False
    desk.answers |= running(since=timedelta(seconds=5)) | {f"/jobs/{_JOB}/checkpoints": {"latest": {"completed": None}}}
    desk.look()
    assert [(event.check_name, event.passed) for event in desk.events] == [("checkpoint_fresh", True)]


def test_job_that_is_gone_is_asked_for(desk: Desk) -> None:
    desk.answers |= GONE
    assert desk.look() is None


def test_state_of_another_plan_is_said_and_no_run_is_asked_for(desk: Desk) -> None:
    folder = layout.flink(desk.world.settings.home)
    keep_record(folder, JobRecord("old", Plan("other", "2.3.0", 1), None, datetime(2026, 11, 20, tzinfo=UTC)))
    (folder / "checkpoints/old/chk-1").mkdir(parents=True)
    (folder / "checkpoints/old/chk-1/_metadata").touch()
    desk.answers |= GONE

    reason = desk.look()

    assert reason and "the SQL of the job (other → 3f2a)" in reason
    assert "stock-platform up --rebuild-bars" in reason
    assert desk.row("state, last_error") == ("refused", reason)
    assert {event.check_name: event.passed for event in desk.events}["checkpoint_fresh"] is False
    status = data_status(desk.world.settings, SystemClock().now())
    assert status.stream_job == f"refused: {reason}"


def test_failed_resubmissions_are_waited_with(desk: Desk) -> None:
    desk.answers |= GONE
    for _ in range(2):
        run = desk.instance.create_run_for_job(flink_job, tags={"stock_platform/flink_job": "ticks_to_bars"})
        assert desk.look() == "A resubmission is under way."
        desk.instance.report_run_failed(run)
    reason = desk.look()
    assert reason and "2 resubmissions failed; the next comes" in reason
