"""Adjusted views on a real Postgres. Expected numbers by hand, from Yahoo's help page on adjusted closes, from its own series."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect, read_frame
from stock_platform.config import Settings
from stock_platform.defs.jumps import jump_result
from stock_platform_tests.conftest import RECORDED

VIEWS = ("market.bar_1m_adjusted", "aggregates.bar_1d_adjusted")
_RAW = "TRUNCATE market.bar_1m, aggregates.bar_1d, reference.corporate_action, reference.instrument, reference.vendor_instrument"


@pytest.fixture
def market(database: Settings) -> Iterator[Connection]:
    """An empty market; nothing of a test stays."""
    with connect(database.dsn("admin")) as connection:
        connection.execute(_RAW)
        yield connection
        connection.rollback()


def june(day: int) -> date:
    return date(2014, 6, day)


def session(connection: Connection, day: date, close: str, *, volume: int | None = 100, **prices: str) -> None:
    """A session of one minute, the same bar in both tables; prices that are not told are the close."""
    start = datetime.combine(day, time(13, 30), UTC)
    values: dict[str, Any] = {
        **dict.fromkeys(("open", "high", "low", "vwap"), close),
        **prices,
        "close": close,
        "volume": volume,
        "day": day,
        "start": start,
        "end": start + timedelta(minutes=1),
    }
    shared = "'A', %(start)s, %(end)s, %(open)s, %(high)s, %(low)s, %(close)s, %(volume)s, %(vwap)s, 1"
    connection.execute(
        f"INSERT INTO market.bar_1m VALUES ({shared}, %(start)s, %(start)s, 'tape', 0, 0, 0, 'job', TRUE, %(day)s, 1, "  # type: ignore[arg-type]
        "'passed', 'run', %(end)s)",
        values,
    )
    connection.execute(f"INSERT INTO aggregates.bar_1d VALUES ({shared}, 1, %(day)s, 'run', %(end)s)", values)  # type: ignore[arg-type]


def action(connection: Connection, ex_date: date, kind: str, value: str, told: date | None = None, currency: str = "USD") -> None:
    """What the vendor told in the evening of that day, by default of the ex-date."""
    ratio, amount = (value, None) if kind == "split" else (None, value)
    ts_recv = datetime.combine(told or ex_date, time(21), UTC)
    connection.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, %s, %s, %s, %s, 'yahoo', %s)",
        (ex_date, kind, ratio, amount, currency, ts_recv),
    )


def seen(connection: Connection, view: str, columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM {view} ORDER BY session_date"
    return connection.execute(query).fetchall()  # type: ignore[arg-type]


def decimals(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


@dataclass(frozen=True)
class Case:
    """Days of June 2014.

    Args:
        bars: Day, close and volume as they were traded.
        actions: Ex-date, kind, ratio or amount, and the day on which the vendor told it.
        expected: Split-adjusted close, total-return-adjusted close and split-adjusted volume of each bar.
    """

    name: str
    bars: tuple[tuple[int, str, int], ...]
    actions: tuple[tuple[int, str, str, int], ...]
    expected: tuple[tuple[str, str, int], ...]


CASES = (
    Case(
        "a 7:1 split: 645.57 / 7, 7 x 12,116,671",
        ((6, "645.57", 12_116_671), (9, "93.70", 72_875_948)),
        ((9, "split", "7", 9),),
        (("92.224286", "92.224286", 84_816_697), ("93.70", "93.70", 72_875_948)),
    ),
    Case(
        "a dividend: 24.96 x (1 - 0.08 / 24.96)",
        ((4, "24.96", 100), (5, "24.53", 100)),
        ((5, "dividend", "0.08", 5),),
        (("24.96", "24.88", 100), ("24.53", "24.53", 100)),
    ),
    Case(
        # 14 were paid; after the split the vendor says 2
        "a dividend before a 7:1 split, told after it: 1 - 2 x 7 / 700 = 0.98",
        ((4, "700", 10), (5, "693", 10), (9, "98", 70)),
        ((5, "dividend", "2", 9), (9, "split", "7", 9)),
        (("100", "98", 70), ("99", "99", 70), ("98", "98", 70)),
    ),
    Case(
        "a dividend before a 7:1 split, told before it: 1 - 14 / 700",
        ((4, "700", 10), (5, "693", 10), (9, "98", 70)),
        ((5, "dividend", "14", 6), (9, "split", "7", 9)),
        (("100", "98", 70), ("99", "99", 70), ("98", "98", 70)),
    ),
    Case(
        "a dividend after a 7:1 split: 1 - 2 / 100",
        ((4, "700", 10), (5, "100", 70), (9, "98", 70)),
        ((5, "split", "7", 9), (9, "dividend", "2", 9)),
        (("100", "98", 70), ("100", "98", 70), ("98", "98", 70)),
    ),
    Case(
        "a split and a dividend on one day",
        ((6, "700", 10), (9, "98", 70)),
        ((9, "split", "7", 9), (9, "dividend", "2", 9)),
        (("100", "98", 70), ("98", "98", 70)),
    ),
    Case(
        # 99 / 100 x 98 / 99; each by itself would be 0.99 x 0.99
        "a dividend and a capital gain on one day: 1 - 2 / 100",
        ((4, "100", 10), (5, "98", 10)),
        ((5, "dividend", "1", 5), (5, "capital_gain", "1", 5)),
        (("100", "98", 10), ("98", "98", 10)),
    ),
    Case(
        # 3 / 1.5 / 0.1; 101 x 0.15 = 15.15; 151 x 0.1 = 15.1
        "a 3:2 split and a 1:10 reverse split",
        ((4, "3", 101), (5, "2", 151), (6, "20", 15)),
        ((5, "split", "1.5", 5), (6, "split", "0.1", 6)),
        (("20", "20", 15), ("20", "20", 15), ("20", "20", 15)),
    ),
    Case(
        "an odd volume before a 3:2 split: 101 x 1.5 = 151.5",
        ((4, "15", 101), (5, "10", 1)),
        ((5, "split", "1.5", 5),),
        (("10", "10", 152), ("10", "10", 1)),
    ),
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bars_are_adjusted(market: Connection, case: Case, view: str) -> None:
    for day, close, volume in case.bars:
        session(market, june(day), close, volume=volume)
    for ex_day, kind, value, told in case.actions:
        action(market, june(ex_day), kind, value, june(told))
    rows = seen(market, view, "close_split_adjusted, close_total_return_adjusted, volume_split_adjusted, close")
    raw = [Decimal(close) for _, close, _ in case.bars]
    assert rows == [(*decimals(*prices), volume, close) for (*prices, volume), close in zip(case.expected, raw, strict=True)]


@pytest.mark.parametrize("view", VIEWS)
def test_every_price_of_a_bar_is_adjusted_alike(market: Connection, view: str) -> None:
    session(market, june(6), "14", open="21", high="28", low="7", vwap="10.5", volume=3)
    session(market, june(9), "2", volume=None, vwap="2")
    action(market, june(9), "split", "7")
    action(market, june(9), "dividend", "1")
    columns = "open_{0}, high_{0}, low_{0}, close_{0}"
    split, total = (seen(market, view, columns.format(f"{basis}_adjusted")) for basis in ("split", "total_return"))
    assert split == [decimals("3", "4", "1", "2"), decimals("2", "2", "2", "2")]
    # 1 - 1 / 2
    assert total == [decimals("1.5", "2", "0.5", "1"), decimals("2", "2", "2", "2")]
    assert seen(market, view, "vwap_split_adjusted, volume_split_adjusted") == [(Decimal("1.5"), 21), (Decimal(2), None)]


def test_factors_are_kept_apart_and_exact(market: Connection) -> None:
    """1/7 and 1 - 0.08/24.96 = 0.99679487179487179487..., to 18 digits."""
    session(market, june(4), "174.72")
    session(market, june(9), "24.96")
    action(market, june(9), "split", "7")
    action(market, june(10), "dividend", "0.08")
    names = "ex_date, kind, session_date_before, close_before, factor, reason, split_ratio, split_factor, dividend_factor"
    rows = market.execute(f"SELECT {names} FROM reference.adjustment_factor ORDER BY ex_date").fetchall()  # type: ignore[arg-type]
    seventh, dividend = decimals("0.142857142857142857", "0.996794871794871795")
    assert rows == [
        (june(9), "split", None, None, seventh, None, 7, seventh, dividend),
        (june(10), "dividend", june(9), Decimal("24.96"), dividend, None, 1, 1, dividend),
    ]
    for view in VIEWS:
        assert seen(market, view, "split_factor, dividend_factor") == [(seventh, dividend), (1, dividend)]


@pytest.mark.parametrize("view", VIEWS)
def test_series_is_that_of_the_vendors_own_example(market: Connection, view: str) -> None:
    """Yahoo's help page "What is the adjusted close?": 23.42, 24.07, 24.88, 24.53, which it rounds to cents."""
    for day, close in ((13, "46.99"), (14, "48.30"), (18, "24.96"), (19, "24.53")):
        session(market, date(2003, 2, day), close)
    action(market, date(2003, 2, 18), "split", "2")
    action(market, date(2003, 2, 19), "dividend", "0.08")
    (rows,) = zip(*seen(market, view, "round(close_total_return_adjusted, 2)"), strict=True)
    assert rows == decimals("23.42", "24.07", "24.88", "24.53")


