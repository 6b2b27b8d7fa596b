"""The watchlist: the default one, and what is said of a wrong one."""

from pathlib import Path

import pytest

from stock_platform.errors import WatchlistInvalid
from stock_platform.feed.watchlist import always_open, instruments_of_tape, load_watchlist

_GICS_SECTORS = {
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Materials",
    "Real Estate",
    "Technology",
    "Utilities",
}
_GOOD = """instruments:
  - symbol: AAPL
    name: Apple Inc.
    sector: Technology
    currency: USD
    calendar: XNYS
    provider: yahoo
"""


def test_default_watchlist_covers_all_sectors_and_never_sleeps() -> None:
    instruments = load_watchlist()
    assert {each.sector for each in instruments} >= _GICS_SECTORS
    assert {each.symbol for each in instruments} >= {"SPY", "QQQ", "BTC-USD", "ETH-USD"}
    assert sum(each.sector in _GICS_SECTORS for each in instruments) == 30
    assert all(each.simulator for each in instruments)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (_GOOD.replace("calendar: XNYS", "calendar: XNSY"), "line 6", "'XNSY' is not one of XNYS, "),
        (_GOOD.replace("    currency: USD\n", ""), "line 2", "instruments.0.currency: Field required"),
        (_GOOD.replace("symbol: AAPL", "symbol: a b"), "line 2", "instruments.0.symbol"),
        (_GOOD.replace("provider: yahoo", "provider: carrier pigeon"), "line 7", "instruments.0.provider"),
        (_GOOD.replace("symbol: AAPL", "symbol: AZN.L"), "line 2", "calendar 'XNYS' of AZN.L keeps other hours than 'XLON'"),
        (_GOOD + "    colour: red\n", "line 8", "instruments.0.colour"),
        (_GOOD + "    simulator: {base_price: -1}\n", "line 8", "base_price"),
        (_GOOD + _GOOD.removeprefix("instruments:\n"), "line 1", "symbols named twice: AAPL"),
        ("instruments: []\n", "line 1", "at least 1 item"),
        ("", "line 1", "watchlist"),
        ("instruments: [\n", "line 2", "not YAML"),
    ],
)
def test_wrong_watchlist_is_refused_with_line_and_reason(tmp_path: Path, text: str, where: str, problem: str) -> None:
    path = tmp_path / "watchlist.yaml"
    path.write_text(text)
    with pytest.raises(WatchlistInvalid) as caught:
        load_watchlist(path)
    assert f"{path}, {where}:" in str(caught.value)
    assert problem in str(caught.value)


def test_missing_watchlist_is_named(tmp_path: Path) -> None:
    with pytest.raises(WatchlistInvalid, match=r"nowhere\.yaml, file: No such file"):
        load_watchlist(tmp_path / "nowhere.yaml")


def test_symbols_of_a_tape_are_instruments() -> None:
    known, unknown = instruments_of_tape(["SPY", "AIG"], load_watchlist())[::-1]
    assert (known.symbol, known.sector) == ("SPY", "Index Fund")
    assert (unknown.symbol, unknown.name, unknown.sector, unknown.calendar) == ("AIG", "AIG", "Unknown", "XNYS")
    assert always_open([unknown])[0].calendar == "24/7"
