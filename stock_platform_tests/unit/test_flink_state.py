"""Which state the stream job starts from, which ones it refuses, and which ones are removed."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stock_platform.adapters.flink_script import STREAM, Plan, plan_of
from stock_platform.adapters.flink_state import JobRecord, keep_record, prune, records, states
from stock_platform.config import ROOT
from stock_platform.errors.stream import StateLost, StateOfOtherPlan
from stock_platform.stack.stream_job import JobFiles, rebuilt_from, usable_states
from stock_platform.stack.stream_report import Seen

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = Plan("3f2a", "2.3.0", 1)
MINUTE = timedelta(minutes=1)


def write_state(folder: Path, job: str, name: str, *, minute: int, files: tuple[str, ...] = ("_metadata",)) -> Path:
    """A checkpoint or savepoint that was complete so many minutes after noon."""
    path = folder / ("checkpoints" if name.startswith("chk") else "savepoints") / job / name
    path.mkdir(parents=True)
    for file in files:
        (path / file).touch()
        os.utime(path / file, ((NOON + minute * MINUTE).timestamp(),) * 2)
    return path


def write_record(folder: Path, job: str, *, minute: int, restored_from: str | None = None, plan: Plan = PLAN) -> None:
    """A job submitted so many minutes after noon."""
    keep_record(folder, JobRecord(job, plan, restored_from, NOON + minute * MINUTE))


def chosen(folder: Path, *, plan: Plan = PLAN, seen: Seen | None = None) -> list[Path]:
    """What the next job would try, in order."""
    files = JobFiles(folder, Path("jar"), Path("script"), plan)
    return [state.path for state in usable_states(files, states(folder), records(folder), seen=seen)]


def test_newest_state_is_of_the_newest_job_not_of_the_highest_number(tmp_path: Path) -> None:
    old = write_state(tmp_path, "first", "chk-99", minute=1)
    newest = write_state(tmp_path, "second", "chk-3", minute=9)
    older = write_state(tmp_path, "second", "chk-2", minute=8)
    assert [state.path for state in states(tmp_path)] == [newest, older, old]


def test_savepoint_is_newer_than_the_checkpoint_of_the_same_instant(tmp_path: Path) -> None:
    write_state(tmp_path, "job", "chk-7", minute=5)
    savepoint = write_state(tmp_path, "job", "savepoint-abcdef-0123", minute=5)
    assert states(tmp_path)[0].path == savepoint


def test_state_without_metadata_was_not_finished(tmp_path: Path) -> None:
    finished = write_state(tmp_path, "job", "chk-1", minute=1)
    write_state(tmp_path, "job", "chk-2", minute=2, files=("state",))
    assert [state.path for state in states(tmp_path)] == [finished]


def test_job_that_never_had_state_begins_without(tmp_path: Path) -> None:
    assert chosen(tmp_path) == []
    write_record(tmp_path, "job", minute=0)
    assert chosen(tmp_path) == []


def test_newest_states_of_the_same_plan_are_tried_newest_first(tmp_path: Path) -> None:
    write_record(tmp_path, "first", minute=0)
    write_record(tmp_path, "second", minute=5, restored_from="…/first/chk-1")
    paths = [
        write_state(tmp_path, "first", "chk-1", minute=4),
        *(write_state(tmp_path, "second", f"chk-{n}", minute=n) for n in (6, 7, 8)),
    ]
    assert chosen(tmp_path) == paths[:0:-1]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, sql="9d1c"), r"the SQL of the job \(3f2a → 9d1c\)"),
        (replace(PLAN, flink="2.4.0"), r"Flink \(2\.3\.0 → 2\.4\.0\)"),
        (replace(PLAN, state_format=2), r"the state format of the functions \(1 → 2\)"),
    ],
)
def test_state_of_another_plan_is_refused_and_says_what_changed_when_and_what_to_do(tmp_path: Path, plan: Plan, said: str) -> None:
    write_record(tmp_path, "job", minute=0)
    write_state(tmp_path, "job", "chk-1", minute=1)
    with pytest.raises(StateOfOtherPlan, match=rf"2026-11-20 12:01:00Z .*{said}.*up --rebuild-bars"):
        chosen(tmp_path, plan=plan)


def test_state_without_a_record_is_refused(tmp_path: Path) -> None:
    write_state(tmp_path, "job", "chk-1", minute=1)
    with pytest.raises(StateOfOtherPlan, match="no record"):
        chosen(tmp_path)


def test_known_checkpoint_that_is_gone_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, "job", minute=0)
    with pytest.raises(StateLost, match=r"checkpoint /gone/chk-4 of 2026-11-20 12:02:00Z is gone.*up --rebuild-bars"):
        chosen(tmp_path, seen=Seen("/gone/chk-4", NOON + 2 * MINUTE))


def test_job_that_began_anew_voids_older_states_of_any_plan(tmp_path: Path) -> None:
    write_record(tmp_path, "old", minute=0, plan=replace(PLAN, sql="old"))
    write_state(tmp_path, "old", "chk-8", minute=8)
    write_record(tmp_path, "new", minute=9)
    assert chosen(tmp_path, seen=Seen("/old/chk-8", NOON + 8 * MINUTE)) == []
    checkpoint = write_state(tmp_path, "new", "chk-1", minute=10)
    assert chosen(tmp_path) == [checkpoint]


@pytest.mark.parametrize("text", ["", "\0" * 300, "[]", '{"job_id": "job"}', '{"job_id": "job", "plan": {"other": 1}}'])
def test_state_whose_record_a_disk_has_spoiled_is_refused_as_one_without(tmp_path: Path, text: str) -> None:
    write_record(tmp_path, "job", minute=0)
    write_state(tmp_path, "job", "chk-1", minute=1)
    (tmp_path / "jobs" / "job.json").write_text(text)
    with pytest.raises(StateOfOtherPlan, match="no record"):
        chosen(tmp_path)


@pytest.mark.parametrize("ts_from", [None, NOON])
def test_record_comes_back_as_it_was_kept(tmp_path: Path, ts_from: datetime | None) -> None:
    record = JobRecord("job", PLAN, None, NOON + MINUTE, ts_from)
    keep_record(tmp_path, record)
    assert records(tmp_path) == {"job": record}


@pytest.mark.parametrize(
    ("kept", "seen_minute", "expected"),
    [
        (4 * 60 * MINUTE, 0, NOON - 4 * 60 * MINUTE),
        (4 * 60 * MINUTE, -90, NOON - (4 * 60 + 90) * MINUTE),
        (4 * 60 * MINUTE, 5, NOON - 4 * 60 * MINUTE),
        (4 * 60 * MINUTE, None, None),
        (None, 0, None),
    ],
)
def test_rebuild_reaches_back_from_the_newest_checkpoint_for_as_long_as_state_lives(
    kept: timedelta | None, seen_minute: int | None, expected: datetime | None
) -> None:
    seen = None if seen_minute is None else Seen("/job/chk-4", NOON + seen_minute * MINUTE + timedelta(seconds=17))
    assert rebuilt_from(kept, seen, now=NOON + timedelta(seconds=42)) == expected


def test_pruning_keeps_the_running_jobs_states_what_it_came_from_and_the_newest_few(tmp_path: Path) -> None:
    source = write_state(tmp_path, "job-0", "chk-1", minute=0)
    write_record(tmp_path, "job-0", minute=0)
    for number in range(1, 7):
        write_record(tmp_path, f"job-{number}", minute=number, restored_from="…")
        write_state(tmp_path, f"job-{number}", "chk-1", minute=number)
    write_record(tmp_path, "running", minute=8, restored_from=str(source))
    current = write_state(tmp_path, "running", "chk-1", minute=9)

    prune(tmp_path, running=["running"])

    left = {state.path.parent.name for state in states(tmp_path)}
    assert left == {"job-0", "job-4", "job-5", "job-6", "running"}
    assert source.exists()
    assert current.exists()
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == left
    assert set(records(tmp_path)) == left


def test_disk_stays_bounded_over_many_jobs(tmp_path: Path) -> None:
    for number in range(30):
        write_record(tmp_path, f"job-{number}", minute=number, restored_from="…" if number else None)
        for checkpoint in range(3):
            write_state(tmp_path, f"job-{number}", f"chk-{checkpoint}", minute=number)
        prune(tmp_path, running=[f"job-{number}"])
    assert len(states(tmp_path)) == 3 + 3
    assert len(records(tmp_path)) <= 5


def sql(folder: Path, text: str) -> Path:
    folder.mkdir()
    for part in STREAM:
        (folder / part).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("same", "text"),
    [
        (
            True,
            "SET 'ttl' = '${T}';\n\nCREATE TABLE b (a INT)  WITH (\n'topic' = 't', 'sink.buffer-flush.interval' = '50 ms') -- x",
        ),
        (
            True,
            "SET 'ttl' = '${T}'; SET 'execution.buffer-timeout.interval' = '10 ms'; CREATE TABLE b (a INT) WITH ('topic' = 't')",
        ),
        (False, "SET 'ttl' = '${T}'; CREATE TABLE b (a INT, c INT) WITH ('topic' = 't')"),
        (False, "SET 'ttl' = '${T}'; CREATE TABLE b (a INT) WITH ('topic' = 'u')"),
        (False, "SET 'ttl' = '5 s'; CREATE TABLE b (a INT) WITH ('topic' = 't')"),
    ],
)
def test_plan_is_of_the_sql_alone_not_of_its_values_comments_blanks_and_tuning(tmp_path: Path, same: bool, text: str) -> None:
    before = "SET 'ttl' = '${T}'; -- why\nCREATE TABLE b (a INT) WITH ('topic' = 't', 'sink.buffer-flush.interval' = '1 s')"
    plans = [plan_of(sql(tmp_path / name, each), STREAM, flink="2.3.0") for name, each in (("a", before), ("b", text))]
    assert (plans[0] == plans[1]) is same
    assert plans[0].fingerprint != replace(plans[0], flink="2.4.0").fingerprint


def test_plan_of_the_job_is_the_same_at_every_reading() -> None:
    folder = ROOT / "flink" / "sql"
    assert plan_of(folder, STREAM, flink="2.3.0") == plan_of(folder, STREAM, flink="2.3.0")
