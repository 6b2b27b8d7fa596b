"""What bars are compared with: references, collars, jumps and standing prices, by hand."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.gate.context import Known, Measures, measured
from stock_platform.gate.judge import judge
from stock_platform_tests.bars import CLOSE, MINUTE, OPEN, SESSION, bar, batch

NOON = 120
"""Minute of the session, far from open and close."""


def known(minute: int, price: float, *, wide: float = 0.1, judged: bool = False, **changes: Any) -> Known:
    """A bar around the price; `wide` from low to high."""
    right = Known(
        ts_start=OPEN + minute * MINUTE,
        session_date=SESSION,
        open=price,
        high=price + wide / 2,
        low=price - wide / 2,
        close=price,
        ts_open=OPEN,
        ts_close=CLOSE,
        is_judged=judged,
    )
    return right._replace(**changes)


def calm(count: int = 30, price: float = 100.0) -> list[Known]:
    """Accepted bars before noon, all closing at the price."""
    return [known(NOON - count + n, price) for n in range(count)]


def last_of(bars: Iterable[Known], splits: list[tuple[date, float]] | None = None) -> Measures:
    return measured(bars, splits or [])[-1]


def test_first_bar_of_a_symbol_has_nothing_to_be_compared_with() -> None:
    assert measured([known(0, 100.0, judged=True)]) == [Measures()]


@pytest.mark.parametrize(
    ("minute", "high", "share"),
    [
        (NOON, 105.0, 1.0),  # 5 % at noon is the edge of the collar
        (NOON, 102.5, 0.5),
        (14, 105.0, 0.5),  # within 15 minutes of the open it is twice as wide
        (15, 105.0, 1.0),
        (365, 105.0, 0.5),  # and in the last 25 of 390
        (364, 105.0, 1.0),
    ],
)
def test_collar_of_a_calm_price_is_five_percent_and_twice_that_near_open_and_close(minute: int, high: float, share: float) -> None:
    before = [known(minute - 30 + n, 100.0) for n in range(30)]
    seen = last_of([*before, known(minute, 100.0, judged=True, high=high)])
    assert seen.collar_share == pytest.approx(share)


def test_collar_widens_with_the_usual_move_and_not_for_ever() -> None:
    # 6 x 1.4826 x sqrt(30) x 0.2 % = 9.744 %; with 1 % it would be 48.7 %, and is 20 %
    for step_pct, collar_pct in ((0.2, 9.744), (1.0, 20.0)):
        moving = [known(NOON - 30 + n, 100.0 if n % 2 else 100.0 * (1 + step_pct / 100)) for n in range(30)]
        seen = last_of([*moving, known(NOON, 100.0, wide=0, judged=True, high=103.0)])
        assert seen.collar_share == pytest.approx(3.0 / collar_pct, rel=5e-3)


@pytest.mark.parametrize(
    ("minute", "own", "share"),
    [
        (14, 1, 1.0),  # near the open the session before counts: 10 % of 100
        (15, 1, 0.0),  # later the own one alone
        (15, 29, 0.0),
        (15, 0, None),
    ],
)
def test_session_that_is_entered_in_its_middle_is_not_compared_with_the_one_before(
    minute: int, own: int, share: float | None
) -> None:
    before = [each._replace(session_date=SESSION - timedelta(days=1)) for each in calm()]
    today = [known(minute - own + n, 110.0, wide=0) for n in range(own)]
    judged = known(minute, 110.0, wide=0, judged=True)
    assert last_of([*before, *today, judged]).collar_share == (None if share is None else pytest.approx(share))


def test_price_in_the_wrong_unit_is_out_of_scale_and_no_measure_for_the_next() -> None:
    wrong, right = known(NOON, 10_000.0, judged=True), known(NOON + 1, 100.0, judged=True)
    seen = measured([*calm(), *[wrong._replace(ts_start=wrong.ts_start + n * MINUTE) for n in range(40)], right])
    assert [each.scale_ratio for each in seen[:40]] == pytest.approx([100.0005] * 40)
    assert seen[40].scale_ratio == pytest.approx(1.0005)


@pytest.mark.parametrize(("low", "ratio"), [(1.0, 100.0), (50.0, 2.0), (0.0, float("inf"))])
def test_low_alone_is_enough_to_be_out_of_scale(low: float, ratio: float) -> None:
    assert last_of([*calm(), known(NOON, 100.0, judged=True, low=low)]).scale_ratio == pytest.approx(ratio)


def test_split_is_taken_out_of_what_came_before() -> None:
    yesterday = [each._replace(session_date=SESSION - timedelta(days=1), open=645.0, close=644.0) for each in calm()]
    opened = known(0, 92.0, judged=True)
    assert last_of([*yesterday, opened]).jump_pct == pytest.approx(85.714, abs=1e-3)
    known_split = last_of([*yesterday, opened], [(SESSION, 7.0)])
    assert known_split.jump_pct == pytest.approx(0.0)
    assert known_split.scale_ratio == pytest.approx(92.05 / 92, abs=1e-3)
    assert last_of([*yesterday, opened], [(SESSION - timedelta(days=1), 7.0)]).jump_pct == pytest.approx(85.714, abs=1e-3)


def test_split_is_taken_out_once_though_the_first_bar_is_out_of_scale() -> None:
    """A bar of both scales opens the day: 644 to 92."""
    yesterday = [each._replace(session_date=SESSION - timedelta(days=1), close=644.0) for each in calm()]
    mixed = known(0, 92.0, judged=True, open=644.0, high=644.0)
    seen = measured([*yesterday, mixed, known(1, 92.0, judged=True), known(2, 92.0, judged=True)], [(SESSION, 7.0)])
    assert [each.scale_ratio for each in seen] == pytest.approx([7.0, 1.0005, 1.0005], abs=1e-3)


@pytest.mark.parametrize(("days", "jump"), [(1, 30.0), (12, 30.0), (13, None)])
def test_jump_is_measured_over_a_night_and_not_over_a_gap(days: int, jump: float | None) -> None:
    before = [each._replace(session_date=SESSION - timedelta(days=days)) for each in calm()]
    first, second = known(0, 130.0, judged=True), known(1, 130.0, judged=True)
    seen = measured([*before, first, second])
    assert seen[0].jump_pct == (None if jump is None else pytest.approx(jump))
    assert seen[1].jump_pct is None


def repeats(count: int, *, peers: bool = True) -> list[Known]:
    return [known(NOON + n, 100.0, wide=0, judged=True, is_peer_moving=peers) for n in range(count)]


def test_run_of_equal_bars_is_counted_while_peers_move() -> None:
    lively = [known(NOON - 40 + n, 100.0 + n % 2) for n in range(39)]
    assert [each.equal_run_count for each in measured([*lively, *repeats(4)])] == [1, 2, 3, 4]
    assert [each.equal_run_count for each in measured([*lively, *repeats(4, peers=False)])] == [None] * 4


def test_symbol_that_often_stands_still_is_not_stale() -> None:
    sleepy = [known(NOON - 40 + n, 100.0, wide=0) for n in range(40)]
    assert last_of([*sleepy, *repeats(12)]).equal_run_count is None


@pytest.mark.parametrize(("count", "volume", "ratio"), [(15, 1_000_000, 100.0), (15, None, None), (14, 1_000_000, None)])
def test_volume_is_compared_with_the_largest_before(count: int, volume: int | None, ratio: float | None) -> None:
    before = [each._replace(volume=10_000 if n == 3 else 50) for n, each in enumerate(calm(count))]
    assert last_of([*before, known(NOON, 100.0, judged=True, volume=volume)]).volume_ratio == ratio


def test_stale_bar_is_suspect_and_named() -> None:
    """Ten repeats of AAPL while three others move; the calendar of the fifth is another."""
    flat = {name: Decimal("100.50") for name in ("open", "high", "low", "close", "vwap")}
    earlier = [
        {
            "symbol": "AAPL",
            "ts_start": OPEN + minute * MINUTE,
            "session_date": SESSION,
            "volume": 1000,
            **dict.fromkeys(("open", "high", "low", "close"), Decimal(100 + minute % 2) + Decimal("0.50")),
        }
        for minute in range(21)
    ]
    still = [bar(minute, **flat) for minute in range(21, 31)]
    others = [bar(minute, symbol) for minute in range(21, 31) for symbol in ("B", "C", "D")]
    judgement = judge(batch(*still, *others, bar(30, "E", calendar="24/7", **flat), earlier=earlier))
    assert judgement.bars.filter(verdict="suspect").select("symbol", "ts_start", "rules").rows() == [
        ("AAPL", OPEN + 30 * MINUTE, "not_stale")
    ]


def accepted(price: str, *, symbol: str = "AAPL", day: date = SESSION) -> list[dict[str, Any]]:
    """Thirty accepted bars of one price, before the session's first."""
    start: datetime = OPEN - 30 * MINUTE
    prices = dict.fromkeys(("open", "high", "low", "close"), Decimal(price))
    return [{"symbol": symbol, "ts_start": start + n * MINUTE, "session_date": day, "volume": 1000, **prices} for n in range(30)]


