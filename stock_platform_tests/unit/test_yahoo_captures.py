"""Every captured response of ../shared/data, case by case. Expected values were read off the captures by eye: prices are float32
there (75.0875015258789), so here they are the shortest decimal of that float32, with at most six decimals."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.yahoo.actions import Action
from stock_platform.feed.yahoo.answer import Unusable, results_of
from stock_platform.feed.yahoo.bars import Bar, Dropped
from stock_platform.feed.yahoo.chart import Chart, parse_chart
from stock_platform.feed.yahoo.quote import parse_quotes
from stock_platform.feed.yahoo.rules import Seen, judged
from stock_platform_tests.conftest import RECORDED

LATER = datetime(2025, 4, 1, tzinfo=UTC)
"""After every capture."""


def answer_of(folder: str, name: str) -> Answer:
    path = RECORDED / folder / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    captured = json.loads(path.read_text())
    response = captured.get("response", {"status": 200, "bodyJson": captured})
    url = captured.get("request", {}).get("url", "")
    return Answer(url, response["status"], json.dumps(response["bodyJson"]).encode(), LATER)


def bar(ts: str, prices: str, volume: int, *, day: str | None = None, is_edge: bool = False) -> Bar:
    start = datetime.fromisoformat(f"{ts}+00:00")
    at = date.fromisoformat(day) if day else start.date()
    return Bar(start, at, *(Decimal(price) for price in prices.split()), volume=volume, is_edge=is_edge)


US, DAY = "America/New_York", "2020-01-02T14:30"
FUND = ("0P000071W8.TO CAD TOR MUTUALFUND America/Toronto", [bar(DAY, "73.72 73.72 73.72 73.72", 0)])
AAPL = (f"AAPL USD NMS EQUITY {US}", [bar(DAY, "74.06 75.15 73.7975 75.0875", 135480400)])
ABBV = (f"ABBV USD NYQ EQUITY {US}", [bar(DAY, "89.08 89.57 88.51 89.55", 5639200)])
AFRAF = (f"AFRAF USD PNK EQUITY {US}", [bar(DAY, "11.27 11.27 11.27 11.27", 0)])
AMZN = (f"AMZN USD NMS EQUITY {US}", [bar(DAY, "93.75 94.9005 93.2075 94.9005", 80580000)])
AZT = ("AZT.OL NOK OSL EQUITY Europe/Oslo", [bar("2020-01-02T08:00", "4.94 5.36 4.88 4.99", 151382)])
BABA = (f"BABA USD NYQ EQUITY {US}", [bar(DAY, "216.6 219.98 216.54 219.77", 15873500)])
BTC = (
    "BTC-USD USD CCC CRYPTOCURRENCY UTC",
    [
        bar("2020-01-01T00:00", "7194.892 7254.3306 7174.9443 7200.1743", 18565664997),
        bar("2020-01-02T00:00", "7202.5513 7212.1553 6935.27 6985.47", 20802083465),
        bar("2020-01-03T00:00", "6984.4287 7413.7153 6914.996 7344.8843", 28111481032),
    ],
)
CRON = (f"CRON USD NGM EQUITY {US}", [bar(DAY, "7.92 7.96 7.23 7.36", 12655000)])
EPAC = (f"EPAC USD NYQ EQUITY {US}", [bar(DAY, "26.19 26.34 25.75 26.16", 407900)])
EURUSD = (
    "EURUSD=X USD CCY CURRENCY Europe/London",
    [
        bar("2020-01-01T00:00", "1.122083 1.122838 1.115947 1.122083", 0),
        bar("2020-01-02T00:00", "1.121894 1.122712 1.116682 1.122083", 0),
        bar("2020-01-03T00:00", "1.117081 1.118068 1.112570 1.117144", 0),
    ],
)
GOLD = (f"GC=F USD CMX FUTURE {US}", [bar("2020-01-02T05:00", "1518.1 1528.7 1518 1524.5", 214)])
GOOG = (f"GOOG USD NMS EQUITY {US}", [bar(DAY, "67.0775 68.407 67.0775 68.3685", 28132000)])
OCDO = ("OCDO.L GBp LSE EQUITY Europe/London", [bar("2020-01-02T08:00", "1279.5 1286.57 1258 1259.5", 728520)])
ORSTED = ("ORSTED.CO DKK CPH EQUITY Europe/Copenhagen", [bar("2020-01-02T08:00", "685.8 688.4 677.2 681", 340491)])
QQQ = (f"QQQ USD NGM ETF {US}", [bar(DAY, "214.4 216.16 213.98 216.16", 30969400)])
SPOT = (f"SPOT USD NYQ EQUITY {US}", [bar(DAY, "151 152.8 149.61 151.62", 662600)])
WSKT = ("WSKT.JK IDR JKT MUTUALFUND Asia/Jakarta", [bar("2020-01-02T02:00", "1485 1515 1480 1505", 23547100)])

JANUARY = "-2020-01-01-to-2020-01-03"
CHARTS: dict[str, tuple[str, list[Bar]]] = {
    f"chart-0P000071W8.TO{JANUARY}": FUND,
    f"chart-AAPL{JANUARY}": AAPL,
    "chart-AAPL": (f"AAPL USD NMS EQUITY {US}", [bar("2022-02-22T14:30", "164.98 166.69 162.15 164.32", 91162800)]),
    f"chart-ABBV{JANUARY}": ABBV,
    f"chart-AFRAF{JANUARY}": AFRAF,
    f"chart-AMZN{JANUARY}": AMZN,
    f"chart-AZT.OL{JANUARY}": AZT,
    f"chart-BABA{JANUARY}": BABA,
    f"chart-BTC-USD{JANUARY}": BTC,
    f"chart-CRON{JANUARY}": CRON,
    f"chart-EPAC{JANUARY}": EPAC,
    f"chart-EURUSD=X{JANUARY}": EURUSD,
    f"chart-GC=F{JANUARY}": GOLD,
    f"chart-GOOG{JANUARY}": GOOG,
    f"chart-OCDO.L{JANUARY}": OCDO,
    f"chart-QQQ{JANUARY}": QQQ,
    f"chart-SPOT{JANUARY}": SPOT,
    f"chart-WSKT.JK{JANUARY}": WSKT,
    f"historical-via-chart-0P000071W8.TO{JANUARY}": FUND,
    f"historical-via-chart-AAPL{JANUARY}": AAPL,
    f"historical-via-chart-ABBV{JANUARY}": ABBV,
    f"historical-via-chart-AFRAF{JANUARY}": AFRAF,
    f"historical-via-chart-AMZN{JANUARY}": AMZN,
    f"historical-via-chart-AZT.OL{JANUARY}": AZT,
    f"historical-via-chart-BABA{JANUARY}": BABA,
    f"historical-via-chart-BTC-USD{JANUARY}": BTC,
    f"historical-via-chart-CRON{JANUARY}": CRON,
    f"historical-via-chart-EPAC{JANUARY}": EPAC,
    f"historical-via-chart-EURUSD=X{JANUARY}": EURUSD,
    f"historical-via-chart-GC=F{JANUARY}": GOLD,
    f"historical-via-chart-GOOG{JANUARY}": GOOG,
    f"historical-via-chart-OCDO.L{JANUARY}": OCDO,
    f"historical-via-chart-ORSTED.CO{JANUARY}": ORSTED,
    f"historical-via-chart-QQQ{JANUARY}": QQQ,
    f"historical-via-chart-SPOT{JANUARY}": SPOT,
    f"historical-via-chart-WSKT.JK{JANUARY}": WSKT,
}

DIVIDENDS = [("2021-02-17", "0.56"), ("2021-05-19", "0.56"), ("2021-08-18", "0.56"), ("2021-11-17", "0.62")]
LONG_CHARTS: dict[str, tuple[str, int, Bar, Bar, list[tuple[str, str]]]] = {
    "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv": (
        "MSFT",
        252,
        bar("2021-02-01T14:30", "235.06 242.5 232.43 239.65", 33314200),
        bar("2022-01-28T14:30", "300.23 308.48 294.45 308.26", 49743700),
        DIVIDENDS,
    ),
    "historical-via-chart-dividends-TSLA-no-dividends": (
        "TSLA",
        3303,
        bar("2010-06-29T13:30", "1.266667 1.666667 1.169333 1.592667", 281494500),
        bar("2023-08-11T13:30", "241.77 243.79 238.02 242.65", 98866600),
        [],
    ),
}

NO_PRICE = None
QUOTES: dict[str, tuple[str, str | None, str | None, int | None, tuple[Any, ...] | None]] = {
    # symbol's kind, currency, exchange, delay; price, epoch, day volume, previous close, market_hours
    "AAPL": ("EQUITY", "USD", "NMS", 0, ("244.64", 1739581198, None, "241.53", 2)),
    "ABBV": ("EQUITY", "USD", "NYQ", 0, ("193", 1739581126, None, "193.45", 2)),
    "ADH": ("MUTUALFUND", None, "YHD", 0, NO_PRICE),
    "AFRAF": ("EQUITY", "USD", "PNK", 0, ("8.46", 1739563200, 1, None, 1)),
    "AMZN": ("EQUITY", "USD", "NMS", 0, ("228.6", 1739581194, None, "230.37", 2)),
    "AZT.OL": ("EQUITY", "NOK", "OSL", 15, ("19.54", 1739788690, 569599, "19", 1)),
    "BABA": ("EQUITY", "USD", "NYQ", 0, ("124.81", 1739581199, None, "119.54", 2)),
    "BEKE": ("EQUITY", "USD", "NYQ", 0, ("20.5", 1739579092, None, "20.39", 2)),
    "BFLY": ("EQUITY", "USD", "NYQ", 0, ("4.86", 1739581140, None, "4.65", 2)),
    "BRKS": ("NONE", None, None, None, NO_PRICE),
    "BTC-USD": ("CRYPTOCURRENCY", "USD", "CCC", 0, ("96077.45", 1739789580, None, "96137.88", 1)),
    "CRON": ("EQUITY", "USD", "NGM", 0, ("1.99", 1739580012, None, "2", 2)),
    "EPAC": ("EQUITY", "USD", "NYQ", 0, ("46.14", 1739574993, None, "45.3", 2)),
    "EURUSD=X": ("CURRENCY", "USD", "CCY", 0, ("1.048988", 1739789683, None, "1.049538", 1)),
    "GOOG": ("EQUITY", "USD", "NMS", 0, ("186.92", 1739581181, None, "187.88", 2)),
    "MSFT-fields-beta": ("EQUITY", None, "NMS", 0, ("408.43", 1739566800, None, None, 1)),
    "OCDO.L": ("EQUITY", "GBp", "LSE", 15, ("308.8", 1739788724, 113925, "315.2", 1)),
    "ORSTED.CO": ("EQUITY", "DKK", "CPH", 0, ("299.7", 1739789655, 47779, "300.8", 1)),
    "QQQ": ("ETF", "USD", "NGM", 0, ("538.13", 1739581191, None, "535.9", 2)),
    "SI": ("NONE", None, None, None, NO_PRICE),
    "SOHO": ("EQUITY", "USD", "NGM", 0, ("0.8401", 1739566800, 6532, "0.8363", 1)),
    "SPOT": ("EQUITY", "USD", "NYQ", 0, ("637.51", 1739581087, None, "648.32", 2)),
    "TSLA-fields-symbol-shortName": ("EQUITY", None, "NMS", 0, ("355.84", 1739566801, None, None, 1)),
    "TSLA-fields-symbol": ("EQUITY", None, "NMS", 0, ("355.84", 1739566801, None, None, 1)),
    "WSKT.JK": ("MUTUALFUND", "IDR", "JKT", 10, ("202", 1721764800, 0, "202", 1)),
    "^VXAPL": ("INDEX", "USD", "WCB", 15, ("23.77", 1739566922, 0, "24.28", 1)),
}
UNKNOWN_SYMBOLS = ("quote-AAPL220121C00025000", "quote-APS.AX", "quote-SIX")
WEEKEND = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m"
SUMMARIES = {
    "quoteSummary-assetProfile-ADH": "assetProfile",
    "quoteSummary-assetProfile-EURUSD=X": "assetProfile",
    "quoteSummary-summaryDetail-ADH": "summaryDetail",
}


MSFT = next(name for name in LONG_CHARTS if "MSFT" in name)


def test_every_capture_has_a_case() -> None:
    folder = RECORDED / "yahoo_http"
    if not folder.exists():
        pytest.skip(f"no recorded data: {folder} is absent")
    cases = {*CHARTS, *LONG_CHARTS, *(f"quote-{name}" for name in QUOTES), *UNKNOWN_SYMBOLS, WEEKEND, *SUMMARIES}
    assert cases == {path.stem for path in folder.glob("*.json")}
    assert len(cases) == 71


@pytest.mark.parametrize("name", CHARTS)
def test_captured_chart_is_read_to_the_digit(name: str) -> None:
    described, bars = CHARTS[name]
    chart = parse_chart(answer_of("yahoo_http", name), now=LATER)
    assert isinstance(chart, Chart)
    assert f"{chart.symbol} {chart.currency} {chart.exchange} {chart.instrument_type} {chart.zone}" == described
    assert (chart.interval, as_shown(chart.bars), chart.actions) == ("1d", bars, ())
    assert (chart.dropped, chart.bad_event_count) == (Dropped(), 0)


@pytest.mark.parametrize("name", LONG_CHARTS)
def test_captured_years_are_read_from_first_to_last(name: str) -> None:
    symbol, count, first, last, dividends = LONG_CHARTS[name]
    chart = parse_chart(answer_of("yahoo_http", name), now=LATER)
    assert isinstance(chart, Chart)
    bars = as_shown(chart.bars)
    assert (chart.symbol, len(bars), bars[0], bars[-1]) == (symbol, count, first, last)
    expected = [Action(date.fromisoformat(day), "dividend", None, Decimal(amount), "USD") for day, amount in dividends]
    assert list(chart.actions) == expected
    assert chart.dropped == Dropped()
    assert set(judged(Seen(chart.bars, actions=chart.actions, level=bars[-1].close))) == {()}, "no rule holds a row of good years"


def as_shown(bars: Sequence[Bar]) -> list[Bar]:
    """Without what is adjusted for payments."""
    return [each._replace(adjusted_close=None) for each in bars]


def test_captured_close_comes_with_its_adjusted_one() -> None:
    """MSFT on 2021-02-01, before the year's four payments."""
    chart = parse_chart(answer_of("yahoo_http", MSFT), now=LATER)
    assert isinstance(chart, Chart)
    assert (chart.bars[0].close, chart.bars[0].adjusted_close) == (Decimal("239.65"), Decimal("231.18648"))


