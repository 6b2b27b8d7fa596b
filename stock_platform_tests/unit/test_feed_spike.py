"""The spike filter: bounds worked out by hand, and a recorded day with errors put into it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.config import ROOT
from stock_platform.feed.spike import SpikeFilter
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import instruments_of_tape

_TAPE = ROOT.parent / "shared" / "data" / "tapes" / "us-2013-10-07.parquet"
_OPEN = datetime.fromisoformat("2013-10-07T13:30:00+00:00")
_CLOSE = datetime.fromisoformat("2013-10-07T20:00:00+00:00")
_CENT = 10_000


def _filter(*cents: int) -> SpikeFilter:
    spike = SpikeFilter()
    for price in cents:
        assert spike.judge(price * _CENT) == "inside"
    return spike


_CALM = [10_000, 10_010] * 30
"""Sixty prices: mean 100.05, standard deviation 0.05, also without the three highest and the three lowest."""


@pytest.mark.parametrize(
    ("cents", "width", "is_allowed"),
    [
        (10_050, 1, True),  # 100.05 + 30 bp of it (0.30015) + 3 x 0.05 = 100.50015
        (10_051, 1, False),
        (9_960, 1, True),  # 99.59985
        (9_959, 1, False),
        (10_065, 2, True),  # 100.05 + 0.30015 + 2 x 0.15 = 100.65015
        (10_066, 2, False),
    ],
)
def test_bound_is_three_deviations_and_the_floor(cents: int, width: int, is_allowed: bool) -> None:
    spike = _filter(*_CALM)
    assert spike.allows(cents * _CENT, width=width) is is_allowed
    assert (spike.judge(cents * _CENT, width=width) == "inside") is is_allowed


@pytest.mark.parametrize(
    ("cents", "judgement"),
    [(10_300, "inside"), (10_301, "outside"), (9_700, "inside"), (9_699, "outside")],
)
def test_three_percent_are_allowed_while_little_is_known(cents: int, judgement: str) -> None:
    assert _filter(10_000).judge(cents * _CENT) == judgement


def test_first_price_is_taken_and_two_steps_of_a_cheap_stock_are_no_spike() -> None:
    spike = _filter(*[200, 201] * 30)
    # 2.005 and 30 bp and 3 x 0.005 are 2.026; two cents and 3 x 0.005 are 2.040
    assert spike.allows(204 * _CENT)
    assert not spike.allows(205 * _CENT)


def test_one_wrong_price_in_the_window_moves_neither_level_nor_bound() -> None:
    spike = _filter(10_300, *_CALM[:59])
    assert spike.level is not None
    assert abs(spike.level - 10_005 * _CENT) < _CENT
    assert not spike.allows(10_060 * _CENT)


@pytest.mark.parametrize(
    ("cents", "judgements"),
    [
        ([9_000, 9_010, 9_005], ["outside", "outside", "shift"]),  # the third that agrees
        ([9_000, 9_010, 10_005, 9_005], ["outside", "outside", "inside", "outside"]),  # not consecutive
        ([9_000, 11_000, 9_000], ["outside", "outside", "outside"]),  # on both sides
        ([9_000, 8_000, 7_000], ["outside", "outside", "outside"]),  # as far from one another as from the level
        ([9_000, 11_000, 9_010, 9_005, 9_000], ["outside", "outside", "outside", "outside", "shift"]),
        ([9_000, 9_010, 9_005, 9_002, 10_005], ["outside", "outside", "shift", "inside", "outside"]),  # the level is the new one
    ],
)
def test_three_rejects_that_agree_are_a_new_level(cents: list[int], judgements: list[str]) -> None:
    spike = _filter(*_CALM)
    assert [spike.judge(price * _CENT) for price in cents] == judgements


@given(st.lists(st.integers(1, 10**18), max_size=120) | st.lists(st.integers(9_500, 10_500), max_size=200))
def test_window_holds_what_was_taken_and_nothing_else(prices: list[int]) -> None:
    """A refused price comes in only with the two that agree with it. Level: recomputed from all that was taken."""
    spike, taken = SpikeFilter(), list[int]()
    for at, price in enumerate(prices):
        judgement = spike.judge(price)
        if judgement == "inside":
            taken.append(price)
        elif judgement == "shift":
            taken = prices[at - 2 : at + 1]
        newest = sorted(taken[-60:])
        cut = len(newest) // 20
        assert spike.level == sum(newest[cut : len(newest) - cut]) // (len(newest) - 2 * cut)


@given(st.lists(st.integers(1, 10**18), max_size=100))
def test_same_prices_get_the_same_judgements(prices: list[int]) -> None:
    first, second = SpikeFilter(), SpikeFilter()
    assert [first.judge(price) for price in prices] == [second.judge(price) for price in prices]


class _Print(NamedTuple):
    ts_event: datetime
    symbol: str
    price: Decimal
    size: int
    day_volume: int

    @property
    def is_regular(self) -> bool:
        return _OPEN <= self.ts_event < _CLOSE


_ERRORS: dict[str, Callable[[Decimal], Decimal]] = {
    "+0.5 %": lambda price: price * Decimal("1.005"),
    "+1 %": lambda price: price * Decimal("1.01"),
    "-5 %": lambda price: price * Decimal("0.95"),
    "x100": lambda price: price * 100,
    "/7": lambda price: round(price / 7, 4),
}
_EACH = 200


def _prints(*, is_conflated: bool) -> list[_Print]:
    """The recorded day: every print, or the last one of each second, as a stream that is looked at once a second."""
    if not _TAPE.exists():
        pytest.skip(f"the recorded tape is not here: ../shared/data/tapes/{_TAPE.name}")
    is_regular = pl.col("ts_event").is_between(_OPEN, _CLOSE, closed="left")
    counted = pl.when(is_regular).then(pl.col("size")).otherwise(0).cum_sum().over("symbol")
    trades = pl.read_parquet(_TAPE).with_columns(day_volume=counted)
    if is_conflated:
        second = pl.col("ts_event").dt.truncate("1s")
        trades = trades.group_by("symbol", second.alias("second"), maintain_order=True).last().drop("ts_event")
        trades = trades.rename({"second": "ts_event"}).sort("ts_event", maintain_order=True)
    return [_Print(*row) for row in trades.select("ts_event", "symbol", "price", "size", "day_volume").iter_rows()]


def _verdicts(prints: list[_Print], wrong: dict[int, str], *, source: str) -> Iterator[tuple[_Print, Tick | Refusal | None]]:
    validator = Validator(line="one", source=source, instruments=instruments_of_tape({each.symbol for each in prints}))
    connected = None if source == "tape" else _OPEN - timedelta(hours=8)
    for at, each in enumerate(prints):
        price = _ERRORS[wrong[at]](each.price) if at in wrong else each.price
        volume = None if source == "tape" else each.day_volume
        candidate = Candidate(
            each.symbol, price, volume, each.size, each.ts_event, each.ts_event, None, connected, at, lambda: b"original"
        )
        yield each, validator.judge(candidate)


@pytest.mark.parametrize(("source", "is_conflated"), [("tape", False), ("yahoo", True)])
def test_injected_errors_are_held(source: str, is_conflated: bool) -> None:
    """Two hundred of each kind, in regular hours; at most a few of half a percent, while prices scatter, come through."""
    prints = _prints(is_conflated=is_conflated)
    regular = [at for at, each in enumerate(prints) if each.is_regular]
    kinds = [kind for kind in _ERRORS for _ in range(_EACH)]
    wrong = dict(zip(random.Random(20131007).sample(regular, len(kinds)), kinds, strict=True))
    held, false_rejects = Counter[str](), list[_Print]()
    for at, (each, verdict) in enumerate(_verdicts(prints, wrong, source=source)):
        if not isinstance(verdict, Refusal):
            continue
        if at in wrong:
            held[wrong[at]] += 1
        elif each.is_regular:
            false_rejects.append(each)
    print(f"{source}: held {dict(held)} of {_EACH} each, {len(prints)} prints")
    assert held.total() >= 0.97 * len(kinds)
    assert {kind: held[kind] for kind in ("-5 %", "x100", "/7")} == {"-5 %": _EACH, "x100": _EACH, "/7": _EACH}
    assert held["+1 %"] >= 0.99 * _EACH
    assert held["+0.5 %"] >= 0.9 * _EACH
    # Every print of the tape: the one that the reference bars leave out, too. Once a second: none.
    assert [(each.symbol, each.price, each.size) for each in false_rejects] == (
        [] if is_conflated else [("SPY", Decimal("168.9"), 1_002_411)]
    )


def test_genuine_jump_is_accepted_and_the_off_market_print_is_held() -> None:
    refused = [each for each, verdict in _verdicts(_prints(is_conflated=False), {}, source="tape") if isinstance(verdict, Refusal)]
    assert [(each.symbol, f"{each.ts_event:%H:%M:%S}", each.price) for each in refused if each.is_regular] == [
        ("SPY", "17:07:19", Decimal("168.9"))
    ]
    jump = datetime.fromisoformat("2013-10-07T14:02:50.367+00:00")
    within = timedelta(minutes=1)
    ibm = [each for each in _prints(is_conflated=False) if each.symbol == "IBM" and jump - within < each.ts_event <= jump]
    assert {Decimal("182.29"), Decimal("182.6")} <= {each.price for each in ibm}
    assert not set(ibm) & set(refused)
