"""The fetch and the API function against DynamoDB's and SQS's interface (moto, in this process)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load
from fastapi.testclient import TestClient

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dynamodb import Table, TableUnavailable
from stock_platform.api.app import create_app
from stock_platform.api.stream import Hub
from stock_platform.cloud import api_function, fetch_function
from stock_platform.cloud.fetch import FetchFailed
from stock_platform_tests.aws import (
    NOON,
    TABLE,
    Cloud,
    ScriptedVendor,
    TurnedClock,
    answer_puts_at_once,
    break_calls,
    fetcher,
    instruments,
    throttled,
)
from stock_platform_tests.browser.lively_store import LivelyStore

CONTEXT: Any = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn:aws:lambda:eu-central-1:1:function:f", aws_request_id="1"
)
XNYS = frozenset({"XNYS"})
TEMPLATE = Path(__file__).parents[2] / "cloud/template.yaml"


def test_two_thousand_symbols_come_through_throttling_unprocessed_keys_a_poisoned_one_and_an_older_price(aws: Cloud) -> None:
    names = [f"S{number:04}" for number in range(2000)]
    vendor = ScriptedVendor(dict.fromkeys(names, 100.0))
    vendor.prices["S0007"] = -5.0  # poisoned
    del vendor.prices["S0008"]  # the vendor does not know it
    vendor.prices["S0009"] = None
    later = ScriptedVendor({"S0010": 101.0}, ts=NOON + timedelta(minutes=1))
    fetcher(aws, later, instruments("S0010"), now=NOON + timedelta(minutes=1))[0].fetch(XNYS)
    one, table = fetcher(aws, vendor, instruments(*names))
    puts = count()
    break_calls(table.client, "PutItem", lambda _request: throttled() if next(puts) % 7 < 2 else None)
    answer_puts_at_once(table.client)
    held = iter(range(5))

    def half(request: Any) -> tuple[int, Any] | None:
        return (200, {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}) if next(held, None) is not None else None

    break_calls(table.client, "BatchGetItem", half)
    report = one.fetch(XNYS)

    assert report.counts() == {"asked": 2000, "closed": 0, "written": 1996, "unchanged": 0, "older": 1, "failed": 3}
    assert report.older == {"S0010"}
    assert {symbol: reason.split(":")[0] for symbol, reason in report.failed.items()} == {
        "S0007": "price_invalid",
        "S0008": "missing",
        "S0009": "no_price",
    }
    expected = {name: "100" for name in names if name not in ("S0007", "S0008", "S0009")} | {"S0010": "101"}
    assert aws.prices() == expected
    (letter,) = aws.letters()
    assert letter["failed"].keys() == {"S0007", "S0008", "S0009"}


def test_symbol_that_stays_throttled_is_reported_and_the_others_are_written(aws: Cloud) -> None:
    one, table = fetcher(aws, ScriptedVendor({"A": 100.0, "B": 100.0}), instruments("A", "B"))
    break_calls(table.client, "PutItem", lambda request: throttled() if request["Item"]["symbol"]["S"] == "B" else None)
    report = one.fetch(XNYS)
    assert (report.written, list(report.failed)) == ({"A"}, ["B"])
    assert "throttled in 6 attempts" in report.failed["B"]
    assert table.clock.slept == [0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # type: ignore[attr-defined]


def test_keys_that_stay_unprocessed_are_an_error(aws: Cloud) -> None:
    _, table = fetcher(aws, ScriptedVendor({}), instruments("A"))
    break_calls(table.client, "BatchGetItem", lambda request: (200, {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}))
    with pytest.raises(TableUnavailable, match="1 keys stayed unprocessed"):
        table.read_many(["A"])


def test_missing_table_is_a_sentence(aws: Cloud) -> None:
    with pytest.raises(TableUnavailable, match="GetItem on table Nobody failed"):
        Table("Nobody", TurnedClock()).read("A")


def test_fetch_that_brings_nothing_fails_after_its_letter_is_sent(aws: Cloud) -> None:
    vendor = ScriptedVendor({})
    with pytest.raises(FetchFailed, match="None of 2 symbols could be fetched: 2 missing"):
        fetcher(aws, vendor, instruments("A", "B"))[0].fetch(XNYS)
    assert aws.letters()[0]["failed"].keys() == {"A", "B"}


def test_fresh_process_compares_its_first_price_with_the_tables(aws: Cloud) -> None:
    """A price in pence of a symbol in pounds: only who knows the price before can tell."""
    fetcher(aws, ScriptedVendor({"A": 100.0}), instruments("A"))[0].fetch(XNYS)
    now = NOON + timedelta(minutes=1)
    again = fetcher(aws, ScriptedVendor({"A": 10_000.0, "B": 100.0}, ts=now), instruments("A", "B"), now=now)[0].fetch(XNYS)
    assert again.failed["A"].startswith(("unit_mismatch", "spike"))
    assert aws.prices() == {"A": "100", "B": "100"}


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        (datetime(2026, 11, 26, 17, 0, tzinfo=UTC), 0),  # Thanksgiving, Thursday noon
        (datetime(2026, 11, 27, 21, 59, tzinfo=UTC), 1),  # the day after closes at 13:00; post-market to 17:00 New York
        (datetime(2026, 11, 27, 22, 0, tzinfo=UTC), 0),
        (datetime(2026, 11, 30, 22, 0, tzinfo=UTC), 1),  # a Monday like any other
        (datetime(2026, 11, 28, 17, 0, tzinfo=UTC), 0),  # Saturday
    ],
)
def test_schedule_on_holidays_and_after_early_closes_asks_the_vendor_for_nothing(aws: Cloud, now: datetime, asked: int) -> None:
    report = fetcher(aws, ScriptedVendor({"A": 100.0}, ts=now), instruments("A"), now=now)[0].fetch(XNYS)
    assert (len(report.asked), len(report.closed), len(aws.prices())) == (asked, 1 - asked, asked)


def test_schedule_asks_for_the_symbols_of_its_calendars_alone(aws: Cloud) -> None:
    watched = instruments("A") + instruments("B", calendar="24/7")
    report = fetcher(aws, ScriptedVendor({"A": 1.0, "B": 2.0}), watched)[0].fetch(frozenset({"24/7"}))
    assert (report.asked, aws.prices()) == (("B",), {"B": "2"})


def event_of(path: str, **query: str) -> dict[str, Any]:
    """An HTTP API's event, payload 2.0."""
    raw = "&".join(f"{name}={value}" for name, value in query.items())
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test"}
    return {
        "version": "2.0",
        "routeKey": "GET /{proxy+}",
        "rawPath": path,
        "rawQueryString": raw,
        "headers": {"host": "abc.execute-api", "accept": "application/json"},
        "requestContext": {"http": http, "stage": "$default", "requestId": "1", "apiId": "abc", "timeEpoch": 0},
        "isBase64Encoded": False,
    }


