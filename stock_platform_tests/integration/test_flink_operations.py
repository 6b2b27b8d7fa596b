"""The stream job's life on real servers: stopped with a savepoint, started again, widened, changed, rebuilt, its state expired.

Expected values: recomputed in plain Python from what Kafka holds (test_ticks_to_bars)."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.flink_script import STREAM, plan_of
from stock_platform.adapters.flink_state import SAVEPOINTS, records, states
from stock_platform.config import ROOT
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.errors.stream import StateOfOtherPlan, StateUnreadable
from stock_platform.stack import flink
from stock_platform.stack.stream_report import Seen
from stock_platform_tests.integration.jvm import Cluster, require
from stock_platform_tests.integration.test_ticks_to_bars import BAR_QUERY, OPEN_MS, expected_bars, outcome, produce, tick

_CLOCK = SystemClock()
_SYMBOLS = ("AIG", "SPY")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for the file; its tests go through one job's life, in order."""
    # All state lies in files of its own, as that of many symbols does.
    settings = "execution.checkpointing.data-inline-threshold: 0 b\n"
    with Cluster(Path(tmp_path_factory.mktemp("operations")), more_settings=settings) as started:
        yield started


def send(cluster: Cluster, numbers: range, *, minute: int = 0, day_volume: int = 0, ts_kafka: datetime | None = None) -> None:
    """Ticks of one minute; each number is another tick."""
    fields = [
        tick(symbol, number, OPEN_MS + minute * 60_000 + number * 10, day_volume + number, Random(number))
        for number in numbers
        for symbol in _SYMBOLS
    ]
    produce(cluster, [(json.dumps(each).encode(), None) for each in fields], ts_kafka=ts_kafka)


def bars_are_right(cluster: Cluster) -> bool:
    """Whether the staged bars are those of all ticks in Kafka."""
    after = outcome(cluster)
    return after.bars == expected_bars(after.ticks)


def stop(cluster: Cluster) -> Path:
    """As `down` stops the job."""
    job_id = cluster.rest.running_job(JOB)
    assert job_id
    savepoint = cluster.rest.stop(job_id, cluster.folder / "flink" / SAVEPOINTS / job_id)
    require(lambda: cluster.rest.running_job(JOB) is None, "the job has ended")
    return savepoint


def written_by(cluster: Cluster) -> dict[str, int]:
    return dict(cluster.read_rows("SELECT flink_job_id, count(*) FROM staging.bar_1m GROUP BY 1"))


def test_stop_with_savepoint_and_start_with_another_parallelism_go_on_where_they_were(cluster: Cluster) -> None:
    first = cluster.start_job()
    assert first.restored_from is None
    for minute in range(3):
        send(cluster, range(50), minute=minute, day_volume=100 * minute)
    assert bars_are_right(cluster)

    savepoint = stop(cluster)
    assert states(cluster.folder / "flink")[0].path == savepoint
    send(cluster, range(50, 80), minute=2, day_volume=200)
    second = cluster.start_job(values={"PARALLELISM": "2"})

    assert second.restored_from == str(savepoint)
    assert bars_are_right(cluster)
    assert cluster.rest.job(second.job_id).parallelism == 2
    assert written_by(cluster) == {first.job_id: 4, second.job_id: 2}, "from its state it rewrote only what changed"


class LooksTooEarly(FlinkRest):
    """Sees no job at its first look; somebody else starts one right after."""

    has_looked = False

    def running_job(self, name: str) -> str | None:
        seen = super().running_job(name) if self.has_looked else None
        self.has_looked = True
        return seen


