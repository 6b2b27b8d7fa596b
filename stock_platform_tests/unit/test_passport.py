"""A passport in words and as JSON, what the command refuses, and the version of the code that a bar names."""

import subprocess
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stock_platform.adapters.code_version import code_version, source_version
from stock_platform.adapters.probe import free_port
from stock_platform.cli import app
from stock_platform.commands.passport import document, report, verdict
from stock_platform.config import ROOT
from stock_platform.contracts.bar_start import bar_start
from stock_platform.errors.passport import BarStartUnusable, BarUnknown, TicksNotKept
from stock_platform.market.passport import CheckResult, FlinkJob, GateRun, Passport, Refused, Version
from stock_platform.market.verification import Field, Verification

START = datetime(2013, 10, 7, 14, 30, tzinfo=UTC)
CHECKED = datetime(2026, 11, 20, 15, tzinfo=UTC)
NOW = CHECKED + timedelta(seconds=12)

SECOND = Version(
    symbol="AIG",
    ts_start=START,
    ts_end=START + timedelta(minutes=1),
    session_date=date(2013, 10, 7),
    open=Decimal("48.500000"),
    high=Decimal("49.000000"),
    low=Decimal("48.250000"),
    close=Decimal("48.750000"),
    volume=1200,
    vwap=Decimal("48.612345"),
    tick_count=3,
    ts_first_tick=START + timedelta(milliseconds=5),
    ts_last_tick=START + timedelta(seconds=59),
    source="tape",
    is_continuous=True,
    kafka_partition=2,
    kafka_offset_first=10,
    kafka_offset_last=25,
    flink_job_id="f1",
    revision=2,
    verdict="suspect",
    dagster_run_id="run-2",
    dagster_run_url="http://127.0.0.1:3070/runs/run-2",
    ts_valid_from=CHECKED,
    ts_valid_to=None,
)
FIRST = replace(
    SECOND,
    revision=1,
    verdict="passed",
    volume=None,
    dagster_run_id="run-1",
    dagster_run_url="http://127.0.0.1:3070/runs/run-1",
    ts_valid_from=CHECKED - timedelta(hours=1),
    ts_valid_to=CHECKED,
)
RUN = GateRun(
    dagster_run_id="run-2",
    url="http://127.0.0.1:3070/runs/run-2",
    code_version="b9660bd8",
    closed_until=CHECKED,
    checks=(
        CheckResult("collar", "suspect", False, 8, 1, "AIG 2013-10-07T14:30Z", CHECKED),
        CheckResult("has_ticks", "quarantine", True, 8, 0, "", CHECKED),
    ),
)
JOB = FlinkJob("f1", None, "RUNNING", "/data/flink/chk-7", CHECKED)
PASSPORT = Passport(SECOND, RUN, JOB, (FIRST, SECOND), refused=None)


def test_report_tells_run_job_offsets_rules_and_revisions() -> None:
    assert list(report(PASSPORT, NOW)) == [
        "bar        AIG 2013-10-07 14:30Z, session 2013-10-07, from tape",
        "certified  suspect, revision 2, since 2026-11-20 15:00:00.000Z",
        "prices     open 48.5, high 49, low 48.25, close 48.75",
        "volume     1200, vwap 48.612345",
        "ticks      3, 2013-10-07 14:30:00.005Z to 2013-10-07 14:30:59.000Z; nothing can be missing before them",
        "kafka      market.ticks.v1, partition 2, offsets 10 to 25",
        "flink      job f1, RUNNING, checkpoint /data/flink/chk-7, 12 s old",
        "accepted   by Dagster run http://127.0.0.1:3070/runs/run-2",
        "code       b9660bd8",
        "rules      1 of 2 held, over the run's whole batch",
        "           collar                 suspect     broken by 1 of 8: AIG 2013-10-07T14:30Z",
        "           has_ticks              quarantine  held",
        "revisions  2, oldest first",
        "           1, passed, 2026-11-20 14:00:00.000Z to 2026-11-20 15:00:00.000Z: open 48.5, high 49, low 48.25, close 48.75, "
        "volume -, 3 ticks, run run-1",
        "           2, suspect, 2026-11-20 15:00:00.000Z to now: open 48.5, high 49, low 48.25, close 48.75, volume 1200, 3 ticks, "
        "run run-2",
    ]


