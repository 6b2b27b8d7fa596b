"""The page of a judgement, rendered by the real library over made-up bars."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.gate.data_docs import render_page
from stock_platform.gate.judge import Judgement, judge
from stock_platform.gate.rules import QUARANTINE_SHARE, RULES
from stock_platform_tests.bars import CLOSE, MINUTE, bar, batch

NOW = datetime(2026, 11, 20, 21, 0, 9, tzinfo=UTC)


def page_of(judgement: Judgement) -> str:
    return render_page(judgement, dagster_run_id="run-1", code_version="c0de", now=NOW)


def row_of(page: str, rule: str) -> str:
    """What a reader sees of one rule, its words separated by single blanks."""
    row = page.partition(f"<code>{rule}</code>")[2].partition("<code>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", row).split())


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    """The high of 14:33 is below its close of 100.50."""
    return judge(batch(*(bar(minute) for minute in range(3)), bar(3, high=Decimal("100.40"))))


@pytest.fixture(scope="module")
def page(judgement: Judgement) -> str:
    return page_of(judgement)


def test_broken_rule_says_what_must_be_true_and_which_bar_it_is_not_of(page: str) -> None:
    seen = row_of(page, "high_is_highest")
    assert seen.startswith("broken quarantine The high is at or above open and close.")
    assert "Values in high must always be greater than or equal to those in body_high" in seen
    assert "100.4, 100.5 1 AAPL 2026-11-20T14:33Z" in seen
    assert page.index("high_is_highest") < page.index("has_ticks"), "what is broken comes first"


def test_every_rule_is_there_with_its_meaning(page: str) -> None:
    for rule in RULES:
        assert rule.meaning.replace("'", "&#39;") in page
    assert row_of(page, "price_positive").startswith("held quarantine Every price is above zero. low values must be greater than 0")
    assert row_of(page, QUARANTINE_SHARE).startswith("held block At most 20% of a batch")


def test_page_names_session_run_code_and_outcome(page: str) -> None:
    for fact in ("Data Docs of session 2026-11-20", "run-1", "c0de", "2026-11-20 21:00:09Z", "21 of 22"):
        assert fact in page
    assert "3 of 4 bars certified, 1 refused." in page


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|a)\b|://|@import|url\(|\son\w+=", page)


def test_same_judgement_gives_the_same_bytes(judgement: Judgement, page: str) -> None:
    assert page_of(judgement) == page


def test_blocked_batch_says_why_and_an_overruled_one_whose_word_it_was() -> None:
    blocked = judge(batch(bar(0), bar(0, close=Decimal("100.75"))))
    assert "Blocked by unique_key: none of 2 bars moved." in page_of(blocked)
    assert row_of(page_of(blocked), "unique_key").count("AAPL 2026-11-20T14:30Z") == 2
    overruled = page_of(replace(blocked, overruled="a <known> repeat"))
    assert "A person let the batch through: a &lt;known&gt; repeat" in overruled


def test_share_that_blocks_says_how_much_is_bad() -> None:
    bad = [bar(minute, tick_count=0) for minute in range(6)]
    page = page_of(judge(batch(*bad, *(bar(minute) for minute in range(6, 20)))))
    assert "6 of 20 bars broke a rule" in row_of(page, QUARANTINE_SHARE)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("has_ticks", {"tick_count": 0}),
        ("inside_session", {"is_in_session": False}),
        ("ticks_not_after_end", {"ts_last_tick": CLOSE}),
        ("not_from_future", {"ts_end": CLOSE + MINUTE}),
    ],
)
def test_each_kind_of_expectation_names_its_bars(rule: str, changes: dict[str, Any]) -> None:
    assert "AAPL 2026-11-20T14:31Z" in row_of(page_of(judge(batch(bar(0), bar(1, **changes)))), rule)


@pytest.mark.parametrize(("rule", "background"), [("complete", {"silent_pct": 62.5}), ("fresh", {"behind_min": 7.0})])
def test_rule_of_the_whole_batch_says_what_it_saw(rule: str, background: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    (seen,) = background.values()
    assert row_of(page_of(judge(batch(bar(0), **background))), rule).endswith(f" {seen:g}")
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [], "the library's renderer logs what it cannot write, and goes on"
