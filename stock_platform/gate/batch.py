"""The gate's input: closed bars of one session that no gate run has judged in their present form.

A bar of an exchange that the vendor brings late (reference.vendor_instrument.delay_s) closes so much later.

Reads staging.bar_1m_sized, market.bar_1m, quality.quarantine. Unit of parallelism: session.
A repeat reads what is still unjudged."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from stock_platform.adapters.postgres import Connection, read_frame

CONTENT = "open high low close volume vwap tick_count ts_first_tick ts_last_tick is_continuous".split()
"""Columns in which a bar differs from its earlier version; where it came from (offsets, job) is no difference."""

_BARS = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source "
    "kafka_partition kafka_offset_first kafka_offset_last flink_job_id is_continuous session_date response_path"
).split()

SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("symbol", "source", "flink_job_id", "response_path"), pl.String()),
    **dict.fromkeys(("ts_start", "ts_end", "ts_first_tick", "ts_last_tick"), pl.Datetime("us", "UTC")),
    **dict.fromkeys(("open", "high", "low", "close", "vwap", "collar_reference"), pl.Decimal(18, 6)),
    **dict.fromkeys(("volume", "tick_count", "kafka_partition", "kafka_offset_first", "kafka_offset_last"), pl.Int64()),
    **dict.fromkeys(("is_continuous", "is_in_session", "is_pending"), pl.Boolean()),
    "session_date": pl.Date(),
}
_READ = {name: SCHEMA[name] for name in (*_BARS, "is_in_session", "collar_reference")}

_same_market = " AND ".join(f"market.{name} IS NOT DISTINCT FROM sized.{name}" for name in CONTENT)
_same_quarantine = " AND ".join(f"quarantine.{name} IS NOT DISTINCT FROM sized.{name}" for name in CONTENT)

_SELECTED = f"""
SELECT {", ".join(f"sized.{name}" for name in _BARS)}, sized.is_in_session,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY earlier.close) AS collar_reference
FROM staging.bar_1m_sized AS sized
"""

_EARLIER = """
LEFT JOIN LATERAL (
    SELECT staged.close FROM staging.bar_1m AS staged
    WHERE staged.symbol = sized.symbol AND staged.ts_start < sized.ts_start
    ORDER BY staged.ts_start DESC
    LIMIT 30
) AS earlier ON TRUE
"""

_GROUPED = f"""
GROUP BY {", ".join(f"sized.{name}" for name in _BARS)}, sized.is_in_session
ORDER BY sized.symbol, sized.ts_start
"""

# What is in quarantine in its present form is judged already, whether it waits for a person or was discarded.
_CLOSED = f"""
{_SELECTED}
LEFT JOIN market.bar_1m AS market ON market.symbol = sized.symbol AND market.ts_start = sized.ts_start
LEFT JOIN quality.quarantine AS quarantine
    ON quarantine.symbol = sized.symbol AND quarantine.ts_start = sized.ts_start
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = sized.symbol
{_EARLIER}
WHERE
    sized.session_date = %(session_date)s
    AND sized.ts_end + coalesce(vendor.delay_s, 0) * interval '1 second' <= %(closed_until)s
    AND NOT coalesce(market.symbol IS NOT NULL AND {_same_market}, FALSE)
    AND NOT coalesce(quarantine.symbol IS NOT NULL AND {_same_quarantine}, FALSE)
{_GROUPED}
"""

_ONE = f"""
{_SELECTED}
{_EARLIER}
WHERE sized.symbol = %(symbol)s AND sized.ts_start = %(ts_start)s
{_GROUPED}
"""


@dataclass(frozen=True)
class Batch:
    """Closed, unjudged bars of one session.

    Args:
        bars: One row per bar, sorted by symbol and ts_start; `collar_reference` is the median close of up to 30 staged bars before.
        closed_until: Every bar ends at or before this instant.
        restatement_id: Newest restatement of the session that was promoted when it was read, 0 for none; None: it does not matter.
    """

    session_date: date
    closed_until: datetime
    bars: pl.DataFrame
    restatement_id: int | None = None


def read_batch(connection: Connection, session_date: date, closed_until: datetime) -> Batch:
    """What is closed and unjudged now; empty when there is nothing."""
    parameters = {"session_date": session_date, "closed_until": closed_until}
    restatement_id = _newest_restatement(connection, session_date)  # first: what is promoted after it makes the batch outdated
    return Batch(session_date, closed_until, read_frame(connection, _CLOSED, parameters, schema=_READ), restatement_id)


def is_outdated(connection: Connection, batch: Batch) -> bool:
    """Whether a restatement has replaced bars of the session since the batch was read."""
    known = batch.restatement_id
    return known is not None and _newest_restatement(connection, batch.session_date) > known


def _newest_restatement(connection: Connection, session_date: date) -> int:
    query = "SELECT coalesce(max(restatement_id), 0) FROM ops.restatement WHERE session_date = %s AND dagster_run_id IS NOT NULL"
    row = connection.execute(query, (session_date,)).fetchone()
    return row[0] if row else 0


def read_bar(connection: Connection, symbol: str, ts_start: datetime) -> Batch | None:
    """One bar as it is staged now, judged or not; None when staging has none.

    It is taken for closed: a bar that was refused had been."""
    bars = read_frame(connection, _ONE, {"symbol": symbol, "ts_start": ts_start}, schema=_READ)
    if bars.is_empty():
        return None
    bar = bars.row(0, named=True)
    return Batch(bar["session_date"], bar["ts_end"], bars)


_PENDING = """
SELECT coalesce(session.session_date, (staged.ts_start AT TIME ZONE 'UTC')::date) AS session_date,
    min(staged.ts_end + coalesce(vendor.delay_s, 0) * interval '1 second') AS ts_end_first, min(staged.ts_landed) AS ts_landed_first
