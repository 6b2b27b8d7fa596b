"""The gate run's own row in quality.gate_run: which code accepted bars. Not here: the bars (promote)."""

from datetime import datetime

from stock_platform.adapters.postgres import Connection
from stock_platform.gate.batch import Batch

_RECORD = """
INSERT INTO quality.gate_run (dagster_run_id, session_date, code_version, closed_until, ts_promoted)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (dagster_run_id) DO NOTHING
"""


def record_run(connection: Connection, batch: Batch, *, dagster_run_id: str, code_version: str, now: datetime) -> None:
    """Write the run down; in the transaction of what it promotes."""
    connection.execute(_RECORD, (dagster_run_id, batch.session_date, code_version, batch.closed_until, now))
