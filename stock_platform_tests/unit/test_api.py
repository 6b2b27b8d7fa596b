"""Endpoints of the API over a store in memory: passports, bars as of an instant, gaps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stock_platform.api.app import create_app
from stock_platform.api.stream import Hub
from stock_platform_tests.browser.lively_store import LivelyStore

NOW = datetime(2026, 11, 20, 15, 0, 30, tzinfo=UTC)
"""Bars of 14:01 to 15:00; the last two are provisional, that of 14:51 is restated."""


class StandingClock:
    """Time stands."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError("nothing sleeps here")


@pytest.fixture
def api() -> TestClient:
    store = LivelyStore(StandingClock())
    return TestClient(create_app(store, Hub(store.follow), StandingClock()))


def passport_of(api: TestClient, ts_start: str, symbol: str = "AAPL") -> Any:
    return api.get(f"/stocks/{symbol}/bars/{ts_start}/passport")


def test_passport_of_a_certified_bar_has_its_run_offsets_and_revisions(api: TestClient) -> None:
    answer = passport_of(api, "2026-11-20T14:51:00Z")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["symbol"], found["ts_start"], found["ts_end"]) == ("AAPL", "2026-11-20T14:51:00Z", "2026-11-20T14:52:00Z")
    assert [(each["revision"], each["verdict"], each["dagster_run_id"]) for each in found["revisions"]] == [
        (1, "passed", "run-1"),
        (2, "restated", "run-2"),
    ]
    assert found["current"] == found["revisions"][-1]
    assert (found["kafka_topic"], found["current"]["kafka_partition"]) == ("market.ticks.v1", 0)
    assert found["gate_run"]["url"] == "http://127.0.0.1:3070/runs/run-1"
    assert found["revisions"][1]["dagster_run_url"] == "http://127.0.0.1:3070/runs/run-2"


def test_instant_in_another_zone_is_the_same_bar(api: TestClient) -> None:
    same = [passport_of(api, text).json() for text in ("2026-11-20T14:51:00Z", "2026-11-20T09:51:00-05:00")]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("ts_start", "symbol", "status", "sentence"),
    [
        ("2026-11-20T14:59:00Z", "AAPL", 404, "is only staged, with 10 ticks"),
        ("2026-11-20T03:00:00Z", "AAPL", 404, "There is no bar AAPL 2026-11-20 03:00Z"),
        ("2026-11-20T14:51:00Z", "NOPE", 404, "Symbol NOPE is not on the watchlist"),
        ("2026-11-20T14:51:00", "AAPL", 422, "Parameter ts_start is '2026-11-20T14:51:00'; expected an instant with its zone"),
        ("2026-11-20T14:51:15Z", "AAPL", 422, "is inside the minute that starts at 2026-11-20T14:51Z"),
        ("yesterday", "AAPL", 422, "ts_start"),
    ],
)
def test_bar_without_a_passport_is_a_problem_with_a_sentence(
    api: TestClient, ts_start: str, symbol: str, status: int, sentence: str
) -> None:
    answer = passport_of(api, ts_start, symbol)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]


def test_bars_as_of_an_instant_are_certified_only(api: TestClient) -> None:
    now = api.get("/stocks/AAPL/bars").json()["items"]
    then = api.get("/stocks/AAPL/bars", params={"as_of": "2026-11-20T15:00:00Z"}).json()["items"]
    assert [bar["is_certified"] for bar in now].count(False) == 2
    assert then == [bar for bar in now if bar["is_certified"]]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"as_of": "2026-11-20T15:00:00"}, "Parameter as_of is '2026-11-20T15:00:00'; expected an instant with its zone"),
        ({"as_of": "2026-11-20T15:00:00Z", "interval": "5m"}, "bars of 5m keep no earlier versions"),
        ({"as_of": "2026-11-20T15:00:00Z", "interval": "1d"}, "as_of goes with interval=1m only"),
    ],
)
def test_as_of_that_cannot_be_answered_is_refused(api: TestClient, parameters: dict[str, str], sentence: str) -> None:
    answer = api.get("/stocks/AAPL/bars", params=parameters)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "classes"),
    [
        ({}, ["feed_gap", "no_trade"]),
        ({"limit": 1}, ["no_trade"]),
        ({"start": "2026-11-20T13:02:59Z"}, ["feed_gap", "no_trade"]),
        ({"start": "2026-11-20T13:03:00Z"}, ["no_trade"]),
        ({"end": "2026-11-20T14:00:00Z"}, ["feed_gap"]),
        ({"start": "2026-11-20T12:00:00Z", "limit": 1}, ["feed_gap"]),
    ],
)
def test_gaps_share_time_with_the_range_and_come_oldest_first(
    api: TestClient, parameters: dict[str, Any], classes: list[str]
) -> None:
    """Gaps of 13:00 to 13:03 and of 14:00 to 14:03."""
    answer = api.get("/stocks/AAPL/gaps", params=parameters).json()
    assert answer["symbol"] == "AAPL"
    assert [each["gap_class"] for each in answer["items"]] == classes


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/stocks/NOPE/gaps", 404, "Symbol NOPE is not on the watchlist"),
        (
            "/stocks/AAPL/gaps?start=2026-11-20T15:00:00",
            422,
            "Parameter start is '2026-11-20T15:00:00'; expected an instant with its zone",
        ),
        ("/stocks/AAPL/gaps?limit=501", 422, "Parameter limit is '501'; expected at most 500."),
    ],
)
def test_gaps_that_cannot_be_answered_are_a_problem_with_a_sentence(api: TestClient, path: str, status: int, sentence: str) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]
