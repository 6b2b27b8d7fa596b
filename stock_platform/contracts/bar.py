"""Records of the bar's way: staged by Flink, sized by a view, accepted or quarantined by the gate, coarsened by aggregates."""

from enum import StrEnum

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record
from stock_platform.contracts.tick import SOURCES


class Verdict(StrEnum):
    """What the gate says of a bar that it lets through."""

    PASSED = "passed"
    SUSPECT = "suspect"
    RESTATED = "restated"
    VENDOR = "vendor"


class QuarantineState(StrEnum):
    """Whether a refused bar waits for a person."""

    OPEN = "open"
    DISCARDED = "discarded"


class Decision(StrEnum):
    """What a person decided of a refused bar."""

    RELEASED = "released"
    """It passed the rules when they were run again."""
    OVERRIDDEN = "overridden"
    """It was promoted although it broke some."""
    DISCARDED = "discarded"


VERDICTS = tuple(verdict.value for verdict in Verdict)
WORST_FIRST = (Verdict.SUSPECT.value, Verdict.VENDOR.value, Verdict.RESTATED.value, Verdict.PASSED.value)
"""Several bars are no better than the worst of them."""
QUARANTINE_STATES = tuple(state.value for state in QuarantineState)
DECISIONS = tuple(decision.value for decision in Decision)

_STAGED = (
    "symbol ts_start ts_end open high low close tick_count ts_first_tick ts_last_tick day_volume_first day_volume_last "
    "price_first notional_inside source kafka_partition kafka_offset_first kafka_offset_last flink_job_id is_continuous"
)
_SIZED = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source "
    "kafka_partition kafka_offset_first kafka_offset_last flink_job_id is_continuous"
)
_OF_TICKS = frozenset("ts_first_tick ts_last_tick kafka_partition kafka_offset_first kafka_offset_last flink_job_id".split())
"""Null in a bar of the vendor: it has no ticks here."""
_COARSE = (
    "symbol ts_start ts_end open high low close volume vwap tick_count bar_count session_date dagster_run_id ts_updated verdict"
)

STAGED_BAR = Record(
    address="staging.bar_1m",
    grain="one row per symbol and minute with at least one regular-session tick",
    meaning="What Flink computed from the distinct ticks of the minute; provisional. restatement_id is null but where the bar of a "
    "restatement stands in: the stream does not change it any more. A bar of the vendor has a response_path and no ticks; its "
    "day volumes are those of the bar of ours that it stands in for.",
    key=("symbol", "ts_start"),
    columns=columns(f"{_STAGED} ts_landed restatement_id volume_stated response_path"),
    nullable=_OF_TICKS
    | {"day_volume_first", "day_volume_last", "price_first", "notional_inside", "restatement_id", "volume_stated", "response_path"},
    defaulted=frozenset({"ts_landed", "restatement_id", "volume_stated", "response_path"}),
    closed_sets={"source": SOURCES},
)

TORN_BAR = Record(
    address="staging.torn_bar",
    grain="one row per symbol and minute whose newest version lacks ticks that the staged one has",
    meaning="Late ticks that found no state of their bar: the staged bar stays as it was, and only a restatement can add them.",
    key=("symbol", "ts_start"),
    columns=columns(
        "symbol ts_start tick_count tick_count_refused kafka_offset_first kafka_offset_first_refused flink_job_id ts_refused"
    ),
)

TORN_BAR_SHOWN = Record(
    address="quality.torn_bar",
    grain="one row per symbol and minute whose newest version lacks ticks that the staged one has",
    meaning="The ledger of torn bars, for readers, who see nothing else of staging.",
    key=("symbol", "ts_start"),
    columns=columns("symbol ts_start tick_count tick_count_refused flink_job_id ts_refused"),
)

BAR = Record(
    address="market.bar_1m",
    grain="one row per symbol and minute",
    meaning="Accepted truth: the current revision of each certified bar.",
    key=("symbol", "ts_start"),
    columns=columns(f"{_SIZED} session_date revision verdict dagster_run_id ts_accepted response_path"),
    nullable=_OF_TICKS | {"volume", "vwap", "response_path"},
    closed_sets={"source": SOURCES, "verdict": VERDICTS},
)

