"""Records of a restatement: the run of it, the bars that it made beside staging, what it changed in market, and what forbids it."""

from stock_platform.contracts.bar import STAGED_BAR
from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

STATES = ("running", "finished", "failed")

RESTATEMENT = Record(
    address="ops.restatement",
    grain="one row per restatement of a session",
    meaning="What was computed anew, from which ticks, and how it went; symbols is null when all were, dagster_run_id of a "
    "restatement that a command only compared, ticks_from while no source is known and where none has the session.",
    key=("restatement_id",),
    columns=columns(
        "restatement_id session_date symbols ticks_from state flink_job_id ts_started ts_ended last_error dagster_run_id "
        "is_partial is_promoted"
    ),
    nullable=frozenset({"symbols", "ticks_from", "flink_job_id", "ts_ended", "last_error", "dagster_run_id"}),
    defaulted=frozenset({"restatement_id", "ts_started", "is_partial", "is_promoted"}),
    closed_sets={"state": STATES},
)

RESTATED_BAR = Record(
    address="staging.bar_1m_restated",
    grain="one row per restatement, symbol and minute that has a regular-session tick, or a bar of the vendor",
    meaning="What staging.bar_1m would be if it were made now: of each session's newest restatement, forgotten by the first that "
    "begins a week later.",
    key=("restatement_id", *STAGED_BAR.key),
    columns=(*columns("restatement_id"), *(column for column in STAGED_BAR.columns if column.name != "restatement_id")),
    nullable=STAGED_BAR.nullable - {"restatement_id"},
    defaulted=STAGED_BAR.defaulted,
    closed_sets=STAGED_BAR.closed_sets,
)

CHANGES = ("added", "removed", "changed")

RESTATED_DIFFERENCE = Record(
    address="quality.restatement",
    grain="one row per restatement and certified bar that it added, removed or changed",
    meaning="What a promoted restatement changed: the bar before and after. A repeat over the same ticks adds no row.",
    key=("restatement_id", "symbol", "ts_start"),
    columns=columns("restatement_id symbol ts_start session_date change bar_before bar_after dagster_run_id ts_accepted"),
    nullable=frozenset({"bar_before", "bar_after"}),
    closed_sets={"change": CHANGES},
)

PROTECTED_SESSION = Record(
    address="ops.protected_session",
    grain="one row per session that nobody may restate",
    meaning="Sessions that are kept as they are, and why.",
    key=("session_date",),
    columns=columns("session_date reason ts_updated"),
)