def test_job_that_somebody_else_has_just_started_is_the_one(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    running, before = cluster.rest.running_job(JOB), records(cluster.folder / "flink")
    monkeypatch.setattr(cluster, "rest", LooksTooEarly(cluster.rest.address))
    done = cluster.start_job()
    assert done.job_id == running
    assert done.restored_from == before[done.job_id].restored_from
    assert records(cluster.folder / "flink") == before


def test_changed_plan_is_refused_and_a_rebuild_gives_the_same_bytes(cluster: Cluster) -> None:
    stop(cluster)
    before = cluster.read_rows(BAR_QUERY)
    changed = replace(plan_of(ROOT / "flink" / "sql", STREAM, flink=flink.VERSION), sql="other", state_format=2)

    with pytest.raises(StateOfOtherPlan, match=r"the SQL of the job .*state format of the functions \(1 → 2\).*--rebuild-bars"):
        cluster.start_job(plan=changed)
    assert cluster.rest.running_job(JOB) is None
    rebuilt = cluster.start_job(plan=changed, begin="anew")

    assert rebuilt.restored_from is None
    send(cluster, range(50), minute=5, day_volume=500)
    assert bars_are_right(cluster)
    assert cluster.read_rows(BAR_QUERY)[:3] == before[:3]
    assert cluster.read_rows("SELECT count(*) FROM staging.torn_bar") == [(0,)]
    require(lambda: cluster.rest.job(rebuilt.job_id).checkpoint is not None, "a checkpoint is complete")
    with pytest.raises(StateOfOtherPlan):
        _after_end(cluster, rebuilt.job_id)


def _after_end(cluster: Cluster, job_id: str) -> None:
    """The earlier version again, after the job of the later one has gone."""
    cluster.rest.cancel(job_id)
    cluster.start_job()


def test_state_that_cannot_be_read_gives_way_to_an_older_one_and_never_to_none(cluster: Cluster) -> None:
    begun = cluster.start_job(begin="anew")
    assert bars_are_right(cluster)
    require(lambda: _count(cluster, begun.job_id) >= 2, "two checkpoints are complete")
    cluster.rest.cancel(begun.job_id)
    found = [state.path for state in states(cluster.folder / "flink") if state.job_id == begun.job_id]
    _spoil_data(found[0])

    again = cluster.start_job()
    assert again.restored_from == str(found[1])
    send(cluster, range(50), minute=6, day_volume=600)
    assert bars_are_right(cluster)

    cluster.rest.cancel(again.job_id)
    for state in states(cluster.folder / "flink"):
        _spoil(state.path)
    with pytest.raises(StateUnreadable, match="restored none of"):
        cluster.start_job()


def _count(cluster: Cluster, job_id: str) -> int:
    return sum(state.job_id == job_id for state in states(cluster.folder / "flink"))


def _spoil_data(path: Path) -> None:
    """What the coordinator reads is whole, what the tasks read is not."""
    files = [file for file in path.iterdir() if file.name != "_metadata"]
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:20])


def _spoil(path: Path) -> None:
    """As a full disk would: half of it is there."""
    metadata = path / "_metadata"
    written = metadata.stat().st_mtime
    metadata.write_bytes(metadata.read_bytes()[:40])
    os.utime(metadata, (written, written))


def test_bar_whose_state_expired_is_not_overwritten_by_its_late_ticks(cluster: Cluster) -> None:
    cluster.start_job(begin="anew", values={"STATE_TTL": "1 s"})
    assert bars_are_right(cluster)
    before = cluster.read_rows(BAR_QUERY)
    read = _CLOCK.now()
    require(lambda: _CLOCK.now() - read > timedelta(seconds=2), "the state has expired")

    send(cluster, range(200, 201), minute=0)
    send(cluster, range(300, 400), minute=1)
    require(cluster.is_caught_up, "the late ticks are read and their bars are offered")

    assert cluster.read_rows(BAR_QUERY) == before
    rows = cluster.read_rows("SELECT tick_count, tick_count_refused FROM staging.torn_bar ORDER BY symbol, ts_start")
    assert [kept for kept, _ in rows] == [50] * 4
    assert all(refused == 1 for _, refused in rows[::2])
    assert all(1 <= refused <= 100 for _, refused in rows[1::2]), "a pause of a second between two ticks starts it anew again"
    cluster.start_job(begin="anew")
    assert bars_are_right(cluster)
    assert torn(cluster) == 0


def torn(cluster: Cluster) -> Any:
    return cluster.read_rows("SELECT count(*) FROM staging.torn_bar")[0][0]


class HoursLater(SystemClock):
    """A person who rebuilds long after."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=100)


def test_rebuild_reads_as_far_back_as_state_lives_and_older_bars_stay(cluster: Cluster) -> None:
    cluster.start_job()
    send(cluster, range(50), minute=7, day_volume=700)
    send(cluster, range(50), minute=8, day_volume=800)
    # Kafka takes times of up to an hour ahead.
    send(cluster, range(50), minute=9, day_volume=900, ts_kafka=_CLOCK.now() + timedelta(minutes=50))
    assert bars_are_right(cluster)
    before = cluster.read_rows(BAR_QUERY)
    removed = cluster.read_rows("DELETE FROM staging.bar_1m WHERE extract(MINUTE FROM ts_start) IN (38, 39) RETURNING symbol")
    assert len(removed) == 4, "minutes 8 and 9 after 13:30 UTC"

    clock = HoursLater()
    rebuilt = cluster.start_job(begin="anew", kept=timedelta(hours=1), seen=Seen("/x/chk-1", clock.now()), clock=clock)
    require(lambda: written_by(cluster).get(rebuilt.job_id) == 2, "the minute within reach is there again")

    after = cluster.read_rows(BAR_QUERY)
    assert after == [bar for bar in before if bar[1] != OPEN_MS + 8 * 60_000], (
        "the one beyond it is not, and others are as they were"
    )
    cluster.start_job(begin="anew")
    assert bars_are_right(cluster)
