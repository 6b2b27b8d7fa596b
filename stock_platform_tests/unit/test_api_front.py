"""What every request passes: ETags, limits, headers, metrics, errors. Over a store in memory; the clock stands."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from stock_platform.api.app import create_app, quotes_app
from stock_platform.api.example_rows import LEVEL
from stock_platform.api.level_shapes import SessionLevel
from stock_platform.api.shapes import Stock
from stock_platform.api.store import StoreUnavailable
from stock_platform.api.stream import Hub
from stock_platform_tests.browser.lively_store import LivelyStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class TurnedClock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def sleep(self, duration: timedelta) -> None:
        self.instant += duration


class BrokenStore(LivelyStore):
    """Its database is away, and one of its methods is wrong."""

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        raise StoreUnavailable("connection refused at 10.0.0.1")

    def stock(self, symbol: str) -> Stock | None:
        raise ZeroDivisionError("a secret")


def nothing(_should_stop: Any) -> Iterator[bytes]:
    return iter(())


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def api(clock: TurnedClock) -> TestClient:
    """Three requests a second of one address."""
    return TestClient(
        create_app(
            LivelyStore(clock), Hub(nothing), clock, requests_per_s=3, allowed_origins=("http://page",), rules=("collar", "fresh")
        )
    )


def test_answer_that_the_client_has_is_not_sent_again(api: TestClient) -> None:
    first = api.get("/restatements")
    assert first.headers["cache-control"] == "no-cache"
    again = api.get("/restatements", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers
    other = api.get("/restatements", params={"limit": 1}, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["/restatements", "/docs", "/nowhere"])
def test_head_is_answered_as_get_without_the_body(api: TestClient, path: str) -> None:
    whole, head = api.get(path), api.head(path)
    assert (head.status_code, head.headers, head.content) == (whole.status_code, whole.headers, b"")


def test_stream_which_does_not_end_has_no_head(api: TestClient) -> None:
    assert api.head("/stream").status_code == 405


@pytest.mark.parametrize(("as_of", "kept"), [("2026-11-20T11:00:00Z", "immutable"), ("2026-11-20T11:00:01Z", "no-cache")])
def test_bars_as_of_an_instant_may_be_kept_once_no_promotion_of_it_goes_on(api: TestClient, as_of: str, kept: str) -> None:
    assert kept in api.get("/stocks/AAPL/bars", params={"as_of": as_of}).headers["cache-control"]


def test_too_many_requests_are_refused_until_time_passes(api: TestClient, clock: TurnedClock) -> None:
    assert [api.get("/restatements").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = api.get("/restatements")
    assert refused.headers["retry-after"] == "1"
    assert "More than 3 requests a second" in refused.json()["detail"]
    assert api.get("/health/live").status_code == 200
    clock.sleep(timedelta(milliseconds=400))
    assert [api.get("/restatements").status_code for _ in range(2)] == [200, 429]


def test_every_answer_is_marked_as_safe(api: TestClient) -> None:
    for path in ("/stocks", "/nowhere", "/stocks/NOPE"):
        headers = api.get(path).headers
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def loaded_by(page: str) -> list[str]:
    """Addresses that the page's HTML and its script name."""
    return re.findall(r"(?:src|href)=\"([^\"]+)\"", page) + re.findall(r"url: '([^']+)'", page)


@pytest.mark.parametrize("folder", ["", "/control"])
def test_docs_need_nothing_from_elsewhere(folder: str, clock: TurnedClock) -> None:
    app = quotes_app(LivelyStore(clock), clock)
    outer = Starlette()
    outer.mount(folder, app)
    client = TestClient(outer)
    page = client.get(f"{folder}/docs")
    assert "://" not in page.text
    assert "'unsafe-inline'" in page.headers["content-security-policy"]
    assert "http" not in page.headers["content-security-policy"]
    loaded = [urljoin(f"{folder}/docs", address) for address in loaded_by(page.text)]
    assert len(loaded) == 4
    assert {path: client.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)


