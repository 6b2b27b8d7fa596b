"""A session whose newest batch is blocked: the alert that says so, for as long as it goes on, and what is held back meanwhile.

Writes ops.alert, in the caller's transaction; a repeat adds nothing. Not here: why a batch is blocked (judge)."""

from dataclasses import dataclass
from datetime import date, datetime

from stock_platform.adapters.postgres import Connection
from stock_platform.gate.judge import Judgement

ALERT = "batch_blocked"
_RAISE = """
INSERT INTO ops.alert (alert_name, session_date, detail, dagster_run_id, ts_raised) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (alert_name, session_date) WHERE ts_cleared IS NULL DO UPDATE SET detail = excluded.detail
"""
_CLEAR = """
UPDATE ops.alert SET ts_cleared = %s, cleared_by_run = %s, cleared_reason = %s
WHERE alert_name = %s AND session_date = %s AND ts_cleared IS NULL
"""
_HOLD = "SELECT dagster_run_id, detail, ts_raised FROM ops.alert WHERE alert_name = %s AND session_date = %s AND ts_cleared IS NULL"


@dataclass(frozen=True)
class Hold:
    """Why nothing is made of a session's bars now.

    Args:
        dagster_run_id: Gate run that was blocked first.
    """

    session_date: date
    dagster_run_id: str
    detail: str
    ts_raised: datetime

    def __str__(self) -> str:
        return (
            f"Session {self.session_date} is held since {self.ts_raised:%Y-%m-%d %H:%M:%S}Z: gate run {self.dagster_run_id[:8]} "
            f"was blocked by {self.detail}. What was certified before stays; the session's next batch that passes "
            f"ends the hold, or a person by `stock-platform quarantine overrule --session {self.session_date} --reason …`."
        )


def settle_hold(connection: Connection, judgement: Judgement, *, dagster_run_id: str, now: datetime) -> None:
    """Hold the session where its batch is blocked, end the hold where it is not, or where a person has overruled it."""
    session_date = judgement.batch.session_date
    if not judgement.is_blocked:
        connection.execute(_CLEAR, (now, dagster_run_id, judgement.overruled, ALERT, session_date))
        return
    blocking = (result for result in judgement.results if result.name in judgement.blocking)
    detail = "; ".join(f"{result.name} ({result.sample})" for result in blocking)
    connection.execute(_RAISE, (ALERT, session_date, detail, dagster_run_id, now))


def hold_of(connection: Connection, session_date: date) -> Hold | None:
    """Why the session is held; None when it is not."""
    row = connection.execute(_HOLD, (ALERT, session_date)).fetchone()
    return None if row is None else Hold(session_date, *row)
