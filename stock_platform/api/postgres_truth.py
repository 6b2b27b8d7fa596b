"""What changed the past, from Postgres: corporate actions, restatements, and indicators that look back."""

from dataclasses import asdict

from stock_platform.api.postgres_reads import PostgresReads
from stock_platform.api.store import ListQuery, SessionQuery
from stock_platform.api.truth_shapes import BarChange, CorporateAction, Indicator, Restatement

_ACTIONS = """
SELECT ex_date, kind, ratio, amount, currency, source, ts_recv
FROM reference.corporate_action
WHERE symbol = %(symbol)s
    AND (%(start)s::date IS NULL OR ex_date >= %(start)s)
    AND (%(end)s::date IS NULL OR ex_date < %(end)s)
    AND {after}
ORDER BY ex_date DESC, kind DESC
LIMIT %(limit)s
"""

_CHANGES = """
SELECT restatement_id, ts_start, session_date, change, bar_before AS before, bar_after AS after, dagster_run_id,
    %(runs)s || dagster_run_id AS dagster_run_url, ts_accepted
FROM quality.restatement
WHERE symbol = %(symbol)s
    AND (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
    AND {after}
ORDER BY restatement_id DESC, ts_start DESC
LIMIT %(limit)s
"""

_RESTATEMENTS = """
SELECT restatement_id, session_date, string_to_array(symbols, ' ') AS symbols, ticks_from, state, is_promoted, is_partial,
    flink_job_id, dagster_run_id, %(runs)s || dagster_run_id AS dagster_run_url, last_error, added_count, removed_count,
    changed_count, ts_started, ts_ended
FROM ops.restatement AS restatement
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE difference.change = 'added') AS added_count,
        count(*) FILTER (WHERE difference.change = 'removed') AS removed_count,
        count(*) FILTER (WHERE difference.change = 'changed') AS changed_count
    FROM quality.restatement AS difference
    WHERE difference.restatement_id = restatement.restatement_id
) AS counted
WHERE (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
    AND {after}
ORDER BY restatement_id DESC
LIMIT %(limit)s
"""

_INDICATORS = """
SELECT session_date, close, session_count, sma_20, sma_50, sma_200, ema_12, ema_26, rsi_14, macd, macd_signal, macd_histogram,
    bollinger_upper, bollinger_middle, bollinger_lower, atr_14
FROM aggregates.indicator_1d
WHERE symbol = %(symbol)s
    AND (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
ORDER BY session_date {order}
LIMIT %(limit)s
"""


class PostgresTruth(PostgresReads):
    """Restatements and what they changed, actions, indicators."""

    def corporate_actions(self, query: ListQuery) -> list[CorporateAction]:
        """Of one symbol, newest first."""
        return [CorporateAction(**row) for row in self._listed(_ACTIONS, "ex_date, kind", query)]

    def bar_changes(self, query: ListQuery) -> list[BarChange]:
        """What restatements changed of one symbol's bars, newest restatement first."""
        return [BarChange(**row) for row in self._listed(_CHANGES, "restatement_id, ts_start", query)]

    def restatements(self, query: ListQuery) -> list[Restatement]:
        """Restatements, newest first."""
        return [Restatement(**row) for row in self._listed(_RESTATEMENTS, "restatement_id", query)]

    def indicators(self, query: SessionQuery) -> list[Indicator]:
        """Of one symbol, oldest session first; without a start the newest ones."""
        rows = self._rows(_INDICATORS.format(order="ASC" if query.start else "DESC"), asdict(query))
        return [Indicator(**row) for row in (rows if query.start else reversed(rows))]
