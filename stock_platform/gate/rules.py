"""The rules for a closed bar, declared once: the suite, the row split, the asset checks and the docs are made from this list.

Each rule names a Great Expectations expectation and its arguments. Columns are those of the batch and of `judge.prepared`.
A rule of the whole batch that does not block only warns."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stock_platform.contracts.jump import JUMP_PCT
from stock_platform.gate.context import (
    COLLAR_PCT,
    COLLAR_SIGMAS,
    COMPARED_COUNT,
    EQUAL_RUN_LIMIT,
    HABIT_COUNT,
    SCALE_LIMIT,
    VOLUME_LIMIT,
)


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


def _at_most(name: str, meaning: str, column: str, most: float, severity: Severity) -> Rule:
    """A column that is null where there is nothing to compare the bar with; null passes."""
    return Rule(name, meaning, severity, "ExpectColumnValuesToBeBetween", {"column": column, "max_value": most})


def _of_batch(name: str, meaning: str, column: str, most: float, severity: Severity) -> Rule:
    """A column that says the same of every row of the batch."""
    return Rule(name, meaning, severity, "ExpectColumnMaxToBeBetween", {"column": column, "max_value": most})


def _at_least(name: str, meaning: str, greater: str, lesser: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    arguments = {"column_A": greater, "column_B": lesser, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return Rule(name, meaning, severity, "ExpectColumnPairValuesAToBeGreaterThanB", arguments)


SILENT_PCT = 50.0
"""A halt takes one symbol, or a market at most; half of all symbols at once is our fault."""
BEHIND_MIN = 5.0
"""Longer than any minute without trades among several symbols, shorter than anybody's patience."""

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
    _at_most(
        "price_scale",
        f"High and low lie between a third and {SCALE_LIMIT:g} times the median close of the {COMPARED_COUNT} accepted bars "
        "before, known splits taken out; else a price is in the wrong unit, or a split is missing.",
        "scale_ratio",
        SCALE_LIMIT,
        Severity.QUARANTINE,
    ),
    _at_most(
        "collar",
        f"High and low stay within the collar around the median close of the {COMPARED_COUNT} accepted bars before: "
        f"{COLLAR_SIGMAS:g} standard deviations of half an hour's move, at least {COLLAR_PCT[0]:g} % and at most "
        f"{COLLAR_PCT[1]:g} %; twice that in the first 15 and the last 25 minutes of a session. "
        "After those 15 minutes bars of its own session alone count.",
        "collar_share",
        1,
        Severity.SUSPECT,
    ),
    _at_most(
        "no_jump",
        f"A session opens within {JUMP_PCT:g} % of the close before, known splits taken out; else one may be missing.",
        "jump_pct",
        float(JUMP_PCT),
        Severity.SUSPECT,
    ),
    Rule(
        "on_tick",
        "Open, high, low and close are whole multiples of the instrument's tick size, where it is known.",
        Severity.SUSPECT,
        "ExpectColumnValuesToBeInSet",
        {"column": "is_on_tick", "value_set": [True]},
    ),
    _at_most(
        "not_stale",
        f"At most {EQUAL_RUN_LIMIT} bars in a row only repeat the price before, while half of their calendar's others move and the "
        "symbol's own price usually does.",
        "equal_run_count",
        EQUAL_RUN_LIMIT,
        Severity.SUSPECT,
    ),
    _at_most(
        "volume_scale",
        f"Volume is at most {VOLUME_LIMIT:g} times the largest of the {HABIT_COUNT} accepted bars before; else the "
        "vendor's cumulative volume is wrong.",
        "volume_ratio",
        VOLUME_LIMIT,
        Severity.SUSPECT,
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
    _of_batch(
        "complete",
        f"In the newest closed minute at most {SILENT_PCT:g} % of the symbols that had a bar in 27 of the 30 minutes before have "
        "none, known gaps of the feed left out; else ticks are lost on the way.",
        "silent_pct",
        SILENT_PCT,
        Severity.BLOCK,
    ),
    _of_batch(
        "fresh",
        f"The session's newest closed bar ended at most {BEHIND_MIN:g} minutes before the feed's progress, or the session's end.",
        "behind_min",
        BEHIND_MIN,
        Severity.SUSPECT,
    ),
)

_NEVER_OVERRIDDEN = frozenset({"price_positive", "low_is_lowest", "high_is_highest"})
"""The market tables' own constraints want OHLC in order, and a price that is not above zero is a missing one."""

OVERRIDABLE = frozenset(rule.name for rule in RULES if rule.severity is Severity.QUARANTINE) - _NEVER_OVERRIDDEN
"""Rules that a person may overrule for one bar."""

QUARANTINE_SHARE = "quarantine_share"
"""Name of the check that blocks a batch of which too much is bad."""
QUARANTINE_SHARE_MEANING = f"At most {QUARANTINE_SHARE_LIMIT:.0%} of a batch of 20 bars or more break a rule that keeps them out."
