"""When bars are closed, at hand-made positions."""

from datetime import UTC, datetime, timedelta

import pytest

from stock_platform.gate.progress import LineClock, PartitionProgress, closed_until, event_time_progress, feed_clock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(*seconds: int | None) -> list[PartitionProgress]:
    return [PartitionProgress(None if each is None else NOON + timedelta(seconds=each)) for each in seconds]


def test_progress_is_the_feeds_clock_when_all_partitions_are_caught_up() -> None:
    assert event_time_progress(NOON, at(None, None)) == NOON


def test_progress_is_held_back_by_the_first_uncommitted_record() -> None:
    assert event_time_progress(NOON, at(None, -30, -5)) == NOON - timedelta(seconds=30)


def test_idle_partition_holds_nothing_back() -> None:
    assert event_time_progress(NOON, at(None)) == NOON


def test_progress_is_unknown_while_the_feed_is_silent() -> None:
    assert event_time_progress(None, at(-5)) is None
    assert closed_until(None, timedelta(seconds=2)) is None


def test_bars_wait_for_the_grace_period() -> None:
    assert closed_until(NOON, timedelta(seconds=2)) == NOON - timedelta(seconds=2)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([], None),
        ([(0, "running", 5)], 5),
        ([(0, "running", 5), (0, "running", 9)], 9),  # the foremost speaks for its shard
        ([(0, "running", 5), (0, "failed", None)], 5),  # a dead twin holds nothing back
        ([(0, "running", 5), (1, "running", 3)], 3),  # the slowest shard holds back
        ([(0, "running", 5), (1, "starting", None)], 5),  # a shard that has never spoken carries nothing yet
        ([(0, "starting", None)], None),
        ([(0, "running", 5), (1, "stopped", 2)], 2),
        ([(0, "running", 5), (1, "retired", 2)], 5),
        ([(0, "running", 5), (1, "drained", 2)], 5),  # its markets are closed: nothing will come
        ([(0, "drained", 5), (1, "drained", 7)], 5),
        ([(0, "ended", 5)], 5),
    ],
)
def test_feed_clock_is_the_slowest_shards_foremost_line(lines: list[tuple[int, str, int | None]], seconds: int | None) -> None:
    clocks = [LineClock(shard, state, None if at_s is None else NOON + timedelta(seconds=at_s)) for shard, state, at_s in lines]
    assert feed_clock(clocks) == (None if seconds is None else NOON + timedelta(seconds=seconds))