@pytest.mark.parametrize("view", VIEWS)
def test_action_that_comes_late_changes_the_view_and_nothing_else(market: Connection, view: str) -> None:
    for day, close in ((5, "647.35"), (6, "645.57"), (9, "93.70")):
        session(market, june(day), close)
    tables = ("market.bar_1m", "aggregates.bar_1d")
    before = [read_frame(market, f"SELECT *, xmin::text FROM {table} ORDER BY session_date") for table in tables]
    closes = "close_split_adjusted, close_total_return_adjusted"
    assert seen(market, view, closes) == [decimals(each, each) for each in ("647.35", "645.57", "93.70")]

    action(market, june(9), "split", "7", june(20))
    assert seen(market, view, closes) == [decimals(each, each) for each in ("92.478571", "92.224286", "93.70")]

    # 1 - 0.47 x 7 / 647.35 = 0.994917741561...; 92.478571 x that = 92.008571
    action(market, june(6), "dividend", "0.47", june(23))
    assert seen(market, view, closes) == [
        decimals("92.478571", "92.008571"),
        decimals("92.224286", "92.224286"),
        decimals("93.70", "93.70"),
    ]
    after = [read_frame(market, f"SELECT *, xmin::text FROM {table} ORDER BY session_date") for table in tables]
    assert all(one.equals(other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("ex_day", "amount", "currency", "reason"),
    [
        (5, "1", "USD", "no_close_before"),
        (6, "0.47", "GBP", "other_currency"),
        (6, "100", "USD", "implausible_amount"),
        (6, "-1", "USD", "implausible_amount"),
    ],
)
def test_payment_that_cannot_be_applied_is_shown_with_its_reason(
    market: Connection, ex_day: int, amount: str, currency: str, reason: str
) -> None:
    market.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'x', 'USD', 'XNYS', 'yahoo')")
    session(market, june(5), "100")
    session(market, june(6), "99")
    action(market, june(ex_day), "dividend", amount, currency=currency)
    rows = market.execute("SELECT factor, reason, dividend_factor, split_factor FROM reference.adjustment_factor").fetchall()
    assert rows == [(None, reason, None, 1)]
    is_hit = ex_day == 6
    for view in VIEWS:
        assert seen(market, view, "close_split_adjusted, close_total_return_adjusted, dividend_factor") == [
            (Decimal(100), None, None) if is_hit else (Decimal(100), Decimal(100), Decimal(1)),
            (Decimal(99), Decimal(99), Decimal(1)),
        ]


