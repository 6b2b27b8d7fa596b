"""A certified bar held against its ticks: exactly its offsets are read again from Kafka, and the bar is computed anew.

Reads market.ticks.v1 and staging.bar_1m; writes nothing. Memory: the ticks of one bar."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from stock_platform.adapters.kafka_records import RecordReader, Stored
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import Verdict
from stock_platform.errors.passport import BarNotOfTicks, TicksNotKept
from stock_platform.market.passport import Passport, Version
from stock_platform.market.recomputation import FIELDS, Placed, recompute
from stock_platform.market.tick_message import instant, tick_of

_MINUTE = timedelta(minutes=1)

_DAY_VOLUME_BEFORE = """
SELECT coalesce(max(staged.day_volume_last), 0)
FROM staging.bar_1m AS staged
JOIN reference.instrument AS instrument ON instrument.symbol = staged.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar
WHERE
    staged.symbol = %(symbol)s
    AND session.session_date = %(session_date)s
    AND staged.ts_start >= session.ts_open
    AND staged.ts_start < %(ts_start)s
    AND (session.ts_break_start IS NULL OR staged.ts_start < session.ts_break_start OR staged.ts_start >= session.ts_break_end)
"""
"""The session's earlier bars as they are staged now."""


@dataclass(frozen=True)
class Field:
    """One field of the bar, certified and recomputed; None recomputed where no tick was found."""

    name: str
    certified: Any
    recomputed: Any

    @property
    def is_equal(self) -> bool:
        """To the last digit."""
        return self.certified == self.recomputed


@dataclass(frozen=True)
class Verification:
    """What came out.

    Args:
        record_count: Records that were read, other symbols' among them.
        fields: In the order of FIELDS.
        answer: What a bar of the vendor was held against; None: ticks.
    """

    record_count: int
    fields: tuple[Field, ...]
    answer: str | None = None

    @property
    def is_equal(self) -> bool:
        """Whether the ticks, or the vendor's answer, give the certified bar."""
        return all(field.is_equal for field in self.fields)


def verify(
    passport: Passport, connection: Connection, reader: RecordReader, *, late_limit: timedelta | None, archive: Path
) -> Verification:
    """Read the bar's ticks again and compare.

    Args:
        reader: Of market.ticks.v1.
        late_limit: A tick that reached Kafka later than this after it had happened is in no bar of the stream; None: all are.
        archive: Where the session's archive is, or would be.
    Raises:
        BarNotOfTicks: it is the vendor's bar, or a tape's.
        TicksNotKept: Kafka has not all of the offsets any more.
        BrokerUnreachable: Kafka went away.
    """
    bar = passport.current
    place = _place(bar)
    _require_kept(bar, place, reader, topic=passport.kafka_topic, archive=archive)
    # A restatement takes in what came too late for the stream.
    limit = late_limit if passport.flink_job is None or passport.flink_job.restatement_id is None else None
    record_count, ticks = _read(bar, place, reader, late_limit=limit)
    found = recompute(ticks, day_volume_before=_day_volume_before(connection, bar))
    return Verification(record_count, tuple(Field(name, getattr(bar, name), found.get(name)) for name in FIELDS))


class _Place(NamedTuple):
    """Where a bar's ticks are: first and last offset of a partition."""

    partition: int
    first: int
    last: int


def _place(bar: Version) -> _Place:
    place = bar.kafka_partition, bar.kafka_offset_first, bar.kafka_offset_last
    if bar.verdict == Verdict.VENDOR or place[0] is None or place[1] is None or place[2] is None or place[0] < 0:
        raise BarNotOfTicks(bar.symbol, bar.ts_start, bar.verdict)
    return _Place(place[0], place[1], place[2])


def _require_kept(bar: Version, place: _Place, reader: RecordReader, *, topic: str, archive: Path) -> None:
    start, end = kept = reader.kept(place.partition)
    if place.first < start or place.last >= end:
        there, offsets = archive if archive.exists() else None, (place.first, place.last)
        raise TicksNotKept(topic, place.partition, offsets=offsets, kept=kept, session=bar.session_date, archive=there)


def _read(bar: Version, place: _Place, reader: RecordReader, *, late_limit: timedelta | None) -> tuple[int, list[Placed]]:
    """How many records the bar's offsets have, and those of them that are its ticks."""
    record_count, ticks = 0, list[Placed]()
    for record in reader.between(*place):
        record_count += 1
        tick = tick_in(bar.symbol, bar.ts_start, record, late_limit=late_limit)
        ticks += [tick] if tick else []
    return record_count, ticks


def tick_in(symbol: str, ts_start: datetime, record: Stored, *, late_limit: timedelta | None) -> Placed | None:
    """The record's tick, when it is one of that symbol and minute, of regular hours, and not too late by Kafka's time."""
    tick = tick_of(record.value)
    if tick is None or tick.symbol != symbol or tick.session_phase != "regular":
        return None
    if not ts_start <= tick.ts_event < ts_start + _MINUTE:
        return None
    if late_limit is not None and instant(record.ts_ms) - tick.ts_event > late_limit:
        return None
    return Placed(record.offset, tick)


def _day_volume_before(connection: Connection, bar: Version) -> int:
    facts = {"symbol": bar.symbol, "session_date": bar.session_date, "ts_start": bar.ts_start}
    row = connection.execute(_DAY_VOLUME_BEFORE, facts).fetchone()
    return row[0] if row else 0