def test_captured_weekend_has_no_timestamps() -> None:
    assert parse_chart(answer_of("yahoo_http", WEEKEND), now=LATER) == Unusable("no_timestamps", "AAPL has no 1m bars in that time")


@pytest.mark.parametrize("name", QUOTES)
def test_captured_quote_gives_its_newest_sale(name: str) -> None:
    kind, currency, exchange, delay, sale = QUOTES[name]
    quotes = parse_quotes(answer_of("yahoo_http", f"quote-{name}"))
    assert not isinstance(quotes, Unusable)
    (quote,) = quotes
    assert quote.symbol == name.split("-fields", maxsplit=1)[0]
    assert (quote.kind, quote.currency, quote.exchange, quote.delay_minutes) == (kind, currency, exchange, delay)
    if sale is None:
        assert quote.last_sale is None
        return
    price, epoch, volume, before, phase = sale
    previous = Decimal(before) if before else None
    assert quote.last_sale == (Decimal(price), datetime.fromtimestamp(epoch, UTC), volume, previous, phase)


@pytest.mark.parametrize("name", UNKNOWN_SYMBOLS)
def test_captured_answer_to_an_unknown_symbol_has_no_quote(name: str) -> None:
    assert parse_quotes(answer_of("yahoo_http", name)) == ()


