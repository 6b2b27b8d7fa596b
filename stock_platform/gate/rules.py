"""The rules for a closed bar, declared once: the suite, the row split, the asset checks and the docs are made from this list.

Each rule names a Great Expectations expectation and its arguments. Columns are those of the batch and of `judge.prepared`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """What a failure does."""

    QUARANTINE = "quarantine"
    """The row is kept out of the market tables."""
    SUSPECT = "suspect"
    """The row is accepted and marked."""
    BLOCK = "block"
    """Nothing of the batch moves."""


@dataclass(frozen=True)
class Rule:
    """One sentence about bars that must be true."""

    name: str
    meaning: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any]


def _at_least(name: str, meaning: str, greater: str, lesser: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    arguments = {"column_A": greater, "column_B": lesser, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return Rule(name, meaning, severity, "ExpectColumnPairValuesAToBeGreaterThanB", arguments)


COLLAR_PCT = 10.0
"""Widest move from the median of the 30 bars before that needs no second look: the limit-up/limit-down band of tier 2 names."""

QUARANTINE_SHARE_LIMIT = 0.2
"""More bad rows than this in a batch of 20 or more are no bad rows: something upstream is broken."""

RULES = (
    Rule(
        "has_ticks",
        "A bar has at least one tick; the vendor's bars, which have none here, are not asked.",
        Severity.QUARANTINE,
        "ExpectColumnValuesToBeBetween",
        {"column": "tick_count_own", "min_value": 1},
    ),
    Rule(
        "price_positive",
        "Every price is above zero.",
        Severity.QUARANTINE,
        "ExpectColumnValuesToBeBetween",
        {"column": "low", "min_value": 0, "strict_min": True},
    ),
    _at_least("low_is_lowest", "The low is at or below open and close.", "body_low", "low"),
    _at_least("high_is_highest", "The high is at or above open and close.", "high", "body_high"),
    Rule(
        "volume_not_negative",
        "Volume is zero or more; less means that the vendor's cumulative volume fell.",
        Severity.QUARANTINE,
        "ExpectColumnValuesToBeBetween",
        {"column": "volume", "min_value": 0},
    ),
    _at_least("vwap_not_below_low", "VWAP is at or above the low.", "vwap", "low"),
    _at_least("vwap_not_above_high", "VWAP is at or below the high.", "high", "vwap"),
    Rule(
        "inside_session",
        "The bar starts inside a regular session of its instrument's calendar.",
        Severity.QUARANTINE,
        "ExpectColumnValuesToBeInSet",
        {"column": "is_in_session", "value_set": [True]},
    ),
    _at_least("ticks_not_before_start", "No tick is older than the bar's start.", "ts_first_tick", "ts_start"),
    _at_least("ticks_not_after_end", "No tick is newer than the bar's end.", "ts_end", "ts_last_tick"),
    Rule(
        "collar",
        f"High and low stay within {COLLAR_PCT:g} % of the median close of the 30 bars before.",
        Severity.SUSPECT,
        "ExpectColumnValuesToBeBetween",
        {"column": "deviation_pct", "max_value": COLLAR_PCT},
    ),
    Rule(
        "boundary_known",
        "No tick can be missing between the bar before and this one, so that its volume is closed at the boundary.",
        Severity.SUSPECT,
        "ExpectColumnValuesToBeInSet",
        {"column": "is_continuous", "value_set": [True]},
    ),
    Rule(
        "unique_key",
        "One row per symbol and minute.",
        Severity.BLOCK,
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": ["symbol", "ts_start"]},
    ),
    _at_least("not_from_future", "No bar ends after the job's progress.", "closed_until", "ts_end", Severity.BLOCK),
)

_NEVER_OVERRIDDEN = frozenset({"price_positive", "low_is_lowest", "high_is_highest"})
"""The market tables' own constraints want OHLC in order, and a price that is not above zero is a missing one."""

OVERRIDABLE = frozenset(rule.name for rule in RULES if rule.severity is Severity.QUARANTINE) - _NEVER_OVERRIDDEN
"""Rules that a person may overrule for one bar."""

QUARANTINE_SHARE = "quarantine_share"
"""Name of the check that blocks a batch of which too much is bad."""
