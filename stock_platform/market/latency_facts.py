"""Times of a session's bars and ticks: from Postgres, and a bounded sample of the ticks' from Kafka.

Only what came live counts: the first version of a bar that a gate run accepted of our own ticks. A restated bar, the vendor's, one
that a person released and one of a delayed exchange say nothing of how fast the platform is. Not here: what follows (latency)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import LiteralString

import msgspec

from stock_platform.adapters.kafka_range import offset_ranges
from stock_platform.adapters.kafka_records import Stored, open_records
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.tick import QUOTE_UPDATE
from stock_platform.market.latency import Latency, TimedBar, TimedTick
from stock_platform.market.tick_message import instant

SAMPLE_COUNT = 4_000
"""Newest quotes of a partition that are read in one look: at 60 ticks a second and 4 partitions all of a minute and more."""

LIVE: LiteralString = """
    bar.revision = 1
    AND bar.verdict IN ('passed', 'suspect')
    AND bar.response_path IS NULL
    AND NOT EXISTS (
        SELECT FROM reference.vendor_instrument AS vendor WHERE vendor.symbol = bar.symbol AND vendor.delay_s > 0
    )
    AND NOT EXISTS (
        SELECT FROM quality.quarantine_decision AS decision
        WHERE decision.symbol = bar.symbol AND decision.ts_start = bar.ts_start
            AND decision.dagster_run_id = bar.dagster_run_id
    )
"""
"""Condition on `bar`, a row of market.bar_1m_revision."""

# Minutes of the session that were certified since they were last measured.
_NEW_MINUTES = """
SELECT DISTINCT bar.ts_start
FROM market.bar_1m_revision AS bar
WHERE
    bar.revision = 1
    AND bar.session_date = %(session_date)s
    AND bar.ts_accepted > coalesce(
        (
            SELECT max(latency.ts_updated) FROM ops.latency_minute AS latency
            WHERE
                latency.ts_minute >= (SELECT min(ts_open) FROM reference.session WHERE session_date = %(session_date)s)
                AND latency.ts_minute < (SELECT max(ts_close) FROM reference.session WHERE session_date = %(session_date)s)
        ),
        '-infinity'
    )
"""
_ALL_MINUTES = """
SELECT DISTINCT bar.ts_start FROM market.bar_1m_revision AS bar WHERE bar.revision = 1 AND bar.session_date = %(session_date)s
"""
_BARS: LiteralString = f"""
SELECT
    bar.symbol, bar.ts_start, bar.ts_end, bar.ts_last_tick,
    CASE WHEN staged.ts_landed <= bar.ts_accepted THEN staged.ts_landed END AS ts_landed, bar.ts_accepted
FROM market.bar_1m_revision AS bar
LEFT JOIN staging.bar_1m AS staged ON staged.symbol = bar.symbol AND staged.ts_start = bar.ts_start
WHERE bar.session_date = %(session_date)s AND bar.ts_start = ANY (%(minutes)s) AND {LIVE}
"""
_FORGET = "DELETE FROM ops.latency_minute WHERE (ts_minute, hop) IN (SELECT * FROM unnest(%s::timestamptz[], %s::text[]))"
_INSERT = """
INSERT INTO ops.latency_minute
    (ts_minute, hop, observation_count, p50_ms, p95_ms, p99_ms, max_ms, dagster_run_id, ts_updated)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class _Times(msgspec.Struct):
    symbol: str
    ts_event: int
    ts_recv: int
    session_phase: str


_times = msgspec.json.Decoder(_Times).decode


@dataclass(frozen=True)
class SymbolBar:
    """A symbol's bar."""

    symbol: str
    times: TimedBar


def new_minutes(connection: Connection, session_date: date) -> list[datetime]:
    """Minutes of which bars were certified since the last look."""
    return [minute for (minute,) in connection.execute(_NEW_MINUTES, {"session_date": session_date}).fetchall()]


def all_minutes(connection: Connection, session_date: date) -> list[datetime]:
    """Minutes of which bars were ever certified."""
    return [minute for (minute,) in connection.execute(_ALL_MINUTES, {"session_date": session_date}).fetchall()]


def read_bars(connection: Connection, session_date: date, minutes: Sequence[datetime]) -> list[SymbolBar]:
    """Bars of these minutes that came live."""
    facts = {"session_date": session_date, "minutes": list(minutes)}
    return [SymbolBar(row[0], TimedBar(*row[1:])) for row in connection.execute(_BARS, facts).fetchall()]


def sampled(bootstrap: str, bars: Collection[SymbolBar]) -> list[TimedTick]:
    """Ticks of the bars' minutes and symbols, as far as they are among the newest quotes; each once, as it first came.

    Raises:
        TopicMissing, BrokerUnreachable: Kafka does not answer.
    """
    if not bars:
        return []
    minutes, symbols = {bar.times.ts_start for bar in bars}, {bar.symbol for bar in bars}
    since, until = min(minutes), max(bar.times.ts_accepted for bar in bars)
    first: dict[tuple[str, datetime, datetime], TimedTick] = {}
    for tick in _ticks(_newest(bootstrap, since, until), minutes, symbols):
        key = tick.symbol, tick.ts_event, tick.ts_recv
        first[key] = min(first.get(key, tick), tick, key=lambda each: each.ts_flink)
    return list(first.values())


def with_flink(bars: Iterable[SymbolBar], ticks: Iterable[TimedTick]) -> list[TimedBar]:
    """The bars with when Flink had their last tick, where that is among these."""
    read: Mapping[tuple[str, datetime], datetime] = {(tick.symbol, tick.ts_event): tick.ts_flink for tick in ticks}
    return [replace(bar.times, ts_flink=read.get((bar.symbol, bar.times.ts_last_tick))) for bar in bars]


def _newest(bootstrap: str, since: datetime, until: datetime) -> Iterator[Stored]:
    """Per partition the newest quotes that Flink handed on in that time."""
    ranges = offset_ranges(bootstrap, QUOTE_UPDATE.address, since=since, until=until)
    with open_records(bootstrap, QUOTE_UPDATE.address) as reader:
        for each in ranges:
            yield from reader.between(each.partition, max(each.start, each.end - SAMPLE_COUNT), each.end - 1)


def _ticks(records: Iterable[Stored], minutes: Collection[datetime], symbols: Collection[str]) -> Iterator[TimedTick]:
    for record in records:
        try:
            found = _times(record.value)
        except msgspec.MsgspecError:
            continue
        ts_event = instant(found.ts_event)
        if found.session_phase == "regular" and found.symbol in symbols and ts_event.replace(second=0, microsecond=0) in minutes:
            yield TimedTick(found.symbol, ts_event, instant(found.ts_recv), instant(record.ts_ms))


def keep_latencies(connection: Connection, rows: Sequence[Latency], *, run_id: str, now: datetime) -> None:
    """Replace these minutes' hops; others of the same minutes stay, so that a later look without Kafka takes nothing away."""
    connection.execute(_FORGET, ([row.ts_minute for row in rows], [row.hop for row in rows]))
    values = [
        (row.ts_minute, row.hop, row.observation_count, row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms, run_id, now) for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, values)