@pytest.mark.parametrize("name", SUMMARIES)
def test_captured_summary_is_refused_with_the_vendors_words(name: str) -> None:
    assert results_of(answer_of("yahoo_http", name), "quoteSummary") == Unusable(
        "vendor_error", f"Not Found: No fundamentals data found for any of the summaryTypes={SUMMARIES[name]}"
    )


def test_captured_null_bar_and_live_tail_are_dropped() -> None:
    """13:14 is null, and 13:14:36 is the last trade's own row."""
    answer = answer_of("yahoo_chart_1m", "PETR4.SA_2023-03-06_null_bar_and_live_tail")
    chart = parse_chart(answer, now=datetime(2023, 3, 6, 13, 16, tzinfo=UTC))
    assert isinstance(chart, Chart)
    assert (chart.symbol, chart.currency, chart.interval) == ("PETR4.SA", "BRL", "1m")
    assert list(chart.bars) == [
        bar("2023-03-06T13:10", "25.7 25.71 25.62 25.62", 0, is_edge=True),
        bar("2023-03-06T13:11", "25.66 25.74 25.61 25.64", 214400),
        bar("2023-03-06T13:12", "25.64 25.64 25.56 25.6", 400600),
        bar("2023-03-06T13:13", "25.6 25.65 25.6 25.65", 106000),
    ]
    assert chart.dropped == Dropped(empty=1, unaligned=1)


