"""The record of the gap ledger: session minutes without a certified bar, and why."""

from enum import StrEnum

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record


class GapClass(StrEnum):
    """Why minutes have no certified bar."""

    CLOSED = "closed"
    """The market was not open, though the calendar says so."""
    HALT = "halt"
    """The symbol stood still while its market traded: inferred."""
    NO_TRADE = "no_trade"
    """Nothing was traded, as far as anybody knows."""
    FEED_GAP = "feed_gap"
    """No feed line could hear the symbol."""
    PIPELINE_GAP = "pipeline_gap"
    """Its ticks are in Kafka, and no bar was made of them."""
    HELD = "held"
    """The bar is there, and the gate keeps it."""


class GapState(StrEnum):
    """Whether anybody still has to do something about it."""

    OPEN = "open"
    REPAIRED = "repaired"
    EXPLAINED = "explained"
    UNREPAIRABLE = "unrepairable"


GAP_CLASSES = tuple(each.value for each in GapClass)
GAP_STATES = tuple(each.value for each in GapState)

GAP = Record(
    address="quality.gap",
    grain="one row per symbol and run of consecutive session minutes without a certified bar, of one class",
    meaning="Session minutes that are closed and have no certified bar, since the symbol is watched: why, what shows it, and "
    "what became of it. A repaired row's minutes have bars; every other one's have none.",
    key=("symbol", "ts_start"),
    columns=columns(
        "symbol ts_start ts_end session_date minute_count gap_class evidence state closed_by_run closed_reason attempt_count "
        "ts_found ts_closed dagster_run_id"
    ),
    nullable=frozenset({"closed_by_run", "closed_reason", "ts_closed"}),
    closed_sets={"gap_class": GAP_CLASSES, "state": GAP_STATES},
)
