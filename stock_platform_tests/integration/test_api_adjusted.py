"""`…/bars?adjusted=` over a real Postgres: every interval by the same rule as the adjusted views. Numbers by hand."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect, open_pool
from stock_platform.api.app import create_app
from stock_platform.api.postgres_bars import statement_of
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.shapes import BarPage, Basis, Interval
from stock_platform.api.store import BarQuery
from stock_platform.api.stream import Hub
from stock_platform.config import Settings

COARSE = {"5m": "bar_5m", "15m": "bar_15m", "1h": "bar_1h", "1d": "bar_1d"}
INTERVALS = ("1m", *COARSE)
_EMPTY = """
TRUNCATE market.bar_1m, staging.bar_1m, aggregates.bar_5m, aggregates.bar_15m, aggregates.bar_1h, aggregates.bar_1d,
    reference.corporate_action, reference.instrument, reference.vendor_instrument, staging.vendor_bar_1d
"""
_VALUES = "%(symbol)s, %(start)s, %(end)s, %(open)s, %(high)s, %(low)s, %(close)s, %(volume)s, %(vwap)s, 1"


@pytest.fixture
def market(database: Settings) -> Iterator[Connection]:
    """One instrument without bars, and nothing of it after the test."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(_EMPTY)
        connection.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'x', 'USD', 'XNYS', 'yahoo')")
        yield connection
        connection.execute(_EMPTY)


@pytest.fixture
def api(database: Settings, market: Connection) -> Iterator[TestClient]:
    """The API as its read-only role."""
    with open_pool(database.dsn("api_reader"), size=1) as pool:
        store = PostgresStore(pool, feed_kind="tape", dagster_page="http://dagster", read_passport=lambda *_: None)
        yield TestClient(create_app(store, Hub(lambda should_stop: iter(())), SystemClock()))


def session(connection: Connection, day: date, close: str, *, minute: int = 0, **values: Any) -> None:
    """A session of one bar, the same in all tables; what is not told is the close, or 100 shares."""
    start = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=13, minutes=30 + minute)
    prices = dict.fromkeys(("open", "high", "low", "vwap"), close)
    row = {"symbol": "A", **prices, "volume": 100, **values, "close": close, "day": day, "start": start}
    row["end"] = start + timedelta(minutes=1)
    certified = "%(start)s, %(start)s, 'tape', 0, 0, 0, 'job', TRUE, %(day)s, 1, 'passed', 'run', %(end)s"
    connection.execute(f"INSERT INTO market.bar_1m VALUES ({_VALUES}, {certified})", row)
    for table in COARSE.values():
        coarse = f"INSERT INTO aggregates.{table} VALUES ({_VALUES}, 1, %(day)s, 'run', %(end)s)"
        connection.execute(coarse, row)  # type: ignore[arg-type]


def action(connection: Connection, ex_date: date, kind: str, value: str, currency: str = "USD") -> None:
    ratio, amount = (value, None) if kind == "split" else (None, value)
    told = datetime.combine(ex_date, datetime.min.time(), UTC)
    connection.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, %s, %s, %s, %s, 'yahoo', %s)",
        (ex_date, kind, ratio, amount, currency, told),
    )


def june(day: int) -> date:
    return date(2014, 6, day)


def aapl(connection: Connection) -> None:
    """A dividend on the 6th, told in the shares of that day, and a split on the 9th."""
    session(connection, june(5), "650", open="651", high="660", low="640", vwap="645", volume=10)
    session(connection, june(6), "637", volume=11)
    session(connection, june(9), "91", volume=80)
    action(connection, june(6), "dividend", "13")
    action(connection, june(9), "split", "7")