@pytest.mark.parametrize(("origin", "allowed"), [("http://page", "http://page"), ("http://other", None)])
def test_other_origins_are_not_allowed_to_read(api: TestClient, origin: str, allowed: str | None) -> None:
    assert api.get("/restatements", headers={"Origin": origin}).headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, "There is no such address"),
        ("POST", "/stocks", 405, "read-only: use GET"),
        ("GET", "/stocks/NOPE/actions", 404, "Symbol NOPE is not on the watchlist"),
        ("GET", "/stocks/AAPL/actions?cursor=x!", 422, "expected `next_cursor` of the page before"),
        ("GET", "/data-docs/run-2", 404, "Run run-2 has no page of Data Docs"),
        ("GET", "/data-docs/a.b", 422, "is 'a.b'; expected the id of a run"),
        ("GET", "/restatements?cursor=AAAA", 422, "expected `next_cursor` of the page before"),
        ("GET", "/quality/gaps?state=odd", 422, "'open', 'repaired', 'explained' or 'unrepairable'"),
        ("GET", "/quality/slo?limit=0", 422, "Parameter limit is '0'; expected at least 1."),
        (
            "GET",
            "/quality/latency?start=2026-11-20T12:00:00",
            422,
            "start is '2026-11-20T12:00:00'; expected an instant with its zone",
        ),
        ("GET", "/quality/latency?start=2026-11-20T12:00:00+01:00", 422, "00 01:00'; expected an instant with its zone"),
        ("GET", "/quality/latency?start=2026-11-20T12:00:00+01:00", 422, "is written %2B"),
        ("GET", "/quality/latency?start=1763640000", 422, "start is '1763640000'; expected an instant"),
        ("GET", "/quality/latency?limit=many", 422, "Parameter limit is 'many'; expected a whole number."),
        ("GET", "/quality/gaps?start=2026-02-30", 422, "Parameter start is '2026-02-30'; expected a day as in 2026-11-20."),
        ("GET", "/quality/gaps?symbol=A!", 422, "Parameter symbol is 'A!'; expected a symbol as in AAPL"),
        ("GET", "/stocks/A!", 422, "Parameter symbol is 'A!'; expected a symbol as in AAPL"),
        ("GET", "/stocks?cursor=A!", 422, "Parameter cursor is 'A!'; expected `next_cursor` of the page before"),
        ("GET", f"/quality/gaps?cursor={'x' * 201}", 422, f"Parameter cursor is '{'x' * 80}'; expected at most 200 characters."),
        (
            "GET",
            "/quality/gaps?symbl=AAPL",
            422,
            "symbl is not known; expected state, gap_class, symbol, start, end, limit, cursor.",
        ),
        ("GET", "/market/status?x=1", 422, "Parameter x is not known; this address takes none."),
        ("GET", "/quality/quarantine?rule=nosuchrule", 422, "Parameter rule is 'nosuchrule'; expected one of collar, fresh."),
        ("GET", "/quality/slo?calendar=NOPE", 422, "Parameter calendar is 'NOPE'; expected one of ALL, XNYS, "),
        ("GET", "/stream?symbols=AAPL,NOPE", 404, "Symbol NOPE is not on the watchlist"),
        ("GET", "/stream?symbols=AAPL,;", 422, "Parameter symbols is 'AAPL,;'; expected symbols and commas alone"),
    ],
)
def test_every_error_is_a_problem_with_a_sentence(api: TestClient, method: str, path: str, status: int, sentence: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ("/stocks/AAPL/bars", "2026-11-20T14:00:00Z", "2026-11-20T13:59:59Z"),
        ("/stocks/AAPL/gaps", "2026-11-20T14:00:00Z", "2026-11-20T13:59:59Z"),
        ("/stocks/AAPL/actions", "2026-11-20", "2026-11-18"),
        ("/stocks/AAPL/restatements", "2026-11-20", "2026-11-18"),
        ("/stocks/AAPL/indicators", "2026-11-20", "2026-11-18"),
        ("/restatements", "2026-11-20", "2026-11-18"),
        ("/quality/quarantine", "2026-11-20", "2026-11-18"),
        ("/quality/gaps", "2026-11-20", "2026-11-18"),
        ("/quality/slo", "2026-11-20", "2026-11-18"),
        ("/quality/latency", "2026-11-20T14:00:00Z", "2026-11-20T13:59:59Z"),
    ],
)
def test_range_that_ends_before_it_begins_is_refused(api: TestClient, path: str, start: str, end: str) -> None:
    answer = api.get(path, params={"start": start, "end": end})
    assert answer.status_code == 422
    assert f"Parameter start is {start[:10]}" in answer.json()["detail"]
    assert api.get(path, params={"start": start, "end": start}).status_code == 200


