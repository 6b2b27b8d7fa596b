"""What is read beside the bars of a batch: accepted bars before them, splits, and whether the session is all there.

Reads market.bar_1m, staging.bar_1m, ops.feed_gap, reference. Not here: the comparison (context)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from stock_platform.adapters.postgres import Connection, read_frame
from stock_platform.gate.context import HABIT_COUNT

_PRICE = pl.Decimal(18, 6)
EARLIER: dict[str, Any] = {
    "symbol": pl.String,
    "ts_start": pl.Datetime("us", "UTC"),
    "session_date": pl.Date,
    **dict.fromkeys(("open", "high", "low", "close"), _PRICE),
    "volume": pl.Int64,
}

_names = ", ".join(f"bar.{name}" for name in EARLIER)
_EARLIER = f"""
SELECT {_names}
FROM unnest(%(symbols)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS wanted (symbol, ts_first, ts_last)
CROSS JOIN LATERAL (
    (
        SELECT {_names}
        FROM market.bar_1m AS bar
        WHERE bar.symbol = wanted.symbol AND bar.ts_start < wanted.ts_first
        ORDER BY bar.ts_start DESC
        LIMIT {HABIT_COUNT}
    )
    UNION ALL
    SELECT {_names}
    FROM market.bar_1m AS bar
    WHERE bar.symbol = wanted.symbol AND bar.ts_start >= wanted.ts_first AND bar.ts_start < wanted.ts_last
) AS bar
"""

_SPLITS = """
SELECT symbol, ex_date, ratio::float8 AS ratio
FROM reference.corporate_action
WHERE kind = 'split' AND symbol = ANY (%s)
ORDER BY symbol, ex_date
"""

# The newest minute of the session that is closed; who had a bar in 27 of the 30 minutes before it, is in session, was heard by the
# feed, and has none in it. An exchange that the vendor brings late is left out.
_PRESENCE = """
WITH session AS (
    SELECT session.calendar, session.ts_open, session.ts_close, session.ts_break_start, session.ts_break_end
    FROM reference.session AS session
    WHERE session.session_date = %(session_date)s
),

newest AS (
    SELECT max(bar.ts_start) AS ts_start, max(bar.ts_end) AS ts_end
    FROM staging.bar_1m AS bar
    WHERE bar.ts_start >= (SELECT min(session.ts_open) FROM session) AND bar.ts_start < (SELECT max(session.ts_close) FROM session)
        AND bar.ts_end <= %(closed_until)s
),

usual AS (
    SELECT bar.symbol, bool_or(bar.ts_start = newest.ts_start) AS is_there
    FROM newest
    JOIN staging.bar_1m AS bar ON bar.ts_start >= newest.ts_start - interval '30 minutes' AND bar.ts_start <= newest.ts_start
    JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol
    JOIN session ON session.calendar = instrument.calendar
        AND newest.ts_start >= session.ts_open AND newest.ts_start < session.ts_close
        AND (session.ts_break_start IS NULL OR newest.ts_start < session.ts_break_start OR newest.ts_start >= session.ts_break_end)
    WHERE NOT EXISTS (SELECT FROM reference.vendor_instrument AS vendor WHERE vendor.symbol = bar.symbol AND vendor.delay_s > 0)
        AND NOT EXISTS (
            SELECT FROM ops.feed_gap AS gap
            WHERE gap.ts_gap_start < newest.ts_end AND gap.ts_gap_end > newest.ts_start
                AND bar.symbol = ANY (string_to_array(gap.symbols, ' '))
        )
    GROUP BY bar.symbol
    HAVING count(*) FILTER (WHERE bar.ts_start < newest.ts_start) >= 27
)

SELECT
    (SELECT count(*) FROM usual) AS usual_count,
    (SELECT count(*) FROM usual WHERE NOT usual.is_there) AS silent_count,
    extract(
        epoch FROM least(%(closed_until)s, (SELECT max(session.ts_close) FROM session)) - (SELECT newest.ts_end FROM newest)
    )::float8 / 60 AS behind_min
"""
_USUAL_NEEDED = 5
"""Fewer symbols may all be silent by chance."""


@dataclass(frozen=True)
class Background:
    """What a batch is judged before.

    Args:
        earlier: Accepted bars of the batch's symbols, columns EARLIER.
        splits: Of each symbol: ex-date and new shares an old one, in order.
        silent_pct: Of the symbols that had bars all the time, how many have none in the newest closed minute.
        behind_min: Minutes from the session's newest closed bar to the feed's progress, or to the session's end if that is past.
    """

    earlier: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EARLIER))
    splits: Mapping[str, Sequence[tuple[date, float]]] = field(default_factory=lambda: {})
    silent_pct: float = 0.0
    behind_min: float = 0.0


def read_background(
    connection: Connection, bars: pl.DataFrame, session_date: date | None = None, closed_until: datetime | None = None
) -> Background:
    """What these bars are to be compared with; without a session only their own past."""
    if bars.is_empty():
        return Background()
    wanted = bars.group_by("symbol", maintain_order=True).agg(first=pl.col("ts_start").min(), last=pl.col("ts_start").max())
    parameters = {"symbols": wanted["symbol"].to_list(), "firsts": wanted["first"].to_list(), "lasts": wanted["last"].to_list()}
    earlier = read_frame(connection, _EARLIER, parameters, schema=EARLIER)
    splits: dict[str, list[tuple[date, float]]] = {}
    for symbol, ex_date, ratio in connection.execute(_SPLITS, (parameters["symbols"],)).fetchall():
        splits.setdefault(symbol, []).append((ex_date, ratio))
    return Background(earlier, splits, *_presence(connection, session_date, closed_until))


def _presence(connection: Connection, session_date: date | None, closed_until: datetime | None) -> tuple[float, float]:
    if session_date is None:
        return 0.0, 0.0
    row = connection.execute(_PRESENCE, {"session_date": session_date, "closed_until": closed_until}).fetchone()
    usual_count, silent_count, behind_min = row or (0, 0, None)
    silent_pct = 100 * silent_count / usual_count if usual_count >= _USUAL_NEEDED else 0.0
    return silent_pct, max(behind_min or 0.0, 0.0)