FROM staging.bar_1m AS staged
LEFT JOIN reference.instrument AS instrument ON instrument.symbol = staged.symbol
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = staged.symbol
LEFT JOIN reference.session AS session
    ON session.calendar = instrument.calendar
    AND session.ts_open > staged.ts_start - interval '2 days'
    AND staged.ts_start >= session.ts_open
    AND staged.ts_start < session.ts_close
    AND (session.ts_break_start IS NULL OR staged.ts_start < session.ts_break_start OR staged.ts_start >= session.ts_break_end)
WHERE
    staged.ts_landed >= %(since)s
    AND NOT EXISTS (
        SELECT FROM market.bar_1m AS bar
        WHERE bar.symbol = staged.symbol AND bar.ts_start = staged.ts_start
            AND bar.tick_count = staged.tick_count AND bar.close = staged.close
            AND bar.ts_last_tick IS NOT DISTINCT FROM staged.ts_last_tick
    )
    AND NOT EXISTS (
        SELECT FROM quality.quarantine AS bar
        WHERE bar.symbol = staged.symbol AND bar.ts_start = staged.ts_start
            AND bar.tick_count = staged.tick_count AND bar.close = staged.close
            AND bar.ts_last_tick IS NOT DISTINCT FROM staged.ts_last_tick
    )
GROUP BY 1
ORDER BY 2
"""


@dataclass(frozen=True)
class Pending:
    """A session with bars that are not judged yet.

    Args:
        ts_end_first: End of its earliest such bar, which is the next to close; later by the delay of an exchange that the vendor
            brings late.
        ts_landed_first: When the longest-waiting of them landed."""

    session_date: date
    ts_end_first: datetime
    ts_landed_first: datetime


def pending_sessions(connection: Connection, since: datetime) -> list[Pending]:
    """Sessions with unjudged bars among those that landed at or after `since`, the earliest bar first."""
    rows = connection.execute(_PENDING, {"since": since}).fetchall()
    return [Pending(*row) for row in rows]