@pytest.mark.parametrize(
    ("job", "line"),
    [
        (FlinkJob("f0", None, None, None, None), "flink      job f0, not known any more"),
        (FlinkJob("f1", None, "RUNNING", None, None), "flink      job f1, RUNNING, without a checkpoint yet"),
        (FlinkJob("f9", 4, None, None, None), "flink      job f9 of restatement 4, not known any more"),
    ],
)
def test_report_says_what_is_known_of_the_job(job: FlinkJob, line: str) -> None:
    assert line in report(replace(PASSPORT, flink_job=job), NOW)


def test_report_says_what_is_missing_and_what_was_refused_since() -> None:
    run = replace(RUN, code_version=None)
    refused = Refused(["high_is_highest", "collar"], "run-3", "http://127.0.0.1:3070/runs/run-3", CHECKED)
    bar = replace(SECOND, is_continuous=False, vwap=None)
    lines = list(report(replace(PASSPORT, current=bar, gate_run=run, refused=refused), NOW))
    assert "code       not written down by that run" in lines
    assert "volume     1200, vwap -" in lines
    assert any(line.endswith("; some may be missing before them") for line in lines)
    assert lines[-1] == ("refused    a newer version, at 2026-11-20 15:00:00.000Z by run run-3, because of high_is_highest, collar")
    discarded = replace(refused, decision="discarded by ann at 2026-11-20 16:00Z: a test print")
    told = list(report(replace(PASSPORT, refused=discarded), NOW))[-1]
    assert told.endswith("because of high_is_highest, collar; discarded by ann at 2026-11-20 16:00Z: a test print")


def test_verdict_names_the_fields_that_differ() -> None:
    fields = (Field("open", Decimal("48.500000"), Decimal("48.5")), Field("volume", 1200, 1100), Field("vwap", None, None))
    checked = Verification(16, fields)
    assert not checked.is_equal
    assert list(verdict(checked)) == [
        "verified   against 16 records",
        "           open                   48.5                       equal",
        "           volume                 1200                       different: recomputed 1100",
        "           vwap                   -                          equal",
        "           the ticks give another bar; fields that differ: 1",
    ]
    assert list(verdict(Verification(16, fields[:1])))[-1] == "           the ticks give this bar"


def test_document_is_the_api_s_answer_with_the_verification() -> None:
    checked = Verification(16, (Field("volume", 1200, 1100),))
    found = document(PASSPORT, checked)
    assert (found["symbol"], found["ts_start"], found["kafka_topic"]) == ("AIG", "2013-10-07T14:30:00Z", "market.ticks.v1")
    assert (found["current"]["close"], found["current"]["kafka_offset_first"]) == ("48.75", 10)
    assert [each["revision"] for each in found["revisions"]] == [1, 2]
    assert found["flink_job"] == {
        "flink_job_id": "f1",
        "restatement_id": None,
        "is_known": True,
        "state": "RUNNING",
        "ts_checkpoint": "2026-11-20T15:00:00Z",
    }
    assert [each["check_name"] for each in found["gate_run"]["checks"]] == ["collar", "has_ticks"]
    assert found["verification"] == {
        "is_equal": False,
        "record_count": 16,
        "fields": [{"name": "volume", "certified": "1200", "recomputed": "1100", "is_equal": False}],
    }
    assert "verification" not in document(PASSPORT, None)


# --- what is refused ---


