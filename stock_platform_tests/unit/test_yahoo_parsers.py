"""Hostile and odd answers: each becomes the right records or the right refusal, and none raises."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.yahoo.actions import Action
from stock_platform.feed.yahoo.answer import Unusable, price_of, results_of
from stock_platform.feed.yahoo.bars import Dropped
from stock_platform.feed.yahoo.chart import Chart, parse_chart
from stock_platform.feed.yahoo.quote import Quote, parse_quotes

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
OPEN = 1_795_185_000  # 2026-11-20 14:30 UTC, 09:30 New York
META = {
    "symbol": "A",
    "currency": "USD",
    "exchangeName": "NYQ",
    "instrumentType": "EQUITY",
    "exchangeTimezoneName": "America/New_York",
    "dataGranularity": "1m",
    "regularMarketTime": OPEN + 23_400,
    "currentTradingPeriod": {"regular": {"start": OPEN, "end": OPEN + 23_400}},
}


def answer(body: bytes | str | Any, status: int = 200) -> Answer:
    encoded = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer("https://query2.finance.yahoo.com/v8/finance/chart/A", status, encoded, NOW)


def chart_body(rows: list[tuple[Any, ...]], *, events: Any = None, **meta: Any) -> dict[str, Any]:
    """Rows of (timestamp, open, high, low, close, volume)."""
    names = ("open", "high", "low", "close", "volume")
    quote = {name: [row[index] for row in rows] for index, name in enumerate(names, start=1)}
    result = {"meta": {**META, **meta}, "timestamp": [row[0] for row in rows], "indicators": {"quote": [quote]}, "events": events}
    return {"chart": {"result": [result], "error": None}}


def chart_of(rows: list[tuple[Any, ...]], **meta: Any) -> Chart:
    chart = parse_chart(answer(chart_body(rows, **meta)), now=NOW)
    assert isinstance(chart, Chart)
    return chart


def error_body(root: str, code: str, description: str) -> dict[str, Any]:
    return {root: {"result": None, "error": {"code": code, "description": description}}}


GONE = "No data found, symbol may be delisted"
TOO_LONG = "Invalid input - start = 1, end = 2. Only 8 days worth of 1m granularity data are allowed to be fetched per request."
REFUSALS: list[tuple[str, Any, int, str, str]] = [
    ("no body", b"", 200, "empty", "status 200 without a body"),
    ("blanks only", b" \n", 502, "empty", "status 502 without a body"),
    (
        "page",
        b"<!doctype html><html><head><title> Will be right back... </title>",
        200,
        "html",
        "status 200, a page: Will be right",
    ),
    ("page of an error", b"<html><body>502", 502, "html", "status 502, a page: <html><body>502"),
    ("refusal by status", b"", 429, "rate_limited", "429"),
    ("refusal by words", b"Too Many Requests\r\n", 200, "rate_limited", "Too Many Requests"),
    ("words", b"upstream connect error", 503, "not_json", "upstream connect error"),
    ("half a body", b'{"chart":{"result":[{"meta":', 200, "not_json", "it begins with"),
    ("deep nesting", b"[" * 100_000, 200, "not_json", "it begins with"),
    ("bytes", b"\xff\xfe\x00", 200, "not_json", "it begins with"),
    ("delisted", error_body("chart", "Not Found", GONE), 404, "vendor_error", f"Not Found: {GONE}"),
    ("too long", error_body("chart", "Unprocessable Entity", TOO_LONG), 422, "vendor_error", "Only 8 days worth"),
    ("crumb", error_body("finance", "Unauthorized", "Invalid Crumb"), 401, "vendor_error", "Unauthorized: Invalid Crumb"),
    ("error as text", {"chart": {"result": None, "error": "boom"}}, 200, "vendor_error", "boom"),
    ("error without words", {}, 500, "http_error", "status 500"),
    ("another root", {"quoteResponse": {"result": []}}, 200, "unknown_shape", "no chart among ['quoteResponse']"),
    ("a list", [], 200, "unknown_shape", "no chart among []"),
    ("no result", {"chart": {"result": None, "error": None}}, 200, "empty", "no result"),
    ("no meta", {"chart": {"result": [{}]}}, 200, "unknown_shape", "no symbol or currency in meta"),
    ("a number for meta", {"chart": {"result": [{"meta": 7}]}}, 200, "unknown_shape", "no symbol or currency in meta"),
    ("other bars", chart_body([], dataGranularity="5m"), 200, "unknown_interval", "A came in bars of 5m; expected 1m or 1d"),
    ("no timestamps", chart_body([]), 200, "no_timestamps", "A has no 1m bars"),
]


@pytest.mark.parametrize(
    ("body", "status", "reason", "detail"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_unusable_answer_is_refused_with_its_reason(body: Any, status: int, reason: str, detail: str) -> None:
    refusal = parse_chart(answer(body, status), now=NOW)
    assert isinstance(refusal, Unusable)
    assert (refusal.reason, detail in refusal.detail) == (reason, True), refusal


BAD_ROWS: list[tuple[str, tuple[Any, ...], Dropped]] = [
    ("all null", (OPEN + 60, None, None, None, None, None), Dropped(empty=1)),
    ("all NaN", (OPEN + 60, math.nan, math.nan, math.nan, math.nan, 5), Dropped(empty=1)),
    ("one null", (OPEN + 60, 10.0, None, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("one NaN", (OPEN + 60, 10.0, math.nan, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("infinite", (OPEN + 60, 10.0, math.inf, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("text", (OPEN + 60, "10", 10.0, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("truth", (OPEN + 60, True, 10.0, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("larger than our columns", (OPEN + 60, 10.0, 1e12, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("negative volume", (OPEN + 60, 10.0, 10.0, 10.0, 10.0, -1), Dropped(malformed=1)),
    ("half a volume", (OPEN + 60, 10.0, 10.0, 10.0, 10.0, 1.5), Dropped(malformed=1)),
    ("no time", (None, 10.0, 10.0, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("time in the year 12000", (316_516_000_000, 10.0, 10.0, 10.0, 10.0, 5), Dropped(malformed=1)),
    ("live row", (OPEN + 75, 10.0, 10.0, 10.0, 10.0, 0), Dropped(unaligned=1)),
    ("future", (OPEN + 86_400, 10.0, 10.0, 10.0, 10.0, 5), Dropped(unfinished=1)),
]


@pytest.mark.parametrize(("row", "dropped"), [case[1:] for case in BAD_ROWS], ids=[case[0] for case in BAD_ROWS])
def test_bad_row_is_dropped_and_counted_and_the_others_stay(row: tuple[Any, ...], dropped: Dropped) -> None:
    good = (OPEN, 10.0, 11.0, 9.0, 10.5, 100)
    chart = chart_of([good, row])
    assert [(each.close, each.volume) for each in chart.bars] == [(Decimal("10.5"), 100)]
    assert chart.dropped == dropped


def test_repeated_and_unsorted_times_give_each_bar_once_with_the_newest_word() -> None:
    chart = chart_of([(OPEN + 60, 2, 2, 2, 2, 20), (OPEN, 1, 1, 1, 1, 10), (OPEN + 60, 3, 3, 3, 3, 30)])
    assert [(each.ts_start.minute, each.close, each.volume) for each in chart.bars] == [(30, 1, 10), (31, 3, 30)]
    assert chart.dropped == Dropped(repeated=1)


def test_columns_of_unequal_length_lose_only_what_is_missing() -> None:
    body = chart_body([(OPEN, 1, 1, 1, 1, 10), (OPEN + 60, 2, 2, 2, 2, 20)])
    body["chart"]["result"][0]["indicators"]["quote"][0]["close"].pop()
    chart = parse_chart(answer(body), now=NOW)
    assert isinstance(chart, Chart)
    assert (len(chart.bars), chart.dropped) == (1, Dropped(malformed=1))


def test_unknown_volume_is_none_and_not_zero() -> None:
    chart = chart_of([(OPEN, 1, 1, 1, 1, None), (OPEN + 60, 1, 1, 1, 1, 0)])
    assert [each.volume for each in chart.bars] == [None, 0]


def test_negative_price_of_a_future_is_a_price() -> None:
    """Crude oil closed at -37.63 on 2020-04-20."""
    assert chart_of([(OPEN, -1.5, -1.0, -40.32, -37.63, 100)], symbol="CL=F").bars[0].close == Decimal("-37.63")


def test_edge_is_marked_at_each_days_ends_and_not_inside() -> None:
    day = 86_400
    rows = [(OPEN - day + 60 * n, 1, 1, 1, 1, volume) for n, volume in enumerate((0, 5, 0, 5, 0))]
    rows += [(OPEN + 60 * n, 1, 1, 1, 1, volume) for n, volume in enumerate((0, 5, 5))]
    assert [each.is_edge for each in chart_of(rows).bars] == [True, False, False, False, True, True, False, False]


def test_currency_without_any_volume_has_no_edges() -> None:
    assert not any(each.is_edge for each in chart_of([(OPEN + 60 * n, 1, 1, 1, 1, 0) for n in range(3)]).bars)


def test_todays_daily_bar_is_taken_after_its_close_and_the_live_row_never() -> None:
    yesterday, today, live = OPEN - 86_400, OPEN, OPEN + 23_402
    rows = [(each, 1, 1, 1, 1, 5) for each in (yesterday, today, live)]
    body = answer(chart_body(rows, dataGranularity="1d", regularMarketTime=live))
    closed = datetime.fromtimestamp(OPEN + 23_400, UTC)

    before = parse_chart(body, now=closed + timedelta(minutes=20))
    after = parse_chart(body, now=closed + timedelta(minutes=22))

    assert isinstance(before, Chart)
    assert isinstance(after, Chart)
    assert [each.session_date for each in before.bars] == [date(2026, 11, 19)]
    assert [each.session_date for each in after.bars] == [date(2026, 11, 19), date(2026, 11, 20)]
    assert after.dropped == Dropped(unaligned=1)


EVENTS: list[tuple[str, Any, list[Action], int]] = [
    ("none", None, [], 0),
    ("a list", [], [], 0),
    ("empty kinds", {"dividends": None, "splits": {}}, [], 0),
    (
        "a split by numbers",
        {"splits": {"1": {"date": OPEN, "numerator": 7, "denominator": 1, "splitRatio": "7:1"}}},
        [Action(date(2026, 11, 20), "split", Decimal(7), None, "USD")],
        0,
    ),
    (
        "a split by words",
        {"splits": {"1": {"date": OPEN, "splitRatio": "1:3"}}},
        [Action(date(2026, 11, 20), "split", Decimal("0.333333333"), None, "USD")],
        0,
    ),
    ("a split by zero", {"splits": {"1": {"date": OPEN, "numerator": 1, "denominator": 0, "splitRatio": "1:0"}}}, [], 1),
    ("a split of nonsense", {"splits": {"1": {"date": OPEN, "splitRatio": "two:one:NaN"}}}, [], 1),
    ("a split without a day", {"splits": {"1": {"numerator": 2, "denominator": 1}}}, [], 1),
    (
        "a payment in its own currency",
        {"dividends": {"1": {"date": OPEN, "amount": 0.25, "currency": "EUR"}}},
        [Action(date(2026, 11, 20), "dividend", None, Decimal("0.25"), "EUR")],
        0,
    ),
    (
        "two payments of one day",
        {"dividends": {"1": {"date": OPEN, "amount": 0.25}, "2": {"date": OPEN + 60, "amount": 1}}},
        [Action(date(2026, 11, 20), "dividend", None, Decimal("1.25"), "USD")],
        0,
    ),
    (
        "capital gains before dividends of the next day",
        {"dividends": {"1": {"date": OPEN + 86_400, "amount": 1}}, "capitalGains": {"1": {"date": OPEN, "amount": 2}}},
        [
            Action(date(2026, 11, 20), "capital_gain", None, Decimal(2), "USD"),
            Action(date(2026, 11, 21), "dividend", None, Decimal(1), "USD"),
        ],
        0,
    ),
]


@pytest.mark.parametrize(("events", "actions", "bad"), [case[1:] for case in EVENTS], ids=[case[0] for case in EVENTS])
def test_events_are_actions_by_day_at_the_exchange(events: Any, actions: list[Action], bad: int) -> None:
    chart = parse_chart(answer(chart_body([(OPEN, 1, 1, 1, 1, 1)], events=events)), now=NOW)
    assert isinstance(chart, Chart)
    assert (list(chart.actions), chart.bad_event_count) == (actions, bad)


def test_ex_date_is_the_exchanges_day_and_not_utcs() -> None:
    """00:00 in Sydney on 2026-11-21 is 13:00 UTC on the day before."""
    events = {"dividends": {"1": {"date": 1_795_179_600, "amount": 1}}}
    body = chart_body([(OPEN, 1, 1, 1, 1, 1)], events=events, exchangeTimezoneName="Australia/Sydney")
    chart = parse_chart(answer(body), now=NOW)
    assert isinstance(chart, Chart)
    assert chart.actions[0].ex_date == date(2026, 11, 21)


def quote_of(**fields: Any) -> Quote:
    quotes = parse_quotes(answer({"quoteResponse": {"result": [{"symbol": "A", **fields}], "error": None}}))
    assert not isinstance(quotes, Unusable)
    return quotes[0]


def test_pre_market_price_is_told_apart_and_measured_from_the_last_close() -> None:
    sale = quote_of(
        regularMarketPrice=10.5,
        regularMarketTime=OPEN - 63_000,
        regularMarketVolume=500,
        regularMarketPreviousClose=10,
        preMarketPrice=10.75,
        preMarketTime=OPEN - 600,
    ).last_sale
    assert sale is not None
    assert sale[0] == Decimal("10.75")
    assert sale[2:] == (None, Decimal("10.5"), 0)


@pytest.mark.parametrize("price", [None, "10", math.nan, math.inf, True, [], {}])
def test_quote_without_a_number_has_no_sale(price: Any) -> None:
    assert quote_of(regularMarketPrice=price, regularMarketTime=OPEN).last_sale is None


def test_quotes_payload_is_the_vendors_own_part() -> None:
    assert json.loads(quote_of(regularMarketPrice=1.5, odd={"x": 1}).payload()) == {
        "symbol": "A",
        "regularMarketPrice": 1.5,
        "odd": {"x": 1},
    }


@given(st.floats(width=32, min_value=-1e9, max_value=1e9))
def test_float32_is_shown_as_numpy_shows_it(value: float) -> None:
    """numpy writes the shortest decimal of a float32; ours is that, with at most six decimals."""
    expected = Decimal(np.format_float_positional(np.float32(value), unique=True))
    assert price_of(value) == round(expected, 6)


@given(st.decimals(min_value=-99_999, max_value=99_999, places=4))
def test_a_price_survives_the_vendors_float64(price: Decimal) -> None:
    value = float(price)
    if float(np.float32(value)) != value:
        assert price_of(value) == price


_KEYS = st.sampled_from(["chart", "result", "meta", "timestamp", "indicators", "quote", "events", "error", "date"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([200, 404, 500]))
def test_parsers_never_raise(document: Any, status: int) -> None:
    changed = document if isinstance(document, dict) else {}
    body = answer({"chart": {"result": [{"meta": META, "timestamp": [OPEN], **changed}]}}, status)
    assert isinstance(parse_chart(body, now=NOW), Chart | Unusable)
    assert isinstance(parse_quotes(answer({"quoteResponse": {"result": document}}, status)), tuple | Unusable)
    results_of(answer(document, status), "chart")


@given(st.binary(max_size=200))
def test_bytes_never_raise(body: bytes) -> None:
    assert isinstance(parse_chart(answer(body), now=NOW), Unusable)
