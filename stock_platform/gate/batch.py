"""The gate's input: closed bars of one session that no gate run has judged in their present form, and what they are compared with.

A bar of an exchange that the vendor brings late (reference.vendor_instrument.delay_s) closes so much later. One that was refused is
judged again once a split of its session is known that was not known then.

Reads staging.bar_1m_sized, market.bar_1m, quality.quarantine, reference. Unit of parallelism: session.
A repeat reads what is still unjudged. Not here: the comparison (context), which sessions wait (pending)."""

from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from stock_platform.adapters.postgres import Connection, read_frame
from stock_platform.gate.background import Background, read_background

CONTENT = "open high low close volume vwap tick_count ts_first_tick ts_last_tick is_continuous".split()
"""Columns in which a bar differs from its earlier version; where it came from (offsets, job) is no difference."""

_BARS = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source "
    "kafka_partition kafka_offset_first kafka_offset_last flink_job_id is_continuous session_date response_path"
).split()

SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("symbol", "source", "flink_job_id", "calendar", "response_path"), pl.String()),
    **dict.fromkeys(("ts_start", "ts_end", "ts_first_tick", "ts_last_tick", "ts_open", "ts_close"), pl.Datetime("us", "UTC")),
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), pl.Decimal(18, 6)),
    **dict.fromkeys(("volume", "tick_count", "kafka_partition", "kafka_offset_first", "kafka_offset_last"), pl.Int64()),
    **dict.fromkeys(("is_continuous", "is_in_session", "is_on_tick"), pl.Boolean()),
    "session_date": pl.Date(),
}
_BESIDE = ("is_in_session", "calendar", "ts_open", "ts_close", "is_on_tick")
_READ = {name: SCHEMA[name] for name in (*_BARS, *_BESIDE)}

_same_market = " AND ".join(f"market.{name} IS NOT DISTINCT FROM sized.{name}" for name in CONTENT)
_same_quarantine = " AND ".join(f"quarantine.{name} IS NOT DISTINCT FROM sized.{name}" for name in CONTENT)

SPLIT_LEARNT = """(
    quarantine.state = 'open'
    AND EXISTS (
        SELECT FROM reference.corporate_action AS action
        WHERE
            action.symbol = quarantine.symbol AND action.kind = 'split' AND action.ts_recv > quarantine.ts_quarantined
            AND action.ex_date <= quarantine.session_date AND action.ex_date > quarantine.session_date - 30
    )
)"""
"""A refused bar whose symbol had a split that was not known yet: what was out of scale may be right."""

_SELECTED = f"""
SELECT {", ".join(f"sized.{name}" for name in _BARS)}, sized.is_in_session, instrument.calendar, session.ts_open, session.ts_close,
    mod(sized.open, instrument.tick_size) = 0 AND mod(sized.high, instrument.tick_size) = 0
    AND mod(sized.low, instrument.tick_size) = 0 AND mod(sized.close, instrument.tick_size) = 0 AS is_on_tick
FROM staging.bar_1m_sized AS sized
LEFT JOIN reference.instrument AS instrument ON instrument.symbol = sized.symbol
LEFT JOIN reference.session AS session
    ON session.calendar = instrument.calendar AND session.session_date = sized.session_date
"""

# What is in quarantine in its present form is judged already, whether it waits for a person or was discarded.
_CLOSED = f"""
{_SELECTED}
LEFT JOIN market.bar_1m AS market ON market.symbol = sized.symbol AND market.ts_start = sized.ts_start
LEFT JOIN quality.quarantine AS quarantine
    ON quarantine.symbol = sized.symbol AND quarantine.ts_start = sized.ts_start
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = sized.symbol
WHERE
    sized.session_date = %(session_date)s
    AND sized.ts_end + coalesce(vendor.delay_s, 0) * interval '1 second' <= %(closed_until)s
    AND NOT coalesce(market.symbol IS NOT NULL AND {_same_market}, FALSE)
    AND NOT coalesce(quarantine.symbol IS NOT NULL AND {_same_quarantine} AND NOT {SPLIT_LEARNT}, FALSE)
ORDER BY sized.symbol, sized.ts_start
"""

_ONE = f"""
{_SELECTED}
WHERE sized.symbol = %(symbol)s AND sized.ts_start = %(ts_start)s
"""


@dataclass(frozen=True)
class Batch:
    """Closed, unjudged bars of one session.

    Args:
        bars: One row per bar, sorted by symbol and ts_start.
        closed_until: Every bar ends at or before this instant.
        background: What the bars are compared with.
        restatement_id: Newest restatement of the session that was promoted when it was read, 0 for none; None: it does not matter.
    """

    session_date: date
    closed_until: datetime
    bars: pl.DataFrame
    background: Background = field(default_factory=Background)
    restatement_id: int | None = None


def read_batch(connection: Connection, session_date: date, closed_until: datetime) -> Batch:
    """What is closed and unjudged now; empty when there is nothing."""
    parameters = {"session_date": session_date, "closed_until": closed_until}
    restatement_id = _newest_restatement(connection, session_date)  # first: what is promoted after it makes the batch outdated
    bars = read_frame(connection, _CLOSED, parameters, schema=_READ)
    return Batch(session_date, closed_until, bars, read_background(connection, bars, session_date, closed_until), restatement_id)


def is_outdated(connection: Connection, batch: Batch) -> bool:
    """Whether a restatement has replaced bars of the session since the batch was read."""
    known = batch.restatement_id
    return known is not None and _newest_restatement(connection, batch.session_date) > known


def _newest_restatement(connection: Connection, session_date: date) -> int:
    query = "SELECT coalesce(max(restatement_id), 0) FROM ops.restatement WHERE session_date = %s AND is_promoted"
    row = connection.execute(query, (session_date,)).fetchone()
    return row[0] if row else 0


def read_bar(connection: Connection, symbol: str, ts_start: datetime) -> Batch | None:
    """One bar as it is staged now, judged or not; None when staging has none.

    It is taken for closed: a bar that was refused had been."""
    bars = read_frame(connection, _ONE, {"symbol": symbol, "ts_start": ts_start}, schema=_READ)
    if bars.is_empty():
        return None
    bar = bars.row(0, named=True)
    background = read_background(connection, bars)
    return Batch(bar["session_date"], bar["ts_end"], bars, background)
