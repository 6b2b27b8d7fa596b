"""A session's service level: how many of its closed minutes have a certified bar, and how late the bars came that came live.

Minutes are those of the gap ledger: closed, since the symbol is watched. Good is a minute with a bar, whoever brought it; excused
is one without, of which the ledger says closed, halt or no_trade. What is left was spent.
Not here: the budget (view ops.error_budget)."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple

import polars as pl

from stock_platform.adapters.postgres import Connection, replace_part
from stock_platform.contracts.slo import SLO_SESSION
from stock_platform.market.gaps.facts import Watched, read_watched
from stock_platform.market.latency_facts import LIVE
from stock_platform.market.session_minutes import instant_of

_GOOD = """
SELECT asked.symbol, count(*)
FROM unnest(%(symbols)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) AS asked (symbol, ts_since, ts_until)
JOIN market.bar_1m AS bar ON bar.symbol = asked.symbol AND bar.ts_start >= asked.ts_since AND bar.ts_start < asked.ts_until
WHERE bar.session_date = %(session_date)s
GROUP BY asked.symbol
"""
# A bar that came since the ledger was last looked at is good, whatever its row says.
_EXCUSED = """
SELECT
    gap.symbol,
    sum(gap.minute_count - (
        SELECT count(*) FROM market.bar_1m AS bar
        WHERE bar.symbol = gap.symbol AND bar.ts_start >= gap.ts_start AND bar.ts_start < gap.ts_end
    ))::bigint
FROM quality.gap AS gap
WHERE gap.session_date = %(session_date)s AND gap.state = 'explained' AND gap.gap_class IN ('closed', 'halt', 'no_trade')
GROUP BY gap.symbol
"""
_LATENCY: LiteralString = f"""
SELECT
    bar.symbol,
    percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
        ORDER BY extract(EPOCH FROM bar.ts_accepted - bar.ts_end)::double precision
    )
FROM market.bar_1m_revision AS bar
WHERE bar.session_date = %(session_date)s AND {LIVE}
GROUP BY bar.symbol
"""
_KEPT = """
SELECT symbol, ARRAY[latency_p50_s, latency_p95_s, latency_p99_s]
FROM ops.slo_session
WHERE session_date = %(session_date)s AND latency_p50_s IS NOT NULL
"""
_DUE = """
SELECT
    (SELECT count(*) FROM quality.gate_run AS run WHERE run.session_date = %(session_date)s) %% %(every)s = 1
    OR %(closed_until)s >= (
        SELECT max(session.ts_close)
        FROM reference.session AS session
        JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
        WHERE session.session_date = %(session_date)s
    )
"""
_EVERY = 15
"""Gate runs of a session between two readings of its latencies: by its end each reads every bar of it."""

Latencies = Mapping[str, Sequence[float]]
"""By symbol, seconds: p50, p95, p99. One of which nothing came live is left out."""


@dataclass(frozen=True)
class Level:
    """One symbol's session, in the order of its columns in ops.slo_session."""

    session_date: date
    symbol: str
    calendar: str
    session_minute_count: int
    excused_minute_count: int
    good_minute_count: int
    good_ratio: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    latency_p99_s: float | None


class Counts(NamedTuple):
    """By symbol; one that is not named has none."""

    good: Mapping[str, int]
    excused: Mapping[str, int]
    latencies: Latencies


def levels(session_date: date, watched: Sequence[Watched], counts: Counts) -> list[Level]:
    """The session's rows, in order of symbol. Pure."""
    return [_level(session_date, each, counts) for each in sorted(watched, key=lambda each: each.symbol)]


def _level(session_date: date, watched: Watched, counts: Counts) -> Level:
    total = len(watched.hours.minutes(since=watched.since, until=watched.until))
    good = min(counts.good.get(watched.symbol, 0), total)
    excused = min(counts.excused.get(watched.symbol, 0), total - good)
    ratio = good / (total - excused) if total > excused else None
    latency = counts.latencies.get(watched.symbol, (None, None, None))
    return Level(session_date, watched.symbol, watched.calendar, total, excused, good, ratio, *latency)


def read_latencies(connection: Connection, session_date: date) -> Latencies:
    """Of every first version that came live."""
    return dict(connection.execute(_LATENCY, {"session_date": session_date}).fetchall())


def kept_latencies(connection: Connection, session_date: date) -> Latencies:
    """As they were last read."""
    return dict(connection.execute(_KEPT, {"session_date": session_date}).fetchall())


def latencies_due(connection: Connection, session_date: date, closed_until: datetime) -> bool:
    """Whether a gate run is to read them anew: the first of each `_EVERY`, and whoever comes when the session is over."""
    facts = {"session_date": session_date, "closed_until": closed_until, "every": _EVERY}
    row = connection.execute(_DUE, facts).fetchone()
    return row is None or bool(row[0])


def read_levels(connection: Connection, session_date: date, closed_until: datetime, latencies: Latencies) -> list[Level]:
    """The session's rows as they are to be."""
    watched = read_watched(connection, session_date, closed_until)
    facts: dict[str, Any] = {
        "session_date": session_date,
        "symbols": [each.symbol for each in watched],
        "since": [instant_of(max(each.since, each.hours.opens)) for each in watched],
        "until": [instant_of(min(each.until, each.hours.closes)) for each in watched],
    }
    good = connection.execute(_GOOD, facts).fetchall()
    excused = connection.execute(_EXCUSED, facts).fetchall()
    return levels(session_date, watched, Counts(dict(good), dict(excused), latencies))


def keep_levels(connection: Connection, session_date: date, rows: Sequence[Level], *, run_id: str, now: datetime) -> int:
    """Write what differs. Returns the rows changed."""
    schema: dict[str, Any] = dict.fromkeys(SLO_SESSION.names[:10]) | {
        "dagster_run_id": pl.String,
        "ts_updated": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame([(*astuple(row), run_id, now) for row in rows], schema=schema, orient="row", infer_schema_length=None)
    return replace_part(connection, SLO_SESSION.address, frame, key=SLO_SESSION.key, within={"session_date": session_date})