def test_derived_levels_have_no_noise_of_binary_fractions() -> None:
    level = SessionLevel(**{**LEVEL.model_dump(), "burn_rate": 0.27200000000000024, "good_ratio": None})
    assert (level.burn_rate, level.good_ratio) == (0.272, None)


def test_store_that_is_away_is_a_503_that_says_when_to_come_back_and_not_where_it_is(clock: TurnedClock) -> None:
    answer = TestClient(quotes_app(BrokenStore(clock), clock)).get("/stocks")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "10.0.0.1" not in answer.text


def test_crash_says_nothing_of_its_inside(clock: TurnedClock) -> None:
    answer = TestClient(quotes_app(BrokenStore(clock), clock), raise_server_exceptions=False).get("/stocks/AAPL")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")
    assert "secret" not in answer.text


def test_full_stream_is_a_503_with_its_reason(clock: TurnedClock) -> None:
    answer = TestClient(create_app(LivelyStore(clock), Hub(nothing, max_clients=0), clock)).get("/stream")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "0 clients listen already" in answer.json()["detail"]


def test_store_of_quotes_alone_has_the_watchlist_and_nothing_else(clock: TurnedClock) -> None:
    api = TestClient(quotes_app(LivelyStore(clock), clock))
    assert set(api.get("/openapi.json").json()["paths"]) == {"/stocks", "/stocks/{symbol}", "/health/live", "/health/ready"}
    assert api.get("/stocks/aapl").json()["symbol"] == "AAPL"


def test_metrics_count_requests_by_route_and_not_by_what_clients_write(api: TestClient) -> None:
    for path in ("/stocks/AAPL", "/stocks/MSFT", "/secret/path"):
        api.get(path)
    lines = api.get("/metrics").text.splitlines()
    assert 'stock_platform_api_requests_total{method="GET",route="/stocks/{symbol}",status="200"} 2' in lines
    assert 'stock_platform_api_requests_total{method="GET",route="none",status="404"} 1' in lines
    assert 'stock_platform_api_request_duration_seconds_bucket{method="GET",route="/stocks/{symbol}",le="+Inf"} 2' in lines
    assert 'stock_platform_api_request_duration_seconds_count{method="GET",route="/stocks/{symbol}"} 2' in lines
    assert "stock_platform_api_stream_clients 0" in lines
    assert not [line for line in lines if "secret" in line]


@pytest.mark.parametrize(
    "path", ["/stocks/AAPL/restatements", "/restatements", "/quality/quarantine", "/quality/gaps", "/quality/slo"]
)
def test_pages_of_one_row_together_are_the_whole_list(clock: TurnedClock, path: str) -> None:
    api = TestClient(create_app(LivelyStore(clock), Hub(nothing), clock))
    whole, found, cursor = api.get(path).json()["items"], list[Any](), ""
    while cursor is not None:
        page = api.get(path, params={"limit": 1, "cursor": cursor}).json()
        found += page["items"]
        cursor = page["next_cursor"]
    assert len(whole) > 1
    assert found == whole
