"""What a reviewer is told of a refused bar, and what may be overruled. Expected values by hand."""

from decimal import Decimal
from typing import Any

import pytest

from stock_platform.contracts.bar_start import bar_start
from stock_platform.defs.review import BarReview, run_config
from stock_platform.errors.quarantine import (
    BarDiscarded,
    BarNotQuarantined,
    BarStillBroken,
    RuleNotOverridable,
)
from stock_platform.gate.desk import as_suspect, refusing
from stock_platform.gate.judge import judge
from stock_platform.gate.refused import Decided, RefusedBar, Sheet, differences, meanings
from stock_platform.gate.rules import OVERRIDABLE, RULES, Severity
from stock_platform_tests.bars import OPEN, bar, batch

HIGH = {"high_is_highest": "The high is at or above open and close."}


def sheet(rules: str, changes: dict[str, Any] | None, state: str = "open") -> Sheet:
    return Sheet(RefusedBar({"rules": rules, "state": state}), (), changes)


def test_rules_are_told_with_their_meaning_and_forgotten_ones_as_such() -> None:
    assert meanings(["high_is_highest", "older"]) == {**HIGH, "older": "A rule that the platform does not have any more."}


def test_only_rules_that_refuse_a_bar_and_that_the_market_can_hold_are_overridable() -> None:
    assert {rule.name for rule in RULES if rule.severity is Severity.QUARANTINE} - OVERRIDABLE == {
        "price_positive",
        "low_is_lowest",
        "high_is_highest",
    }
    assert not OVERRIDABLE & {rule.name for rule in RULES if rule.severity is not Severity.QUARANTINE}


@pytest.mark.parametrize(
    ("shown", "step"),
    [
        (sheet("inside_session", None), "discard it: staging"),
        (sheet("inside_session", {"close": (1, 2)}), "wait: the gate judges the newer version"),
        (sheet("inside_session", {}, "discarded"), "nothing: it stays out"),
        (sheet("inside_session,has_ticks", {}), "release it once its cause is mended, or as it is with --override"),
        (sheet("inside_session,high_is_highest", {}), "release it once its cause is mended, or discard it; no override"),
        (sheet("older", {}), "release it once its cause is mended, or discard it; no override"),
    ],
)
def test_next_step_follows_from_what_was_broken_and_what_has_changed(shown: Sheet, step: str) -> None:
    assert shown.step.startswith(step)


def test_changes_are_those_of_the_content_alone() -> None:
    before, after = bar(0), bar(0, close=Decimal("100.75"), volume=None, kafka_offset_last=99, flink_job_id="other")
    assert differences(before, after) == {"close": (Decimal("100.50"), Decimal("100.75")), "volume": (1000, None)}


def test_decision_is_told_in_a_sentence() -> None:
    values = {"decision": "discarded", "decided_by": "ann", "ts_decided": OPEN, "reason": "a test print"}
    assert str(Decided(values)) == "discarded by ann at 2026-11-20 14:30:00Z: a test print"


def test_doubt_alone_keeps_no_bar_out() -> None:
    judgement = judge(batch(bar(0, is_continuous=False, tick_count=0)))
    assert refusing(judgement) == ["has_ticks"]
    assert refusing(judge(batch(bar(0, is_continuous=False)))) == []


def test_overridden_judgement_keeps_what_was_broken() -> None:
    overridden = as_suspect(judge(batch(bar(0, tick_count=0))))
    assert overridden.accepted.select("verdict", "rules").rows() == [("suspect", "has_ticks")]
    assert [result.name for result in overridden.results if not result.is_passed] == ["has_ticks"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            BarStillBroken("AAPL", OPEN, HIGH, next_step="Discard it."),
            "AAPL 2026-11-20T14:30Z still breaks high_is_highest (The high is at or above open and close), so it is not released. "
            "Discard it.",
        ),
        (
            RuleNotOverridable("AAPL", OPEN, HIGH),
            "AAPL 2026-11-20T14:30Z breaks high_is_highest (The high is at or above open and close); market.bar_1m cannot hold "
            "such a bar, so no override releases it. Mend what made it, or discard it.",
        ),
        (
            BarNotQuarantined("AAPL", OPEN, "it was released by ann"),
            "AAPL 2026-11-20T14:30Z is not in quarantine; it was released by ann. `stock-platform quarantine list` shows what is; "
            "a bar leaves by itself when a newer version of it passes.",
        ),
        (
            BarDiscarded("AAPL", OPEN, None),
            "AAPL 2026-11-20T14:30Z is discarded already. Nothing is left to do, unless you want it released after all.",
        ),
    ],
)
def test_refusal_says_what_and_what_next(error: Exception, sentence: str) -> None:
    assert str(error) == sentence


def test_run_is_started_with_the_whole_decision() -> None:
    config = run_config(
        symbol="AAPL", ts_start=OPEN, decision="release", reason="seen on the tape", decided_by="ann", override=True
    )
    asked = BarReview(**config["ops"]["review_bar"]["config"])
    assert bar_start(asked.ts_start) == OPEN
    assert (asked.symbol, asked.decision, asked.reason, asked.decided_by, asked.override) == (
        *("AAPL", "release", "seen on the tape", "ann"),
        True,
    )