def test_captured_minute_that_the_exchange_has_not_finished_waits() -> None:
    """At 13:13:50 our clock is past no more than 13:12:50 with grace: the bars of 13:12 and 13:13 may still change."""
    answer = answer_of("yahoo_chart_1m", "PETR4.SA_2023-03-06_null_bar_and_live_tail")
    chart = parse_chart(answer, now=datetime(2023, 3, 6, 13, 13, 50, tzinfo=UTC))
    assert isinstance(chart, Chart)
    assert [each.ts_start.minute for each in chart.bars] == [10, 11]
    assert chart.dropped == Dropped(empty=1, unaligned=1, unfinished=2)


def test_captured_edges_without_volume_are_kept_and_marked() -> None:
    answer = answer_of("yahoo_chart_1m", "AMZN_2023-05-02_last30min")
    chart = parse_chart(answer, now=datetime(2023, 5, 3, tzinfo=UTC))
    assert isinstance(chart, Chart)
    assert (chart.symbol, chart.currency, len(chart.bars), chart.dropped) == ("AMZN", "USD", 31, Dropped())
    assert chart.bars[0] == bar("2023-05-02T19:30", "103.7 103.72 103.6 103.6", 0, is_edge=True)
    assert chart.bars[2] == bar("2023-05-02T19:32", "103.6052 103.68 103.5944 103.665", 105044)
    assert chart.bars[29] == bar("2023-05-02T19:59", "103.775 103.79 103.58 103.66", 862819)
    assert chart.bars[30] == bar("2023-05-02T20:00", "103.63 103.63 103.63 103.63", 0, is_edge=True)
    assert [each.is_edge for each in chart.bars].count(True) == 2


def test_captured_closing_minute_waits_for_its_end() -> None:
    """Two minutes after the close the vendor's own clock stands at 20:00:04, inside the bar of 20:00."""
    answer = answer_of("yahoo_chart_1m", "AMZN_2023-05-02_last30min")
    chart = parse_chart(answer, now=datetime(2023, 5, 2, 20, 2, tzinfo=UTC))
    assert isinstance(chart, Chart)
    assert (len(chart.bars), chart.dropped) == (30, Dropped(unfinished=1))
