"""How far the stream job has come, in event time: what decides that a bar is closed. Pure.

Offsets that Flink has committed belong to a completed checkpoint, and a checkpoint completes only after the JDBC sinks have
flushed: everything before a committed offset is in Postgres. So the job's progress is the feed's own clock, held back by the first
record that is not committed yet. Partitions that are caught up hold nothing back, however idle they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class PartitionProgress:
    """One partition of the tick topic.

    Args:
        ts_event_next: Event time of the first record that is not committed; None when caught up."""

    ts_event_next: datetime | None


def event_time_progress(feed_clock: datetime | None, partitions: Iterable[PartitionProgress]) -> datetime | None:
    """Instant before which every tick is in staging; None while nothing is known.

    Args:
        feed_clock: Event time up to which all ticks are in Kafka, read *before* the partitions' end offsets.
    """
    if feed_clock is None:
        return None
    held_back = [partition.ts_event_next for partition in partitions if partition.ts_event_next is not None]
    return min([feed_clock, *held_back])


def closed_until(progress: datetime | None, grace: timedelta) -> datetime | None:
    """Bars with ts_end at or before this instant are closed."""
    return None if progress is None else progress - grace