BAR_REVISION = Record(
    address="market.bar_1m_revision",
    grain="one row per symbol, minute and revision",
    meaning="Every version ever accepted, with the time in which it was the current one.",
    key=("symbol", "ts_start", "revision"),
    columns=columns(f"{_SIZED} session_date revision verdict dagster_run_id ts_accepted ts_valid_from ts_valid_to response_path"),
    nullable=_OF_TICKS | {"volume", "vwap", "ts_valid_to", "response_path"},
    closed_sets={"source": SOURCES, "verdict": VERDICTS},
)

QUARANTINE = Record(
    address="quality.quarantine",
    grain="one row per symbol and minute whose newest version was refused",
    meaning="Bars that broke a rule: never lost, and promoted only once they pass it or a person overrides it.",
    key=("symbol", "ts_start"),
    columns=columns(f"{_SIZED} session_date rules dagster_run_id ts_quarantined state response_path"),
    nullable=_OF_TICKS | {"volume", "vwap", "response_path"},
    closed_sets={"source": SOURCES, "state": QUARANTINE_STATES},
)

QUARANTINE_DECISION = Record(
    address="quality.quarantine_decision",
    grain="one row per decision of a person on a refused bar",
    meaning="Who released or discarded which content of a bar, and why; rows are added, never changed.",
    key=("symbol", "ts_start", "dagster_run_id"),
    columns=columns(
        "symbol ts_start decision reason decided_by dagster_run_id rules ts_decided session_date open high low close volume vwap "
        "tick_count ts_first_tick ts_last_tick is_continuous"
    ),
    nullable=frozenset({"volume", "vwap", "ts_first_tick", "ts_last_tick"}),
    closed_sets={"decision": DECISIONS},
)

CHECK_RESULT = Record(
    address="quality.check_result",
    grain="one row per gate run and check",
    meaning="Each check of each gate run, passed or not.",
    key=("dagster_run_id", "check_name"),
    columns=columns("dagster_run_id check_name severity session_date is_passed observed_count failed_count detail ts_checked"),
    closed_sets={"severity": ("quarantine", "suspect", "block")},
)

GATE_RUN = Record(
    address="quality.gate_run",
    grain="one row per gate run that promoted",
    meaning="Which code accepted bars, and up to which instant they were closed; a blocked batch has no row.",
    key=("dagster_run_id",),
    columns=columns("dagster_run_id session_date code_version closed_until ts_promoted"),
)

VALIDATION_PAGE = Record(
    address="quality.validation_page",
    grain="one row per run that judged bars, of the gate or of a restatement",
    meaning="Great Expectations' Data Docs of the run: what each rule saw, and in which bars; of a blocked batch, too.",
    key=("dagster_run_id",),
    columns=columns("dagster_run_id session_date page ts_rendered"),
)

TOUCHED_BAR = Record(
    address="ops.touched_bar",
    grain="one row per change of a certified bar of which the intraday aggregates do not know",
    meaning="What the next run that makes the session's intraday aggregates has to look at.",
    key=("touched_id",),
    columns=columns("touched_id session_date symbol ts_start is_removed"),
    defaulted=frozenset({"touched_id"}),
)


def _coarse(table: str, interval: str) -> Record:
    return Record(
        address=f"aggregates.{table}",
        grain=f"one row per symbol and {interval}",
        meaning="Certified 1-minute bars made coarser; buckets start at the session's open.",
        key=("symbol", "ts_start"),
        columns=columns(_COARSE),
        nullable=frozenset({"volume", "vwap", "verdict"}),
        closed_sets={"verdict": VERDICTS},
    )


BAR_5M = _coarse("bar_5m", "five minutes")
BAR_15M = _coarse("bar_15m", "fifteen minutes")
BAR_1H = _coarse("bar_1h", "hour")
BAR_1D = _coarse("bar_1d", "session")

SESSION_STAT = Record(
    address="aggregates.session_stat",
    grain="one row per symbol and session",
    meaning="Statistics of one session's certified bars, up to the newest of them.",
    key=("symbol", "session_date"),
    columns=columns(
        "symbol session_date open high low close volume vwap bar_count range_pct return_pct gap_pct "
        "realised_volatility_pct dagster_run_id ts_updated volume_ratio_20"
    ),
    nullable=frozenset({"volume", "vwap", "gap_pct", "realised_volatility_pct", "volume_ratio_20"}),
)