def asked(api: TestClient, **parameters: str) -> dict[str, Any]:
    answer = api.get("/stocks/A/bars", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


SHOWN = ("open", "high", "low", "close", "vwap", "volume")
EXPECTED = {
    "raw": [("651", "660", "640", "650", "645", 10), ("637", "637", "637", "637", "637", 11), ("91", "91", "91", "91", "91", 80)],
    # a seventh of each price, seven times the volume: 651 / 7 = 93, 660 / 7 = 94.285714, 640 / 7 = 91.428571, 650 / 7 = 92.857143
    "split": [
        ("93", "94.285714", "91.428571", "92.857143", "92.142857", 70),
        ("91", "91", "91", "91", "91", 77),
        ("91", "91", "91", "91", "91", 80),
    ],
    # and 1 - 13 / 650 = 0.98: 651 x 0.14 = 91.14, 660 x 0.14 = 92.4, 640 x 0.14 = 89.6, 650 x 0.14 = 91, 645 x 0.14 = 90.3
    "total_return": [
        ("91.14", "92.4", "89.6", "91", "90.3", 70),
        ("91", "91", "91", "91", "91", 77),
        ("91", "91", "91", "91", "91", 80),
    ],
}


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("basis", EXPECTED)
def test_bars_of_every_interval_are_on_the_basis_that_is_asked_for(
    api: TestClient, market: Connection, interval: str, basis: str
) -> None:
    aapl(market)
    page = asked(api, interval=interval, adjusted=basis)
    assert page["adjusted"] == basis
    assert [tuple(bar[name] for name in SHOWN) for bar in page["items"]] == EXPECTED[basis]


@pytest.mark.parametrize(("interval", "view"), [("1m", "market.bar_1m_adjusted"), ("1d", "aggregates.bar_1d_adjusted")])
@pytest.mark.parametrize("basis", ["split", "total_return"])
def test_bars_are_those_of_the_adjusted_view(api: TestClient, market: Connection, interval: str, view: str, basis: str) -> None:
    aapl(market)
    prices = ", ".join(f"{name}_{basis}_adjusted" for name in ("open", "high", "low", "close"))
    rows = market.execute(f"SELECT {prices}, volume_split_adjusted FROM {view} ORDER BY ts_start").fetchall()  # type: ignore[arg-type]
    items = asked(api, interval=interval, adjusted=basis)["items"]
    assert [(*(Decimal(bar[name]) for name in ("open", "high", "low", "close")), bar["volume"]) for bar in items] == rows


def test_bars_are_raw_unless_asked_otherwise(api: TestClient, market: Connection) -> None:
    aapl(market)
    assert asked(api) == asked(api, adjusted="raw")


def test_newest_bars_and_a_stretch_are_adjusted_alike(api: TestClient, market: Connection) -> None:
    aapl(market)
    items = asked(api, adjusted="split")["items"]
    assert asked(api, adjusted="split", limit="2")["items"] == items[1:]
    assert asked(api, adjusted="split", start="2014-06-05T00:00:00Z", limit="2")["items"] == items[:2]
    assert asked(api, adjusted="split", end="2014-06-06T00:00:00Z")["items"] == items[:1]


def test_bars_before_a_payment_without_a_factor_have_no_total_return_and_are_left_out(api: TestClient, market: Connection) -> None:
    session(market, june(5), "100")
    session(market, june(6), "99")
    action(market, june(6), "dividend", "1", currency="GBP")
    assert [bar["close"] for bar in asked(api, adjusted="total_return")["items"]] == ["99"]
    assert [bar["close"] for bar in asked(api, adjusted="split")["items"]] == ["100", "99"]


def vendor_day(connection: Connection, day: date, close: str, *, rules: str | None = None) -> None:
    """As the vendor tells it on 2014-06-20."""
    connection.execute(
        "INSERT INTO staging.vendor_bar_1d "
        "(symbol, ts_start, open, high, low, close, volume, session_date, currency, source, response_path, ts_recv, rules) "
        "VALUES ('A', %s, %s, %s, %s, %s, 70, %s, 'USD', 'yahoo', '', '2014-06-20T00:00:00Z', %s)",
        (datetime.combine(day, datetime.min.time(), UTC), close, close, close, close, day, rules),
    )


def test_days_before_the_first_session_are_the_vendors_in_the_shares_of_their_own_day(api: TestClient, market: Connection) -> None:
    """93 in the shares after the split is 651 before it; a day that a rule holds, or that has a bar of ours, is left out."""
    aapl(market)
    vendor_day(market, june(3), "93")
    vendor_day(market, june(4), "0.01", rules="vendor_unit")
    vendor_day(market, june(5), "1")
    found = asked(api, interval="1d")["items"]
    assert [(bar["session_date"], bar["close"], bar["volume"], bar["verdict"]) for bar in found] == [
        ("2014-06-03", "651", 10, "vendor"),
        ("2014-06-05", "650", 10, None),
        ("2014-06-06", "637", 11, None),
        ("2014-06-09", "91", 80, None),
    ]
    assert not found[0]["is_certified"]
    assert asked(api, interval="1d", adjusted="split")["items"][0]["close"] == "93"
    assert len(asked(api, interval="1h")["items"]) == 3


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"adjusted": "split", "as_of": "2014-06-10T00:00:00Z"}, "adjusted=split does not go with as_of"),
        ({"adjusted": "dividends"}, "'raw', 'split' or 'total_return'"),
    ],
)
def test_adjustment_that_cannot_be_told_is_a_problem(api: TestClient, parameters: dict[str, str], sentence: str) -> None:
    answer = api.get("/stocks/A/bars", params=parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("basis", list(Basis))
def test_bars_are_found_by_an_index(database: Settings, market: Connection, interval: str, basis: Basis) -> None:
    table = f"aggregates.{COARSE[interval]}" if interval in COARSE else "market.bar_1m"
    session(market, june(2), "10")
    market.execute(f"CREATE TEMPORARY TABLE one AS SELECT * FROM {table}")  # type: ignore[arg-type]
    market.execute(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object("  # type: ignore[arg-type]
        "'symbol', 'S' || number % 10, 'ts_start', one.ts_start + number * interval '1 minute'))).* "
        "FROM one CROSS JOIN generate_series(1, 20000) AS number"
    )
    market.execute(f"ANALYZE {table}")  # type: ignore[arg-type]
    start, end = datetime(2014, 6, 3, tzinfo=UTC), datetime(2014, 6, 4, tzinfo=UTC)
    for query in (
        BarQuery("S1", Interval(interval), None, None, 390, basis=basis),
        BarQuery("S1", Interval(interval), start, end, 390, basis=basis),
    ):
        with connect(database.dsn("api_reader")) as reader:
            plan = reader.execute(f"EXPLAIN (VERBOSE) {statement_of(query)}", asdict(query)).fetchall()  # type: ignore[arg-type]
        text = "\n".join(line for (line,) in plan)
        assert f"Seq Scan on {table}" not in text, text
        assert f"on {table}" in text, text


@pytest.mark.parametrize("interval", INTERVALS)
def test_page_that_the_database_writes_is_what_its_shape_would_write(api: TestClient, market: Connection, interval: str) -> None:
    session(market, june(2), "100", low="0.000001", vwap=None, volume=None)
    session(market, june(3), "10.5")
    answer = api.get("/stocks/A/bars", params={"interval": interval})
    page = BarPage.model_validate_json(answer.content)
    assert answer.json() == json.loads(page.model_dump_json())
    assert [(bar.close, bar.low, bar.volume) for bar in page.items] == [
        (Decimal(100), Decimal("0.000001"), None),
        (Decimal("10.5"), Decimal("10.5"), 100),
    ]


def test_coarse_bar_has_its_verdict_once_it_is_over(api: TestClient, market: Connection) -> None:
    session(market, june(5), "650")
    market.execute("UPDATE aggregates.bar_1h SET verdict = 'suspect'")
    assert [(item["is_certified"], item["verdict"]) for item in asked(api, interval="1h")["items"]] == [(True, "suspect")]
    market.execute("UPDATE aggregates.bar_1h SET ts_end = ts_end + interval '1 minute'")
    assert [(item["is_certified"], item["verdict"]) for item in asked(api, interval="1h")["items"]] == [(False, None)]


def test_last_hour_of_the_watchlist_ends_with_its_newest_bar(api: TestClient, market: Connection) -> None:
    """The night before is not joined to it, nor the minute an hour before."""
    session(market, june(5), "650")
    for minute, close in enumerate(("637", "638")):
        session(market, june(6), close, minute=minute)
    session(market, june(6), "697", minute=60)
    assert api.get("/stocks/A").json()["sparkline"] == ["638", "697"]
