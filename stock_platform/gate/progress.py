"""How far the stream job has come, in event time: what decides that a bar is closed. Pure.

Offsets that Flink has committed belong to a completed checkpoint, and a checkpoint completes only after the JDBC sinks have
flushed: everything before a committed offset is in Postgres. So the job's progress is the feed's own clock, held back by the first
record that is not committed yet. Partitions that are caught up hold nothing back, however idle they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class LineClock:
    """One feed line: ops.feed_line in short.

    Args:
        ts_clock: Event time up to which all its ticks are in Kafka."""

    shard: int
    state: str
    ts_clock: datetime | None


def feed_clock(lines: Iterable[LineClock]) -> datetime | None:
    """Event time up to which every tick of every shard is in Kafka; None while no shard has spoken.

    The lines of a shard read the same, so the foremost speaks for it. A line that nobody wants counts no more, and one that
    is drained, its markets closed, only while no other runs. A shard that has never spoken carries nothing yet: what it is
    to carry is still with the line that gives it away.
    """
    wanted = [line for line in lines if line.state != "retired"]
    awake = [line for line in wanted if line.state != "drained"] or wanted
    shards = {line.shard for line in awake}
    foremost = [max((each.ts_clock for each in awake if each.shard == shard and each.ts_clock), default=None) for shard in shards]
    return min((ts for ts in foremost if ts is not None), default=None)


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