@pytest.fixture
def functions(aws: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """Both functions over the test's table, with a price of AAPL and a symbol that fails."""
    for name, value in {"CLOUD_TABLE": TABLE, "FEED_KIND": "yahoo", "DATA_DIR": str(tmp_path), "PROFILE": "live"}.items():
        monkeypatch.setenv(f"STOCK_PLATFORM_{name}", value)
    api_function._adapter.cache_clear()  # pyright: ignore[reportPrivateUsage]
    one, _ = fetcher(aws, ScriptedVendor({"AAPL": 250.5, "MSFT": -1.0}), instruments("AAPL", "MSFT"))
    monkeypatch.setattr(fetch_function, "_fetcher", lambda: one)
    yield aws
    api_function._adapter.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_fetch_function_answers_with_each_symbols_failure(functions: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    answer = fetch_function.handler({"calendars": ["XNYS"]}, CONTEXT)
    assert answer["counts"] == {"asked": 2, "closed": 0, "written": 1, "unchanged": 0, "older": 0, "failed": 1}
    assert answer["failed"]["MSFT"].startswith("price_invalid")
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert figures[0]["symbols_current"] == [1.0]
    assert figures[0]["service"] == "fetch"


def test_fetch_function_refuses_an_event_that_is_not_its_own(functions: Cloud) -> None:
    with pytest.raises(Exception, match="calendars"):
        fetch_function.handler({"symbols": ["AAPL"]}, CONTEXT)


def keys_of(value: Any) -> Any:
    """The shape: names at every level, one of each list."""
    if isinstance(value, dict):
        return {name: keys_of(each) for name, each in value.items()}
    return [keys_of(each) for each in islice(value, 1)] if isinstance(value, list) else None


def test_api_function_answers_in_the_shapes_of_the_local_api(functions: Cloud) -> None:
    fetch_function.handler({"calendars": ["XNYS"]}, CONTEXT)
    store = LivelyStore(SystemClock())
    local = TestClient(create_app(store, Hub(store.follow), SystemClock()))
    for path in ("/stocks", "/stocks/AAPL", "/market/status", "/health/live", "/health/ready", "/stocks/NOBODY"):
        answer = api_function.handler(event_of(path), CONTEXT)
        beside = local.get(path)
        ours, theirs = json.loads(answer["body"]), beside.json()
        for each in (ours, theirs):
            for stock in [*each.get("items", []), each]:
                stock.pop("sparkline", None)  # there are no bars on AWS: it is there, and empty
        assert answer["statusCode"] == beside.status_code, path
        assert keys_of(ours) == keys_of(theirs), path


def test_api_function_gives_the_tables_price_and_pages_of_the_watchlist(functions: Cloud) -> None:
    fetch_function.handler({"calendars": ["XNYS"]}, CONTEXT)
    quote = json.loads(api_function.handler(event_of("/stocks/aapl"), CONTEXT)["body"])["quote"]
    assert (quote["price"], quote["previous_close"], quote["day_volume"]) == ("250.5", "99", 1000)
    assert (quote["change_pct"], quote["ts_event"], quote["session_phase"]) == ("153.030303", "2026-11-23T17:00:00Z", "regular")
    first = json.loads(api_function.handler(event_of("/stocks", limit="2"), CONTEXT)["body"])
    second = json.loads(api_function.handler(event_of("/stocks", limit="2", cursor=first["next_cursor"]), CONTEXT)["body"])
    symbols = [each["symbol"] for page in (first, second) for each in page["items"]]
    assert symbols == sorted(set(symbols))
    assert len(symbols) == 4


def test_api_function_without_its_table_is_not_ready_and_says_why(functions: Cloud) -> None:
    functions.dynamodb.delete_table(TableName=TABLE)
    answers = {path: api_function.handler(event_of(path), CONTEXT) for path in ("/health/live", "/health/ready", "/stocks")}
    assert {path: answer["statusCode"] for path, answer in answers.items()} == {
        "/health/live": 200,
        "/health/ready": 503,
        "/stocks": 503,
    }
    assert "GetItem on table StockPrices failed" in answers["/health/ready"]["body"]


def actions_of(role: str) -> set[str]:
    template = load(str(TEMPLATE))
    statements = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {action for statement in statements for action in statement["Action"] if not action.startswith("logs:")}


def test_role_of_each_function_allows_exactly_the_calls_that_it_makes(functions: Cloud) -> None:
    functions.calls.clear()
    fetch_function.handler({"calendars": ["XNYS"]}, CONTEXT)
    assert set(functions.calls) == actions_of("FetchRole")
    functions.calls.clear()
    for path in ("/stocks", "/stocks/AAPL", "/market/status", "/health/live", "/health/ready"):
        api_function.handler(event_of(path), CONTEXT)
    assert set(functions.calls) == actions_of("ApiRole")
