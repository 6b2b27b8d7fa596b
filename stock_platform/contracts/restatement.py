"""Records of a restatement: the run of it, and the bars that it made beside staging. Not here: their promotion."""

from stock_platform.contracts.bar import STAGED_BAR
from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

STATES = ("running", "finished", "failed")

RESTATEMENT = Record(
    address="ops.restatement",
    grain="one row per restatement of a session",
    meaning="What was computed anew, from which ticks, and how it went; symbols is null when all were.",
    key=("restatement_id",),
    columns=columns("restatement_id session_date symbols ticks_from state flink_job_id ts_started ts_ended last_error"),
    nullable=frozenset({"symbols", "flink_job_id", "ts_ended", "last_error"}),
    defaulted=frozenset({"restatement_id", "ts_started"}),
    closed_sets={"state": STATES},
)

RESTATED_BAR = Record(
    address="staging.bar_1m_restated",
    grain="one row per restatement, symbol and minute with at least one regular-session tick",
    meaning="What staging.bar_1m would be if it were made now: of each session's newest restatement, forgotten by the first that "
    "begins a week later.",
    key=("restatement_id", *STAGED_BAR.key),
    columns=(*columns("restatement_id"), *STAGED_BAR.columns),
    nullable=STAGED_BAR.nullable,
    defaulted=frozenset({"restatement_id", "ts_landed"}),
    closed_sets=STAGED_BAR.closed_sets,
)