@pytest.mark.parametrize("text", ["2013-10-07T14:30Z", "2013-10-07T14:30:00+00:00", "2013-10-07T10:30-04:00", "20131007T1430Z"])
def test_start_of_a_bar_is_any_instant_with_a_zone(text: str) -> None:
    assert bar_start(text) == START


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2013-10-07T14:30", "has no zone"),
        ("2013-10-07", "has no zone"),
        ("now", "is no instant"),
        ("2013-10-07T14:30:01Z", "is inside the minute that starts at 2013-10-07T14:30Z"),
    ],
)
def test_start_that_is_none_is_refused_with_a_sentence(text: str, problem: str) -> None:
    with pytest.raises(BarStartUnusable, match=problem):
        bar_start(text)
    done = CliRunner().invoke(app, ["passport", "AIG", text])
    assert done.exit_code == 2
    assert problem in done.output
    assert "Write it as 2013-10-07T14:30Z" in done.output


def test_passport_without_a_stack_says_so(tmp_path: Path) -> None:
    environment = {"STOCK_PLATFORM_PROFILE": "simulator", "STOCK_PLATFORM_POSTGRES_PORT": str(free_port())}
    done = CliRunner().invoke(app, ["passport", "AIG", "2013-10-07T14:30Z", "--data-dir", str(tmp_path)], env=environment)
    assert done.exit_code == 2
    assert "The stack of profile simulator does not run, and a passport needs it" in done.output


def test_ticks_that_kafka_has_dropped_are_said_plainly_with_the_archive_if_there_is_one() -> None:
    topic, session = "market.ticks.v1", date(2013, 10, 7)
    archived = TicksNotKept(topic, 2, offsets=(10, 25), kept=(20, 90), session=session, archive=Path("/data/day.parquet"))
    assert str(archived) == (
        "The bar cannot be verified: offsets 10 to 25 of market.ticks.v1, partition 2, are not all kept in Kafka any more; it has "
        "20 to 89. They are archived in /data/day.parquet: `stock-platform restate --session 2013-10-07` computes the session's "
        "bars from there."
    )
    gone = TicksNotKept(topic, 2, offsets=(10, 25), kept=(90, 90), session=session, archive=None)
    assert str(gone).endswith("it has none. Session 2013-10-07 is not archived either, so nobody can recompute the bar.")


@pytest.mark.parametrize(
    ("first", "known"), [(None, "no bar of it is certified"), (START, "go from 2013-10-07 14:30Z to 2013-10-07 14:30Z")]
)
def test_bar_that_nobody_knows_is_said_with_those_that_are_there(first: datetime | None, known: str) -> None:
    message = str(BarUnknown("AIG", START, first=first, last=first))
    assert known in message
    assert "the gap ledger: Quality on the page, /stocks/AIG/gaps, or `stock-platform gaps --symbol AIG --all`" in message


# --- which code ---


def test_code_version_outside_a_clone_is_the_package_s(tmp_path: Path) -> None:
    assert code_version(tmp_path) == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_code_version_of_a_clone_is_its_commit_and_says_when_files_differ_from_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        author = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", "-C", str(tmp_path), *author, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "--quiet", "-m", "a")
    git("tag", "v1")
    commit = git("rev-parse", "HEAD")
    assert code_version(tmp_path) == commit
    (tmp_path / "a").write_text("2")
    assert code_version(tmp_path) == f"{commit}+changes"


def test_code_version_of_a_spoilt_clone_is_the_package_s(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere")
    assert code_version(tmp_path) == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_version_of_sources_changes_with_each_of_them_and_with_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "part" / "b.py").write_text("2")
    first = source_version(tmp_path)
    (tmp_path / "note.md").write_text("not code")
    assert source_version(tmp_path) == first
    (tmp_path / "part" / "b.py").write_text("3")
    changed = source_version(tmp_path)
    (tmp_path / "part" / "b.py").rename(tmp_path / "part" / "c.py")
    assert len({first, changed, source_version(tmp_path)}) == 3