@pytest.mark.parametrize(
    ("price", "verdict", "rules"),
    [
        ("100", "passed", ""),
        ("80", "suspect", "collar"),  # 101 is 26 % above, the collar near the open 10 %
        ("33", None, "price_scale,collar"),  # 101 is 3.06 times as much
        ("1", None, "price_scale,collar"),
    ],
)
def test_bar_is_judged_by_the_accepted_ones_before_it(price: str, verdict: str | None, rules: str) -> None:
    judgement = judge(batch(bar(0), earlier=accepted(price)))
    assert judgement.bars.select("verdict", "rules").rows() == [(verdict, rules)]


def test_unexplained_jump_over_night_is_suspect_and_explained_one_is_not() -> None:
    before = accepted("50", day=SESSION - timedelta(days=1))
    assert judge(batch(bar(0), earlier=before)).bars["rules"].to_list() == ["collar,no_jump"]
    explained = judge(batch(bar(0), earlier=before, splits={"AAPL": [(SESSION, 0.5)]}))
    assert explained.bars["verdict"].to_list() == ["passed"]


def test_minute_without_most_symbols_blocks_the_batch_and_says_how_many() -> None:
    judgement = judge(batch(bar(0), silent_pct=62.5))
    assert judgement.blocking == ("complete",)
    assert [each.sample for each in judgement.results if each.name == "complete"] == ["seen: 62.5"]
    assert not judge(batch(bar(0), silent_pct=50.0)).is_blocked


def test_old_data_warns_and_blocks_nothing() -> None:
    judgement = judge(batch(bar(0), behind_min=7.0))
    assert not judgement.is_blocked
    assert judgement.bars["verdict"].to_list() == ["passed"]
    assert [each.name for each in judgement.results if not each.is_passed] == ["fresh"]
