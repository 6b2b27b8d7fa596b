"""The rules for the vendor's bars on real bad ones: which rows differ from the repaired files was found by comparing the files."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from stock_platform.feed.splits import Split
from stock_platform.feed.yahoo.actions import Action
from stock_platform.feed.yahoo.answer import price_of
from stock_platform.feed.yahoo.bars import Bar
from stock_platform.feed.yahoo.history import History, Kept
from stock_platform.feed.yahoo.rules import RULES, Seen, held_in_all, held_sample, hold, judged
from stock_platform_tests.conftest import RECORDED

_FIRST = datetime(2026, 11, 2, tzinfo=UTC)


def seen_in(name: str, level: str | None = None) -> Seen:
    """A file as an answer would have it: rows in order of time, with its dividends and splits."""
    path = RECORDED / "yahoo_bad_bars" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    rows = sorted(csv.DictReader(path.read_text().splitlines()), key=instant)
    bars = tuple(bar_of(row) for row in rows)
    actions = [action for row in rows for action in actions_of(row)]
    return Seen(bars, actions=actions, level=Decimal(level) if level else None)


def instant(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row.get("Date") or row["Datetime"])


def price(text: str) -> Decimal:
    found = price_of(float(text))
    assert found is not None
    return found


def bar_of(row: dict[str, str]) -> Bar:
    ts = instant(row)
    prices = [price(row[name]) for name in ("Open", "High", "Low", "Close")]
    return Bar(ts, ts.date(), *prices, volume=int(row["Volume"]), is_edge=False, adjusted_close=price(row["Adj Close"]))


def actions_of(row: dict[str, str]) -> list[Action]:
    day, paid, split = instant(row).date(), Decimal(row["Dividends"]), Decimal(row["Stock Splits"])
    return [
        *([Action(day, "dividend", None, paid, "")] if paid else []),
        *([Action(day, "split", split, None, "")] if split else []),
    ]


def held(seen: Seen) -> dict[str, str]:
    """Start of each held row as its file has it, and the rules."""
    found = zip(seen.bars, judged(seen), strict=True)
    return {f"{bar.ts_start:%Y-%m-%d %H:%M}": ",".join(rules) for bar, rules in found if rules}


def days(month: str, *numbers: int) -> list[str]:
    return [f"{month}-{number:02} 00:00" for number in numbers]


MISSED_SPLIT = days("2023-03", 15, 16, 17, 20, 22, 23, 24, 27, 28)
IN_POUNDS = [
    *days("2022-05", 3, 4, 5, 6, 20, 23, 24, 25, 26, 27, 30, 31),
    *days("2022-06", 1, 6),
]


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [
        ("4063-T-1d-bad-stock-split", None, dict.fromkeys(MISSED_SPLIT, "vendor_split")),
        ("4063-T-1d-bad-stock-split", "4129", dict.fromkeys(MISSED_SPLIT, "vendor_split")),
        ("4063-T-1d-bad-stock-split-fixed", None, {}),
        ("4063-T-1d-bad-stock-split-fixed", "4129", {}),
        ("ASAI-L-1h-bad-unit", None, {"2024-10-24 16:00": "vendor_unit"}),
        ("ASAI-L-1h-bad-unit", "72", {"2024-10-24 16:00": "vendor_unit"}),
        ("ASAI-L-1h-bad-unit-fixed", None, {}),
        ("ASAI-L-1h-bad-unit-fixed", "72", {}),
        # 14.55 is what our own last certified bar would say; the vendor's prices alone do not tell which side is wrong.
        ("AET-L-1d-100x-error", "14.55", dict.fromkeys(IN_POUNDS, "vendor_unit")),
        ("AET-L-1d-100x-error-fixed", "14.55", {}),
        ("AET-L-1d-100x-error-fixed", None, {}),
        ("8TRA-DE-1d-missing-div-adjust", None, dict.fromkeys(days("2023-05", 30, 31), "vendor_dividend")),
        ("EA-15m-no-bad-divs", None, {}),
        ("EA-15m-no-bad-divs", "201", {}),
    ],
)
def test_exactly_the_bad_rows_are_held_and_each_says_why(name: str, level: str | None, expected: dict[str, str]) -> None:
    assert held(seen_in(name, level)) == expected


def bars(*rows: tuple[str, str, str, str]) -> list[Bar]:
    starts = [_FIRST + timedelta(minutes=index) for index in range(len(rows))]
    return [Bar(ts, ts.date(), *map(Decimal, row), volume=1, is_edge=False) for ts, row in zip(starts, rows, strict=True)]


GOOD = ("10", "12", "9", "11")


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (GOOD, ()),
        (("10", "12", "10.5", "11"), ("vendor_ohlc_order",)),
        (("10", "10.9", "9", "11"), ("vendor_ohlc_order",)),
        (("10", "12", "0", "11"), ("vendor_price_positive",)),
        (("1000", "1000", "9", "11"), ("vendor_unit",)),
        (("10", "1200", "9", "11"), ("vendor_unit",)),
        (("10", "12", "0.09", "11"), ("vendor_unit",)),
        (("10", "12", "0.09", "0.11"), ("vendor_unit",)),
        (("0", "0.1", "0.2", "0"), ("vendor_price_positive", "vendor_ohlc_order", "vendor_unit")),
    ],
)
def test_one_bad_field_is_enough(row: tuple[str, str, str, str], rules: tuple[str, ...]) -> None:
    found = judged(Seen(bars(GOOD, GOOD, row, GOOD, GOOD)))
    assert found == [(), (), rules, (), ()]


def test_minutes_in_the_shares_of_before_a_split_are_held_by_our_own_level() -> None:
    """70 before a 7:1 split on the day after, 10 now: what the vendor should show of that day by now."""
    split = Split(date(2026, 11, 3), Decimal(7))
    right, old = ("10", "12", "9", "11"), ("70", "84", "63", "77")
    assert judged(Seen(bars(right, old, right), [split], level=Decimal("10.5"))) == [(), ("vendor_split",), ()]
    assert judged(Seen(bars(old, old), [split])) == [(), ()], "nothing to hold them against"


def test_held_rows_are_counted_by_rule_and_shown() -> None:
    history = History("A", bars=[Kept(bar, _FIRST, Path("answer")) for bar in bars(GOOD, ("10", "12", "10.5", "1100"), GOOD)])
    hold(history, splits=(), level=Decimal(11))
    assert [kept.rules for kept in history.bars] == [(), ("vendor_ohlc_order", "vendor_unit"), ()]
    assert held_in_all([history]) == {"vendor_ohlc_order": 1, "vendor_unit": 1}
    assert held_sample([history], 5) == [
        "A 2026-11-02 00:01Z vendor_ohlc_order, vendor_unit: open 10, high 12, low 10.5, close 1100"
    ]


def test_names_say_whose_rules_they_are() -> None:
    assert [rule.name for rule in RULES if not rule.name.startswith("vendor_")] == []
