"""The rules over made-up bars, run by the real library."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.gate.judge import Judgement, judge
from stock_platform.gate.rules import QUARANTINE_SHARE
from stock_platform_tests.bars import CLOSE, MINUTE, OPEN, bar, batch


def broken(judgement: Judgement) -> set[str]:
    return {result.name for result in judgement.results if not result.is_passed}


def test_right_bars_all_pass() -> None:
    judgement = judge(batch(*(bar(minute) for minute in range(5))))
    assert broken(judgement) == set()
    assert judgement.accepted["verdict"].to_list() == ["passed"] * 5
    assert not judgement.is_blocked


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("has_ticks", {"tick_count": 0}),
        ("price_positive", {"low": Decimal("0"), "vwap": Decimal("50"), "collar_reference": None}),
        ("low_is_lowest", {"low": Decimal("100.20")}),
        ("high_is_highest", {"high": Decimal("100.40")}),
        ("volume_not_negative", {"volume": -1, "vwap": None}),
        ("vwap_not_below_low", {"vwap": Decimal("99.499999")}),
        ("vwap_not_above_high", {"vwap": Decimal("101.000001")}),
        ("inside_session", {"is_in_session": False}),
        ("ticks_not_before_start", {"ts_first_tick": OPEN - timedelta(milliseconds=1)}),
        ("ticks_not_after_end", {"ts_last_tick": OPEN + 2 * MINUTE}),
    ],
)
def test_bar_that_breaks_a_rule_is_refused_with_its_name(rule: str, changes: dict[str, Any]) -> None:
    judgement = judge(batch(bar(0, **changes), *(bar(minute) for minute in range(1, 6))))
    assert broken(judgement) == {rule}
    assert judgement.refused["rules"].to_list() == [rule]
    assert judgement.accepted.height == 5


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("collar", {"collar_reference": Decimal("80")}),
        ("boundary_known", {"is_continuous": False}),
    ],
)
def test_bar_that_needs_a_second_look_is_accepted_as_suspect(rule: str, changes: dict[str, Any]) -> None:
    judgement = judge(batch(bar(0, **changes), bar(1)))
    assert judgement.accepted.select("verdict", "rules").rows() == [("suspect", rule), ("passed", "")]


def test_bar_without_volume_or_history_passes() -> None:
    judgement = judge(batch(bar(0, volume=None, vwap=None, collar_reference=None)))
    assert judgement.accepted["verdict"].to_list() == ["passed"]


def test_bar_that_breaks_two_rules_names_both() -> None:
    judgement = judge(batch(bar(0, tick_count=0, is_in_session=False)))
    assert judgement.refused["rules"].to_list() == ["has_ticks,inside_session"]


def test_key_twice_blocks_the_batch() -> None:
    judgement = judge(batch(bar(0), bar(0, close=Decimal("100.75")), bar(1)))
    assert broken(judgement) == {"unique_key"}
    assert judgement.is_blocked


def test_bar_from_the_future_blocks_the_batch() -> None:
    judgement = judge(batch(bar(0), bar(1, ts_end=CLOSE + MINUTE)))
    assert broken(judgement) == {"not_from_future"}
    assert judgement.is_blocked


def test_too_many_bad_bars_block_the_batch() -> None:
    bad = [bar(minute, tick_count=0) for minute in range(5)]
    judgement = judge(batch(*bad, *(bar(minute) for minute in range(5, 20))))
    assert broken(judgement) == {"has_ticks", QUARANTINE_SHARE}
    assert judgement.is_blocked


def test_empty_batch_passes() -> None:
    judgement = judge(batch())
    assert broken(judgement) == set()
    assert judgement.bars.is_empty()


OF_VENDOR: dict[str, Any] = {
    **dict.fromkeys(
        ("vwap", "ts_first_tick", "ts_last_tick", "kafka_partition", "kafka_offset_first", "kafka_offset_last", "flink_job_id")
    ),
    "tick_count": 0,
    "source": "yahoo",
    "response_path": "vendor/raw/2026-11-20/220000-AAPL-1m-0f3c.json.gz",
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({}, "vendor"), ({"high": Decimal("111")}, "suspect"), ({"high": Decimal("100")}, None), ({"response_path": None}, None)],
)
def test_bar_of_the_vendor_needs_no_ticks_but_the_other_rules_hold_for_it(changes: dict[str, Any], verdict: str | None) -> None:
    judgement = judge(batch(bar(0), bar(1, **OF_VENDOR | changes), bar(2)))
    assert judgement.bars["verdict"].to_list() == ["passed", verdict, "passed"]


def test_batch_of_the_vendors_bars_alone_passes() -> None:
    judgement = judge(batch(*(bar(minute, **OF_VENDOR) for minute in range(3))))
    assert judgement.bars["verdict"].to_list() == ["vendor"] * 3
