"""A bar computed anew from its ticks, and which messages are its ticks. Expected values by hand."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from stock_platform.adapters.kafka_records import Stored
from stock_platform.market.recomputation import FIELDS, Placed, recompute
from stock_platform.market.tick_message import Tick, tick_of
from stock_platform.market.verification import tick_in

START = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
START_MS = 1_795_185_000_000
HOUR = timedelta(hours=1)
MESSAGE: dict[str, Any] = {
    "symbol": "A",
    "price": "10.5",
    "day_volume": 100,
    "size": None,
    "ts_event": START_MS,
    "ts_recv": START_MS + 50,
    "session_phase": "regular",
    "currency": "USD",
    "previous_close": "9.75",
    "source": "tape",
    "line": "tape",
    "line_seq": 1,
    "tick_id": "x",
    "is_suspect": False,
    "is_continuous": True,
}


def placed(offset: int, second: float, day_volume: int | None, price: str, *, is_continuous: bool = True) -> Placed:
    ts_event = START + timedelta(seconds=second)
    return Placed(offset, Tick("A", Decimal(price), day_volume, ts_event, "regular", "tape", is_continuous))


THREE = [placed(5, 0, 100, "10"), placed(3, 10, 300, "12"), placed(9, 20, 300, "11")]


def test_bar_has_every_field_as_worked_out_by_hand() -> None:
    found = recompute(THREE, day_volume_before=0)
    assert tuple(found) == FIELDS
    assert found == {
        "open": Decimal("10"),
        "high": Decimal("12"),
        "low": Decimal("10"),
        "close": Decimal("11"),
        "volume": 300,
        # 0 → 100 at 10, 100 → 300 at 12
        "vwap": Decimal("11.333333"),
        "tick_count": 3,
        "ts_first_tick": START,
        "ts_last_tick": START + timedelta(seconds=20),
        "is_continuous": True,
        "source": "tape",
        "kafka_offset_first": 3,
        "kafka_offset_last": 9,
    }


def test_order_of_ticks_is_no_matter_and_a_repeat_counts_once_but_has_its_offset() -> None:
    first = recompute(THREE, day_volume_before=0)
    for ticks in permutations([*THREE, placed(12, 10, 300, "12.0")]):
        assert recompute(ticks, day_volume_before=0) == {**first, "kafka_offset_last": 12}


@pytest.mark.parametrize(
    ("before", "is_continuous", "volume", "vwap"),
    [
        # 100 → 300 at 12
        (100, True, 200, "12"),
        (60, True, 240, "11.666667"),
        # Ticks may be missing before the bar: what the session had before is not asked.
        (60, False, 200, "12"),
        (300, True, 0, None),
        (400, True, -100, None),
    ],
)
def test_volume_is_closed_at_the_boundary_where_that_is_known(
    before: int, is_continuous: bool, volume: int, vwap: str | None
) -> None:
    ticks = [placed(0, 0, 100, "10", is_continuous=is_continuous), *THREE[1:]]
    found = recompute(ticks, day_volume_before=before)
    assert (found["volume"], found["vwap"]) == (volume, None if vwap is None else Decimal(vwap))


def test_coin_has_no_volume_and_ties_of_an_instant_are_ordered_by_price() -> None:
    ticks = [placed(0, 5, None, "84000.25"), placed(1, 5, None, "84000"), placed(2, 59.999, None, "83999.5")]
    found = recompute(ticks, day_volume_before=0)
    assert (found["volume"], found["vwap"]) == (None, None)
    assert [found[name] for name in ("open", "high", "low", "close")] == [
        Decimal(price) for price in ("84000", "84000.25", "83999.5", "83999.5")
    ]


def test_tick_without_volume_among_others_is_the_lowest_and_says_whether_the_bar_is_continuous() -> None:
    ticks = [placed(0, 30, None, "9", is_continuous=False), placed(1, 0, 200, "10"), placed(2, 50, 250, "11")]
    found = recompute(ticks, day_volume_before=150)
    # Not continuous: from the lowest volume of the bar, 200 → 250 at 11.
    assert (found["is_continuous"], found["volume"], found["vwap"]) == (False, 50, Decimal("11"))
    assert (found["open"], found["low"], found["close"]) == (Decimal("10"), Decimal("9"), Decimal("11"))


def test_only_the_lowest_tick_tells_of_continuity_and_one_copy_of_it_is_enough() -> None:
    flagged = [placed(0, 0, 100, "10", is_continuous=False), placed(1, 10, 200, "10", is_continuous=True)]
    assert recompute(flagged, day_volume_before=0)["is_continuous"] is False
    assert recompute([*flagged, placed(2, 0, 100, "10")], day_volume_before=0)["is_continuous"] is True


def test_vwap_is_rounded_half_up_and_large_sums_stay_exact() -> None:
    half = [placed(0, 0, 1, "0.000002"), placed(1, 1, 2, "0.000003")]
    assert recompute(half, day_volume_before=0)["vwap"] == Decimal("0.000003")
    large = [placed(0, 0, 10**17, "123456789012.123456"), placed(1, 1, 2 * 10**17, "123456789012.123458")]
    assert recompute(large, day_volume_before=0)["vwap"] == Decimal("123456789012.123457")


def test_no_tick_gives_no_bar() -> None:
    assert recompute([], day_volume_before=0) == {}


# --- messages ---


def stored(*, kafka_after: timedelta = timedelta(seconds=1), **changes: Any) -> Stored:
    message = {**MESSAGE, **changes}
    ms = message["ts_event"] + kafka_after // timedelta(milliseconds=1)
    return Stored(0, 7, ms, b"A", {}, json.dumps(message).encode())


def test_message_is_read_as_it_was_written() -> None:
    assert tick_of(json.dumps(MESSAGE).encode()) == Tick("A", Decimal("10.5"), 100, START, "regular", "tape", True)


def test_field_that_may_be_null_may_be_absent() -> None:
    names = ("day_volume", "size", "previous_close")
    found = tick_of(json.dumps({name: value for name, value in MESSAGE.items() if name not in names}).encode())
    assert found is not None
    assert found.day_volume is None


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "NaN"},
        {"price": 10.5},
        {"price": "0"},
        {"price": "-1"},
        {"price": "1e999999999"},
        {"price": "1e-999999999"},
        {"price": "1.0000001"},
        {"price": "1_000"},
        {"price": " 10"},
        {"price": "1000000000000"},
        {"previous_close": "none"},
        {"day_volume": -1},
        {"day_volume": 1.5},
        {"day_volume": 2**63},
        {"ts_event": "yesterday"},
        {"ts_event": START_MS // 1000},
        {"ts_event": START_MS * 1000},
        {"session_phase": "lunch"},
        {"source": "hearsay"},
        {"is_continuous": "yes"},
        {"symbol": ""},
        {"symbol": None},
        {"line_seq": None},
    ],
    ids=str,
)
def test_message_that_the_stream_refuses_is_no_tick(changes: dict[str, Any]) -> None:
    assert tick_of(json.dumps({**MESSAGE, **changes}).encode()) is None


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b"null", b"\xff\xfe", b'{"symbol":"A"}', b"<html>"])
def test_rubbish_is_no_tick(value: bytes) -> None:
    assert tick_of(value) is None


@pytest.mark.parametrize(
    ("text", "price"), [("10", "10"), ("1e2", "100"), ("+10.50", "10.5"), (".5", "0.5"), ("999999999999.999999", None)]
)
def test_price_is_any_decimal_that_fits(text: str, price: str | None) -> None:
    found = tick_of(json.dumps({**MESSAGE, "price": text}).encode())
    assert found is not None
    assert found.price == Decimal(price or text)


@pytest.mark.parametrize(
    ("record", "is_taken"),
    [
        (stored(), True),
        (stored(ts_event=START_MS + 59_999), True),
        (stored(ts_event=START_MS + 60_000), False),
        (stored(ts_event=START_MS - 1), False),
        (stored(symbol="B"), False),
        (stored(session_phase="pre"), False),
        (stored(price="0"), False),
        (stored(kafka_after=HOUR), True),
        (stored(kafka_after=HOUR + timedelta(milliseconds=1)), False),
    ],
)
def test_record_is_a_tick_of_the_bar_or_not(record: Stored, is_taken: bool) -> None:
    found = tick_in("A", START, record, late_limit=HOUR)
    assert (found is not None) is is_taken
    assert found is None or found.offset == 7


def test_nothing_is_too_late_without_a_limit() -> None:
    assert tick_in("A", START, stored(kafka_after=timedelta(days=4000)), late_limit=None) is not None
