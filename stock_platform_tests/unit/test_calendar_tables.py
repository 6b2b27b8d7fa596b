"""The committed tables: as exchange_calendars has them, as recorded bars lie in them, and as Yahoo names the exchanges."""

import json
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from stock_platform.calendars import calendar, calendar_of_exchange, calendar_of_symbol, has_same_hours
from stock_platform.calendars.export import COMMAND, render
from stock_platform.calendars.lookup import CALENDARS, TABLES, table_text
from stock_platform_tests.conftest import RECORDED


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.filterwarnings("ignore")
def test_table_is_what_its_source_says(name: str) -> None:
    assert table_text(name) == render(name), f"stale; run .venv/bin/{COMMAND}"


@pytest.mark.filterwarnings("ignore")
def test_sessions_of_a_table_are_those_of_its_source() -> None:
    """Not by the text, which render and parse might misread alike: open, close and break of each session of four years."""
    import exchange_calendars

    for name in ("XHKG", "XKRX", "XLON", "XNYS"):
        source = exchange_calendars.get_calendar(name, start="2023-01-01", end="2026-12-31").schedule
        expected = [tuple(None if each != each else each.to_pydatetime() for each in row) for row in source.itertuples(index=False)]
        found = calendar(name).sessions(date(2023, 1, 1), date(2027, 1, 1))
        assert [(each.ts_open, each.ts_break_start, each.ts_break_end, each.ts_close) for each in found] == expected


_REGULAR_BARS = {
    "dst-shy-2008-03.parquet": {("SHY", date(2008, 3, 7)): 333, ("SHY", date(2008, 3, 10)): 313},
    "early-close-goog-2015-12.parquet": {
        ("GOOG", date(2015, 12, 23)): 390,
        ("GOOG", date(2015, 12, 24)): 210,
        ("GOOG", date(2015, 12, 28)): 382,
    },
    "split-aapl-2014-06.parquet": {("AAPL", date(2014, 6, day)): 390 for day in (5, 6, 9)},
    "us-2013-10-07.parquet": {("SPY", date(2013, 10, 7)): 390},
}
"""Bars between 09:30 and 16:00 New York (13:00 on 2015-12-24), counted by New York's clock in the files themselves."""


@pytest.mark.parametrize("file", _REGULAR_BARS)
def test_recorded_bars_lie_in_their_sessions(file: str) -> None:
    path = RECORDED / "bars_1m" / file
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    hours, counts = calendar("XNYS"), dict[tuple[str, date], int]()
    for symbol, ts in pl.read_parquet(path).select("symbol", "ts_start").iter_rows():
        assert hours.is_trading(ts), ts
        assert hours.session_date(ts) == ts.astimezone(ZoneInfo("America/New_York")).date()
        if hours.phase(ts) == "regular":
            key = (symbol, hours.session_date(ts))
            counts[key] = counts.get(key, 0) + 1
    assert {key: counts[key] for key in _REGULAR_BARS[file]} == _REGULAR_BARS[file]


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("AAPL", "XNYS"),
        ("BRK-B", "XNYS"),
        ("OCDO.L", "XLON"),
        ("AZT.OL", "XOSL"),
        ("ORSTED.CO", "XCSE"),
        ("WSKT.JK", "XIDX"),
        ("PETR4.SA", "BVMF"),
        ("7203.T", "XTKS"),
        ("RELIANCE.NS", "XNSE"),
        ("BTC-USD", "24/7"),
        ("EURUSD=X", "24/5"),
        ("GC=F", "CMES"),
        ("^GSPC", None),
        ("X.UNKNOWN", None),
    ],
)
def test_symbol_tells_its_calendar(symbol: str, name: str | None) -> None:
    assert calendar_of_symbol(symbol) == name
    assert name is None or name in CALENDARS


def test_captured_answers_name_exchanges_that_agree_with_their_symbols() -> None:
    folder = RECORDED / "yahoo_http"
    if not folder.exists():
        pytest.skip(f"no recorded data: {folder} is absent")
    seen = {pair for path in sorted(folder.glob("*.json")) for pair in _exchanges(path)}
    assert len(seen) >= 20
    for symbol, exchange in seen:
        by_exchange, by_symbol = calendar_of_exchange(exchange), calendar_of_symbol(symbol)
        assert by_exchange is not None, exchange
        assert by_symbol is None or has_same_hours(by_exchange, by_symbol), (symbol, exchange)


def _exchanges(path: Path) -> list[tuple[str, str]]:
    """(symbol, exchange name) of every chart's meta and every quote in the file."""
    answer = json.loads(path.read_text())["response"].get("bodyJson") or {}
    charts = ((answer.get("chart") or {}).get("result")) or []
    quotes = ((answer.get("quoteResponse") or {}).get("result")) or []
    metas = [(each["meta"]["symbol"], each["meta"]["exchangeName"]) for each in charts]
    return metas + [(each["symbol"], each["exchange"]) for each in quotes if "exchange" in each]
