"""Which sessions wait for the gate, and since when. Reads staging.bar_1m, market.bar_1m, quality.quarantine, reference.

Not here: the bars themselves (batch)."""

from dataclasses import dataclass
from datetime import date, datetime

from stock_platform.adapters.postgres import Connection
from stock_platform.gate.batch import SPLIT_LEARNT

_PENDING = f"""
WITH candidate AS (
    SELECT staged.symbol, staged.ts_start, staged.ts_end, staged.ts_landed, staged.tick_count, staged.close, staged.ts_last_tick
    FROM staging.bar_1m AS staged
    WHERE staged.ts_landed >= %(since)s
    UNION
    SELECT staged.symbol, staged.ts_start, staged.ts_end, staged.ts_landed, staged.tick_count, staged.close, staged.ts_last_tick
    FROM quality.quarantine AS quarantine
    JOIN staging.bar_1m AS staged ON staged.symbol = quarantine.symbol AND staged.ts_start = quarantine.ts_start
    WHERE {SPLIT_LEARNT}
),

-- First of all: a session from the vendor's history lands at once, judged, and is no matter of this query.
unjudged AS MATERIALIZED (
    SELECT staged.symbol, staged.ts_start, staged.ts_end, staged.ts_landed
    FROM candidate AS staged
    WHERE
        NOT EXISTS (
            SELECT FROM market.bar_1m AS bar
            WHERE bar.symbol = staged.symbol AND bar.ts_start = staged.ts_start
                AND bar.tick_count = staged.tick_count AND bar.close = staged.close
                AND bar.ts_last_tick IS NOT DISTINCT FROM staged.ts_last_tick
        )
        AND NOT EXISTS (
            SELECT FROM quality.quarantine AS quarantine
            WHERE quarantine.symbol = staged.symbol AND quarantine.ts_start = staged.ts_start
                AND quarantine.tick_count = staged.tick_count AND quarantine.close = staged.close
                AND quarantine.ts_last_tick IS NOT DISTINCT FROM staged.ts_last_tick AND NOT {SPLIT_LEARNT}
        )
)

SELECT coalesce(session.session_date, (staged.ts_start AT TIME ZONE 'UTC')::date) AS session_date,
    min(staged.ts_end + coalesce(vendor.delay_s, 0) * interval '1 second') AS ts_end_first, min(staged.ts_landed) AS ts_landed_first
FROM unjudged AS staged
LEFT JOIN reference.instrument AS instrument ON instrument.symbol = staged.symbol
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = staged.symbol
LEFT JOIN reference.session AS session
    ON session.calendar = instrument.calendar
    AND session.ts_open > staged.ts_start - interval '2 days'
    AND staged.ts_start >= session.ts_open
    AND staged.ts_start < session.ts_close
    AND (session.ts_break_start IS NULL OR staged.ts_start < session.ts_break_start OR staged.ts_start >= session.ts_break_end)
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
