"""Which source a restatement takes, what it reads of an archive, and how a difference is told."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import dagster as dg
import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dagster_api import plain
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.flink_batch import answered
from stock_platform.adapters.flink_script import RESTATEMENT_OF_ARCHIVE, RESTATEMENT_OF_TOPIC, fill_script
from stock_platform.adapters.kafka_range import OffsetRange
from stock_platform.adapters.parquet import write_pieces
from stock_platform.adapters.probe import free_port
from stock_platform.commands.restate import Order, compared, promoted, report
from stock_platform.config import ROOT, Settings
from stock_platform.contracts.runs import RESTATE_JOB, RESTATE_STEP
from stock_platform.defs.restate import Restate
from stock_platform.errors import JobRefused
from stock_platform.errors.restatement import RunFailed, RunNotGranted, StackNotRunning
from stock_platform.feed.archive_file import COLUMNS
from stock_platform.feed.plan import TapePlan
from stock_platform.feed.tape_ticks import write_ticks
from stock_platform.market.archived_ticks import tick_count, write_lines
from stock_platform.market.asked import Asked
from stock_platform.market.comparison import CONTENT, SCHEMA, Comparison
from stock_platform.market.promotion import Change, Difference
from stock_platform.market.restatement import Restated
from stock_platform.market.shadow import Counts
from stock_platform.market.tick_source import FromTopic, has_whole

OPEN = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
ASKED = Asked(date(2013, 10, 7), ("A", "B"), OPEN, OPEN + timedelta(hours=8))
VALUES = dict.fromkeys(
    "KAFKA_BOOTSTRAP POSTGRES_URL POSTGRES_USER POSTGRES_PASSWORD OFFSETS_START OFFSETS_END ARCHIVE_LINES TS_EVENT_FROM_MS "
    "TS_EVENT_UNTIL_MS SYMBOLS".split(),
    "0",
)


@pytest.mark.parametrize("parts", [RESTATEMENT_OF_TOPIC, RESTATEMENT_OF_ARCHIVE])
def test_script_runs_the_streams_own_insert_and_leaves_nothing_open(parts: tuple[str, ...]) -> None:
    script = fill_script(ROOT / "flink" / "sql", parts, VALUES)
    assert "${" not in script.replace("${...}", "")
    assert script.endswith(
        (ROOT / "flink" / "sql" / "ticks_to_bars.sql").read_text().split("CREATE", 1)[1].replace("${LATE_LIMIT_MS}", "3600000")
    )


@pytest.mark.parametrize(
    ("start", "oldest", "is_whole"),
    [
        (0, 0, True),  # nothing was ever dropped
        (70, 50, True),  # what is older than the session is still there
        (50, 50, False),  # the oldest that is there may be in mid-session
        (90, 90, False),  # all is dropped
    ],
)
def test_topic_is_whole_while_something_older_than_the_session_is_there(start: int, oldest: int, is_whole: bool) -> None:
    assert has_whole([OffsetRange(0, 0, 90), OffsetRange(1, start, 90)], {0: 0, 1: oldest}) is is_whole


def test_offsets_are_written_as_flink_reads_them() -> None:
    source = FromTopic((OffsetRange(0, 3, 9), OffsetRange(1, 0, 0)))
    assert source.values(ASKED, Path()) == {
        "OFFSETS_START": "partition:0,offset:3;partition:1,offset:0",
        "OFFSETS_END": "partition:0,offset:9;partition:1,offset:0",
    }
    assert str(source) == "kafka offsets 0: 3-9, 1: 0-0"


def archived(symbol: str, second: int, phase: str, **changes: Any) -> dict[str, Any]:
    right: dict[str, Any] = {
        **dict.fromkeys(COLUMNS),
        "ts_event": OPEN + timedelta(seconds=second),
        "symbol": symbol,
        "price": Decimal("167.410001"),
        "day_volume": 100,
        "session_phase": phase,
        "currency": "USD",
        "calendar": "XNYS",
        "source": "tape",
        "line": "tape",
        "is_suspect": False,
        "is_continuous": True,
        "tick_id": "x",
        "kafka_partition": 3,
        "kafka_offset": second,
    }
    return right | changes


def test_archive_is_written_as_lines_that_keep_every_digit(tmp_path: Path) -> None:
    rows = [archived("A", 1, "regular"), archived("A", 2, "post"), archived("B", 3, "regular", day_volume=None)]
    frames = [pl.DataFrame(rows, schema=COLUMNS), pl.DataFrame([archived("C", 700, "regular")], schema=COLUMNS)]
    write_pieces(tmp_path / "archive", iter(frames))
    (tmp_path / "lines").mkdir()

    assert write_lines(tmp_path / "archive", tmp_path / "lines", ("A", "B")) == 2
    assert (tick_count(tmp_path / "archive", ("A", "B")), tick_count(tmp_path / "archive", ())) == (2, 3)

    (file,) = (tmp_path / "lines").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["symbol"], line["price"], line["day_volume"]) for line in lines] == [
        ("A", "167.410001", 100),
        ("B", "167.410001", None),
    ]
    assert (lines[0]["ts_event"], lines[0]["kafka_partition"], lines[0]["kafka_offset"]) == (1_381_152_601_000, 3, 1)


def difference(kind: str, **fields: tuple[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(SCHEMA) | {"symbol": "A", "ts_start": OPEN, "kind": kind}
    for name in CONTENT:
        before, after = fields.get(name, (None, None))
        values |= {f"{name}_before": before, f"{name}_after": after}
    return values


def test_report_says_where_ticks_came_from_what_differs_and_what_is_not_done() -> None:
    rows = [
        difference("changed", close=(Decimal("1.5"), Decimal("2.5")), volume=(None, 7), open=(Decimal(1), Decimal(1))),
        *([difference("removed", open=(Decimal(1), None))] * 25),
    ]
    comparison = Comparison(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    lines = list(report(Restated(4, ASKED, "archive x.parquet", Counts(390, 5000), timedelta(seconds=9), comparison)))
    assert lines[:5] == [
        "session   2013-10-07, A B, restatement 4",
        "source    archive x.parquet",
        "result    5000 ticks, 390 bars, 9.0 s",
        "staging   0 added, 25 removed, 1 changed (close 1, volume 1)",
        "          A 2013-10-07 13:30Z changed: close 1.500000 → 2.500000, volume None → 7",
    ]
    assert len(lines) == 4 + 20 + 2
    assert "6 more" in lines[-2]
    assert lines[-1].startswith("compared only")


def test_flink_that_does_not_answer_is_named() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(JobRefused, match=rf"{address}.* does not answer"), answered("restate_bars", address):
        FlinkRest(address).running_job("restate_bars")


@pytest.mark.parametrize("act", [compared, promoted])
def test_restatement_without_a_stack_is_refused(act: Callable[..., Iterator[str]], tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    with pytest.raises(StackNotRunning, match="`make up` first"):
        list(act(settings, SystemClock(), Order(date(2013, 10, 7))))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("stock_platform.errors.TapeUnreadable: Tape x cannot be read.\n", "Tape x cannot be read."),
        ("stock_platform.errors.restatement.JobFailed: Job x in Flink: it failed", "Job x in Flink: it failed"),
        ("dagster_shared.check.functions.CheckError: Invariant failed.", "CheckError: Invariant failed."),
        ("ValueError: negative size", "ValueError: negative size"),
        ("Run was terminated: by a person", "Run was terminated: by a person"),
    ],
)
def test_error_of_a_run_is_told_without_the_way_to_its_class(message: str, said: str) -> None:
    assert plain(message) == said


def test_run_that_failed_is_told_from_a_run_that_dagster_did_not_take() -> None:
    failed = RunFailed(RESTATE_JOB, "http://d/runs/1", "Tape x cannot be read.")
    assert str(failed) == "The run of restate_session failed: Tape x cannot be read. Its page has more: http://d/runs/1"
    refused = RunNotGranted(RESTATE_JOB, "http://d", "CheckError: Invariant failed.")
    assert "did not run restate_session: CheckError: Invariant failed. `make status`" in str(refused)


def test_launchpad_shows_every_field_that_can_be_filled_in() -> None:
    fields = cast("dict[str, dg.Field]", Restate.to_config_schema().as_field().config_type.fields)
    assert {name: field.default_value for name, field in fields.items() if field.default_provided} == {
        "symbols": [],
        "tape": "",
        "from_vendor": False,
    }


def test_command_asks_for_the_job_and_the_step_that_dagster_has() -> None:
    from stock_platform.definitions import build

    job = build(Settings(_env_file=None)).resolve_job_def(RESTATE_JOB)  # type: ignore[call-arg]
    assert [node.name for node in job.nodes] == [RESTATE_STEP]


def test_difference_is_told_as_a_table_and_in_lines() -> None:
    bar = dict.fromkeys(CONTENT) | {"close": "1.500000", "volume": 7}
    changes = (
        Change("A", OPEN, "changed", bar, bar | {"close": "2.500000", "volume": None}),
        Change("B", OPEN, "removed", bar, None),
    )
    found = Difference(changes)
    assert found.markdown(1).splitlines() == [
        "| symbol | minute | change | fields |",
        "|---|---|---|---|",
        "| A | 2013-10-07 13:30Z | changed | close 1.500000 → 2.500000, volume 7 → – |",
        "",
        "… and 1 more in quality.restatement",
    ]
    assert found.lines(2)[1] == "B 2013-10-07 13:30Z removed: close 1.500000 → –, volume 7 → –"
    assert (found.count("changed"), found.count("removed"), found.count("added")) == (1, 1, 0)
    assert Difference(()).markdown(5) == "No certified bar differs."


def test_ticks_of_a_tape_are_judged_as_the_feed_judges_them(tmp_path: Path) -> None:
    trades = pl.DataFrame(
        {
            "ts_event": [OPEN + timedelta(seconds=seconds) for seconds in (-60, 0, 1, 2, 700)],
            "symbol": ["AIG"] * 5,
            "price": ["10", "10.01", "-3", "10.02", "10.03"],
            "size": [500, 100, 50, 200, 300],
        },
        schema_overrides={"ts_event": pl.Datetime("ms", "UTC"), "price": pl.String, "size": pl.Int64},
    )
    trades.write_parquet(tmp_path / "tape.parquet")
    plan = TapePlan(line="tape", path=tmp_path / "tape.parquet")

    written = write_ticks(plan, tmp_path / "ticks.parquet", clock=SystemClock())

    assert (written.row_count, written.rejects) == (4, Counter({"price_invalid": 1}))
    ticks = pl.read_parquet(tmp_path / "ticks.parquet")
    regular = ticks.filter(pl.col("session_phase") == "regular").select("price", "day_volume", "kafka_partition")
    # Neither what came before the open nor what has no price counts as traded.
    assert regular.rows() == [(Decimal("10.01"), 100, -1), (Decimal("10.02"), 300, -1), (Decimal("10.03"), 600, -1)]
    assert tick_count(tmp_path / "ticks.parquet", ()) == 3
