"""Service levels, from Postgres: error budgets by session, latency by minute and hop."""

from dataclasses import asdict

from stock_platform.api.level_shapes import HopLatency, SessionLevel
from stock_platform.api.postgres_reads import PostgresReads
from stock_platform.api.store import LatencyQuery, ListQuery

_LEVELS = """
SELECT session_date, calendar, objective_ratio, counted_minute_count, spent_minute_count, good_ratio, burn_rate, session_30_count,
    budget_30_minutes, spent_30_minute_count, budget_left_ratio
FROM ops.error_budget
WHERE (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
    AND (%(calendar)s::text IS NULL OR calendar = %(calendar)s)
    AND {after}
ORDER BY session_date DESC, calendar DESC
LIMIT %(limit)s
"""

_LATENCY = """
SELECT ts_minute, hop, observation_count, p50_ms, p95_ms, p99_ms, max_ms
FROM ops.latency_minute
WHERE (%(start)s::timestamptz IS NULL OR ts_minute >= %(start)s)
    AND (%(end)s::timestamptz IS NULL OR ts_minute < %(end)s)
    AND (%(hop)s::text IS NULL OR hop = %(hop)s)
ORDER BY ts_minute {order}, hop {order}
LIMIT %(limit)s
"""


class PostgresLevel(PostgresReads):
    """How well the platform keeps what it promises."""

    def session_levels(self, query: ListQuery) -> list[SessionLevel]:
        """Error budgets, newest session first."""
        return [SessionLevel(**row) for row in self._listed(_LEVELS, "session_date, calendar", query)]

    def latency(self, query: LatencyQuery) -> list[HopLatency]:
        """By minute and hop, oldest first; without a start the newest."""
        rows = self._rows(_LATENCY.format(order="ASC" if query.start else "DESC"), asdict(query))
        return [HopLatency(**row) for row in (rows if query.start else reversed(rows))]