def test_prices_in_the_vendors_currency_take_its_payments(market: Connection) -> None:
    """London: the watchlist says pounds, the vendor shows prices and payments in pence."""
    market.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'x', 'GBP', 'XLON', 'yahoo')")
    market.execute(
        "INSERT INTO reference.vendor_instrument (symbol, instrument_type, currency, source, ts_recv) "
        "VALUES ('A', 'EQUITY', 'GBp', 'yahoo', '2014-06-05')"
    )
    session(market, june(5), "400")
    action(market, june(6), "dividend", "10", currency="GBp")
    assert seen(market, VIEWS[1], "close_total_return_adjusted") == [(Decimal(390),)]


def test_view_follows_the_vendors_own_adjusted_closes(market: Connection) -> None:
    """Yahoo's capture of MSFT, 2021-02-01 to 2022-01-31, has four dividends, closes and adjusted closes.

    Its own series goes on with later dividends: it is compared by its ratio to the last day. It is in single precision."""
    path = RECORDED / "yahoo_http" / "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    chart = json.loads(path.read_text())["response"]["bodyJson"]["chart"]["result"][0]
    days = [datetime.fromtimestamp(second, UTC).date() for second in chart["timestamp"]]
    closes, adjusted = chart["indicators"]["quote"][0]["close"], chart["indicators"]["adjclose"][0]["adjclose"]
    for day, close in zip(days, closes, strict=True):
        session(market, day, f"{close:.2f}")
    payments = list(chart["events"]["dividends"].values())
    assert len(payments) == 4
    for payment in payments:
        action(market, datetime.fromtimestamp(payment["date"], UTC).date(), "dividend", str(payment["amount"]))
    later = adjusted[-1] / closes[-1]
    factors = seen(market, VIEWS[1], "dividend_factor")
    assert len(factors) == len(days)
    for (factor,), close, vendors in zip(factors, closes, adjusted, strict=True):
        assert float(factor) == pytest.approx(vendors / close / later, abs=2e-6)


def test_check_names_a_jump_until_its_split_is_known(market: Connection) -> None:
    session(market, june(5), "647.35")
    session(market, june(6), "645.57")
    session(market, june(9), "93.70")
    result = jump_result(market)
    assert (result.passed, result.severity, result.description) == (
        False,
        dg.AssetCheckSeverity.WARN,
        "A 2014-06-06 to 2014-06-09: 645.570000 to 93.700000, -85.5 % after known corporate actions",
    )
    assert {name: value.value for name, value in result.metadata.items()} == {"observed": 2, "failed": 1}

    action(market, june(9), "split", "7")
    assert jump_result(market).passed


def test_check_passes_over_an_empty_market_and_looks_back_a_month(market: Connection) -> None:
    assert jump_result(market).passed
    session(market, june(1), "100")
    session(market, june(2), "50")
    assert not jump_result(market).passed
    session(market, date(2014, 7, 2), "50")
    assert jump_result(market).passed


@pytest.mark.parametrize("role", ["gate_owner", "api_reader", "grafana_reader"])
@pytest.mark.parametrize("view", [*VIEWS, "reference.adjustment_factor"])
def test_reader_may_read_the_views(database: Settings, role: str, view: str) -> None:
    with connect(database.dsn(role)) as connection:
        connection.execute(f"SELECT * FROM {view} LIMIT 1")  # type: ignore[arg-type]
