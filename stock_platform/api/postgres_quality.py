"""How good the data is, from Postgres: refused bars with their decisions, gaps of all symbols."""

from typing import Any

from stock_platform.api.postgres_reads import PostgresReads
from stock_platform.api.quality_shapes import RefusedBar, SymbolGap
from stock_platform.api.store import ListQuery

_REFUSED = """
WITH refused AS (
    SELECT symbol, ts_start, ts_end, session_date, state, rules, open, high, low, close, volume, vwap, tick_count,
        dagster_run_id, ts_quarantined AS ts_noted, NULL::text AS reason, NULL::text AS decided_by
    FROM quality.quarantine
    WHERE state = 'open'
    UNION ALL
    SELECT symbol, ts_start, ts_start + interval '1 minute', session_date, decision, rules, open, high, low, close, volume, vwap,
        tick_count, dagster_run_id, ts_decided, reason, decided_by
    FROM quality.quarantine_decision
)

SELECT symbol, ts_start, ts_end, session_date, state, string_to_array(rules, ',') AS rules, open, high, low, close, volume, vwap,
    tick_count, dagster_run_id, %(runs)s || dagster_run_id AS dagster_run_url, ts_noted, reason, decided_by
FROM refused
WHERE (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
    AND (%(state)s::text IS NULL OR state = %(state)s OR (%(state)s = 'decided' AND state <> 'open'))
    AND (%(rule)s::text IS NULL OR %(rule)s = ANY (string_to_array(rules, ',')))
    AND {after}
ORDER BY ts_start DESC, symbol DESC, dagster_run_id DESC
LIMIT %(limit)s
"""
"""A decided bar as it was decided on: a released one has left the quarantine."""

_OPEN_COUNT = "SELECT count(*) AS open_count FROM quality.quarantine WHERE state = 'open'"

_GAPS = """
SELECT symbol, ts_start, ts_end, session_date, minute_count, gap_class, evidence, state, closed_by_run,
    %(runs)s || closed_by_run AS closed_by_run_url, closed_reason, attempt_count, ts_found, ts_closed
FROM quality.gap
WHERE (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(start)s::date IS NULL OR session_date >= %(start)s)
    AND (%(end)s::date IS NULL OR session_date < %(end)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(gap_class)s::text IS NULL OR gap_class = %(gap_class)s)
    AND {after}
ORDER BY ts_start DESC, symbol DESC
LIMIT %(limit)s
"""


class PostgresQuality(PostgresReads):
    """The quarantine desk's list, Data Docs and the gap ledger."""

    def refused_bars(self, query: ListQuery) -> list[RefusedBar]:
        """Bars that wait, and decisions; newest bar first."""
        return [_refused(row) for row in self._listed(_REFUSED, "ts_start, symbol, dagster_run_id", query)]

    def refused_bar_count(self) -> int:
        """Bars that wait."""
        return self._rows(_OPEN_COUNT, {})[0]["open_count"]

    def data_docs(self, dagster_run_id: str) -> str | None:
        """What the rules of that run saw, as HTML; None where there is no page."""
        rows = self._rows("SELECT page FROM quality.validation_page WHERE dagster_run_id = %(run)s", {"run": dagster_run_id})
        return rows[0]["page"] if rows else None

    def all_gaps(self, query: ListQuery) -> list[SymbolGap]:
        """Of every symbol, newest first."""
        return [SymbolGap(**row) for row in self._listed(_GAPS, "ts_start, symbol", query)]


def _refused(row: dict[str, Any]) -> RefusedBar:
    names = ("reason", "decided_by", "dagster_run_id")
    decision = {name: row[name] for name in names} | {"ts_decided": row["ts_noted"]} if row["decided_by"] else None
    return RefusedBar.model_validate(row | {"decision": decision})
