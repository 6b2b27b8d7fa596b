"""Where a restatement's ticks come from: a file that was named, else the topic while it has the session whole, else the archive.

The topic is read to its present end: ticks that came late, also those that the stream refused as too late, are in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stock_platform.adapters.flink_script import RESTATEMENT_OF_ARCHIVE, RESTATEMENT_OF_TOPIC
from stock_platform.adapters.kafka_range import OffsetRange, offset_ranges, oldest_offsets
from stock_platform.contracts.tick import TICK
from stock_platform.errors.restatement import SessionTicksMissing
from stock_platform.market.archived_ticks import tick_count, write_lines
from stock_platform.market.asked import Asked

_MARGIN = timedelta(hours=1)
"""Kafka's time is our clock at arrival, the tick's is the vendor's: they differ by seconds, not by this."""


@dataclass(frozen=True)
class FromTopic:
    """Offsets [start, end) of each partition."""

    ranges: tuple[OffsetRange, ...]

    parts = RESTATEMENT_OF_TOPIC

    def __str__(self) -> str:
        return "kafka offsets " + ", ".join(f"{each.partition}: {each.start}-{each.end}" for each in self.ranges)

    def values(self, asked: Asked, folder: Path) -> Mapping[str, str]:
        """What the script leaves open."""
        del asked, folder
        starts = ";".join(f"partition:{each.partition},offset:{each.start}" for each in self.ranges)
        ends = ";".join(f"partition:{each.partition},offset:{each.end}" for each in self.ranges)
        return {"OFFSETS_START": starts, "OFFSETS_END": ends}


@dataclass(frozen=True)
class FromArchive:
    """A Parquet in the archive's format.

    Args:
        said: What a person calls it; its path without that.
    """

    path: Path
    said: str = ""

    parts = RESTATEMENT_OF_ARCHIVE

    def __str__(self) -> str:
        return self.said or f"archive {self.path}"

    def values(self, asked: Asked, folder: Path) -> Mapping[str, str]:
        """What the script leaves open; writes the ticks into the folder."""
        write_lines(self.path, folder, asked.symbols)
        return {"ARCHIVE_LINES": folder.as_uri()}


TickSource = FromTopic | FromArchive


def choose_source(asked: Asked, *, bootstrap: str, archive: Path) -> TickSource:
    """The topic while nothing of the session can have been dropped from it, else the archive.

    Raises:
        SessionTicksMissing: neither has the session.
        TopicMissing: Kafka does not answer.
    """
    ranges = offset_ranges(bootstrap, TICK.address, since=asked.ts_from - _MARGIN, until=None)
    is_whole = has_whole(ranges, oldest_offsets(bootstrap, TICK.address))
    in_session = offset_ranges(bootstrap, TICK.address, since=asked.ts_from - _MARGIN, until=asked.ts_until + _MARGIN)
    has_archive = archive.exists() and tick_count(archive, asked.symbols) > 0
    if is_whole and (any(each.start < each.end for each in in_session) or not has_archive):
        if any(each.start < each.end for each in ranges):
            return FromTopic(tuple(ranges))
    if has_archive:
        return FromArchive(archive)
    in_topic = "the topic has no tick of its time or later" if is_whole else "the topic has dropped its beginning"
    raise SessionTicksMissing(asked.session_date, in_topic, f"there is no archive {archive}")


def has_whole(ranges: Sequence[OffsetRange], oldest: Mapping[int, int]) -> bool:
    """Whether the topic has all that came since the ranges' start: it drops from its beginning, and something older is there."""
    return all(oldest[each.partition] == 0 or each.start > oldest[each.partition] for each in ranges)
