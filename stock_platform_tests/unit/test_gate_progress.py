"""When bars are closed, at hand-made positions."""

from datetime import UTC, datetime, timedelta

from stock_platform.gate.progress import PartitionProgress, closed_until, event_time_progress

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
