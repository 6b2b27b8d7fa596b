"""The door, its budget and its breaker against a real server under Yahoo's names, reached by environment variables alone; a second
process where processes are meant."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.probe import free_port
from stock_platform.adapters.vendor_budget import vendor_budget
from stock_platform.adapters.vendor_door import Door
from stock_platform.config import Settings
from stock_platform.errors import (
    HistoryTooOld,
    PlatformError,
    VendorAnswerUnusable,
    VendorBlocked,
    VendorBudgetSpent,
    VendorUnreachable,
)
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.yahoo.audit import RawAnswers, read_raw
from stock_platform.feed.yahoo.door import open_door
from stock_platform.feed.yahoo.history import CHART_URL, History, Span, fetch_history
from stock_platform.feed.yahoo.polling import QUOTE_URL, QuotePoller
from stock_platform_tests.vendor_server import CRUMB, Asked, Reply, VendorServer, vendor_server

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENT = {"vendor_requests_per_minute": 60_000.0, "vendor_burst": 1000}


class ShiftedClock(SystemClock):
    """Real time, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def settings_of(folder: Path, **changes: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, profile="live", feed_kind="yahoo", **{**PATIENT, **changes})  # type: ignore[call-arg, arg-type]


def chart_body(symbol: str, start: int, *, count: int = 1) -> bytes:
    times = [start + 60 * n for n in range(count)]
    meta = {"symbol": symbol, "currency": "USD", "dataGranularity": "1m", "exchangeTimezoneName": "UTC"}
    quote = {name: [10.5] * count for name in ("open", "high", "low", "close")} | {"volume": [7] * count}
    return json.dumps(
        {"chart": {"result": [{"meta": meta, "timestamp": times, "indicators": {"quote": [quote]}}], "error": None}}
    ).encode()


def minute_bars(asked: Asked) -> Reply:
    """One bar at the start of each window asked for."""
    return Reply(200, chart_body(asked.path.rsplit("/", 1)[1], int(asked.query["period1"]))) if "chart" in asked.path else Reply()


def quotes_of(asked: Asked) -> Reply:
    """Every symbol but those that begin with X has a price."""
    if "quote" not in asked.path:
        return Reply()
    known = [symbol for symbol in asked.query["symbols"].split(",") if not symbol.startswith("X")]
    parts = [
        {"symbol": each, "regularMarketPrice": 10.5, "regularMarketTime": 1_795_185_000, "quoteType": "EQUITY"} for each in known
    ]
    return Reply(200, json.dumps({"quoteResponse": {"result": parts, "error": None}}).encode())


@contextmanager
def world(answer: object, folder: Path, **changes: object) -> Iterator[tuple[VendorServer, Settings]]:
    with vendor_server(answer, folder) as server:  # type: ignore[arg-type]
        yield server, settings_of(folder, **changes)


def ask(door: Door) -> bytes:
    return door.get(CHART_URL + "A", {"interval": "1m", "period1": "0"}).body


def history_of(settings: Settings, *, days: int = 1, symbol: str = "A") -> History:
    raw = RawAnswers(settings.home / "vendor" / "raw", settings.vendor_raw_days)
    span = Span(NOW - days * DAY, NOW)
    return fetch_history(open_door(settings, SystemClock()), raw, symbol, "1m", span=span, now=NOW)


PROGRAM = """
import sys
from pathlib import Path
from stock_platform.adapters.clock import SystemClock
from stock_platform.feed.yahoo.door import open_door
from stock_platform.config import Settings
from stock_platform.errors import PlatformError
settings = Settings(_env_file=None, data_dir=Path(sys.argv[1]), profile="live", feed_kind="yahoo",
    vendor_requests_per_minute=float(sys.argv[2]), vendor_burst=int(sys.argv[3]))
door = open_door(settings, SystemClock())
for _ in range(int(sys.argv[4])):
    try:
        print(door.get("https://query2.finance.yahoo.com/v8/finance/chart/A", {"period1": "0"}).status)
    except PlatformError as error:
        print(f"{type(error).__name__}: {error}")
"""


def process(folder: Path, *, per_minute: float, burst: int, asks: int) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", PROGRAM, str(folder), str(per_minute), str(burst), str(asks)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def test_default_addresses_are_asked_with_cookie_and_crumb_once(tmp_path: Path) -> None:
    with world(minute_bars, tmp_path) as (server, settings):
        door = open_door(settings, SystemClock())
        assert ask(door) == ask(door) == chart_body("A", 0)
        another = open_door(settings, SystemClock())
        ask(another)

    asked = [(each.host, each.path.rsplit("/", 1)[1]) for each in server.asked]
    data = ("query2.finance.yahoo.com", "A")
    crumb = ("query1.finance.yahoo.com", "getcrumb")
    cookie = ("fc.yahoo.com", "")
    assert asked == [cookie, crumb, data, data, cookie, crumb, data], "cookie and crumb are kept by the door"
    assert {each.query["crumb"] for each in server.data_requests()} == {CRUMB}
    assert (door.request_count, another.request_count) == (4, 3)


def test_raw_answers_are_kept_for_their_days_without_crumb_or_cookie(tmp_path: Path) -> None:
    with world(minute_bars, tmp_path, vendor_raw_days=2) as (_server, settings):
        folder = settings.home / "vendor" / "raw"
        today = datetime.now(UTC).date()
        for age in (1, 2, 40):
            (folder / (today - timedelta(days=age)).isoformat()).mkdir(parents=True)
        history = history_of(settings)

    (path,) = history.paths
    kept = read_raw(path)
    assert sorted(each.name for each in folder.iterdir()) == [(today - DAY).isoformat(), path.parent.name]
    assert (kept.status, kept.body) == (200, chart_body("A", int((NOW - DAY).timestamp())))
    assert kept.url.startswith("https://query2.finance.yahoo.com/v8/finance/chart/A?interval=1m&period1=")
    assert all(CRUMB not in each.read_bytes().decode("latin-1") for each in folder.rglob("*") if each.is_file())
    assert CRUMB not in kept.url


def test_refusal_closes_the_door_for_another_process_and_no_request_leaves(tmp_path: Path) -> None:
    with world(lambda asked: Reply(429) if "chart" in asked.path else Reply(), tmp_path) as (server, settings):
        door = open_door(settings, SystemClock())
        with pytest.raises(VendorBlocked, match="answered 429") as first:
            ask(door)
        arrived = len(server.asked)
        assert arrived == 3, "cookie, crumb and one request: no repeats"
        with pytest.raises(VendorBlocked):
            ask(door)
        output = process(tmp_path, per_minute=60_000, burst=1000, asks=3).communicate(timeout=60)[0]

    until = str(first.value).split("before ")[1][:20]
    assert output.count("VendorBlocked: yahoo answered 429") == 3
    assert output.count(until) == 3
    assert len(server.asked) == arrived


@pytest.mark.parametrize("steps", ["crumb", "words"])
def test_refusal_at_the_crumb_stops_before_the_data(tmp_path: Path, steps: str) -> None:
    refusal = Reply(429, b"Too Many Requests") if steps == "crumb" else Reply(200, b"Too Many Requests\r\n")
    with world(lambda asked: refusal if "getcrumb" in asked.path else minute_bars(asked), tmp_path) as (server, settings):
        with pytest.raises(VendorBlocked):
            ask(open_door(settings, SystemClock()))
        assert server.data_requests() == []


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("date", 300), ("nonsense", 900), (None, 900)])
def test_pause_is_the_vendors_own_or_a_quarter_of_an_hour(tmp_path: Path, header: str | None, seconds: int) -> None:
    headers: dict[str, str] = {}
    with world(lambda asked: Reply(429, b"", headers) if "chart" in asked.path else Reply(), tmp_path) as (_server, settings):
        door = open_door(settings, SystemClock())  # loads yfinance, which takes its own time
        start = datetime.now(UTC)
        if header is not None:
            date = (start + timedelta(seconds=300)).strftime("%a, %d %b %Y %H:%M:%S GMT")
            headers["Retry-After"] = date if header == "date" else header
        with pytest.raises(VendorBlocked):
            ask(door)
        until = vendor_budget(settings, SystemClock()).state().blocked_until
    assert until is not None
    assert abs((until - start).total_seconds() - seconds) < 5


def test_after_the_pause_one_caller_tries_and_its_answer_opens_the_door_for_all(tmp_path: Path) -> None:
    arrived, go_on, refuses = threading.Event(), threading.Event(), True

    def answer(asked: Asked) -> Reply:
        if "chart" not in asked.path:
            return Reply()
        if refuses:
            return Reply(429)
        arrived.set()
        return Reply(200, chart_body("A", 0), wait_for=go_on)

    clock = ShiftedClock()
    with world(answer, tmp_path) as (_server, settings):
        one, other = open_door(settings, clock), open_door(settings, clock)
        with pytest.raises(VendorBlocked):
            ask(one)
        refuses = False
        clock.ahead = timedelta(minutes=15, seconds=1)
        trial = threading.Thread(target=ask, args=(one,))
        trial.start()
        assert arrived.wait(30)
        with pytest.raises(VendorBlocked):
            ask(other)
        go_on.set()
        trial.join(30)
        assert ask(other) == chart_body("A", 0)
        assert vendor_budget(settings, clock).state().breaker(clock.now()) == "closed"


def test_two_processes_together_keep_to_the_rate(tmp_path: Path) -> None:
    """600 a minute are 10 a second, and 5 at once; both processes ask as fast as they may."""
    with world(minute_bars, tmp_path) as (server, _settings):
        processes = [process(tmp_path, per_minute=600, burst=5, asks=20) for _ in range(2)]
        outputs = [each.communicate(timeout=120)[0] for each in processes]
    assert [output.split() for output in outputs] == [["200"] * 20] * 2
    times = sorted(each.at for each in server.asked)
    assert len(times) == 44, "40 requests, and a cookie and a crumb for each process"
    on_the_way = 2  # requests granted before may arrive late, into a window that is not theirs
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= 5 + 10 * (times[last] - start) + on_the_way
    assert times[-1] - times[0] >= (len(times) - 5 - on_the_way) / 10


def test_spent_budget_is_a_sentence(tmp_path: Path) -> None:
    with world(minute_bars, tmp_path, vendor_requests_per_minute=1.0, vendor_burst=3, vendor_timeout_s=1.0) as (server, settings):
        door = open_door(settings, SystemClock())
        ask(door)
        with pytest.raises(VendorBudgetSpent, match="budget of 1 requests a minute to yahoo is spent"):
            ask(door)
        assert len(server.asked) == 3


TROUBLES = [
    (Reply(503, b"<html><head><title>Will be right back</title>"), "answered with status 503, which is html: .*Will be right back"),
    (Reply(200, b"<!DOCTYPE html><p>consent"), "answered with status 200, which is html"),
    (Reply(500, b""), "answered with status 500, which is empty"),
    (Reply(502, b"upstream connect error"), "which is not_json: .*upstream connect error"),
    (Reply(200, b'{"chart":'), "which is not_json"),
]


@pytest.mark.parametrize(("trouble", "sentence"), TROUBLES, ids=[str(n) for n in range(len(TROUBLES))])
def test_trouble_is_a_sentence_and_never_an_empty_history_and_does_not_stick(tmp_path: Path, trouble: Reply, sentence: str) -> None:
    """The same past range is asked again in the same process: yfinance's own front would remember the failure."""
    is_ill = True
    with world(lambda asked: trouble if is_ill and "chart" in asked.path else minute_bars(asked), tmp_path) as (_server, settings):
        with pytest.raises(VendorAnswerUnusable, match=sentence):
            history_of(settings)
        is_ill = False
        assert len(history_of(settings).bars) == 1


@pytest.mark.parametrize(
    "page",
    [
        Reply(500, b"oops"),
        Reply(503, b"<!DOCTYPE html><html lang=en>busy"),
        Reply(200, b"<!DOCTYPE html> busy"),
        Reply(401, b"Invalid Cookie"),
    ],
)
def test_page_instead_of_a_crumb_is_not_kept_as_the_crumb(tmp_path: Path, page: Reply) -> None:
    is_ill = True
    with world(lambda asked: page if is_ill and "getcrumb" in asked.path else minute_bars(asked), tmp_path) as (server, settings):
        door = open_door(settings, SystemClock())
        ask(door)
        is_ill = False
        ask(door)
    assert [each.query.get("crumb") for each in server.data_requests() if "chart" in each.path] == [None, CRUMB]


def test_crumb_that_is_no_longer_taken_is_renewed_once(tmp_path: Path) -> None:
    crumbs, taken = count(1), "c2"

    def answer(asked: Asked) -> Reply:
        if "getcrumb" in asked.path:
            return Reply(200, f"c{next(crumbs)}".encode())
        if "chart" in asked.path and asked.query.get("crumb") != taken:
            return Reply(401, b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}')
        return minute_bars(asked)

    with world(answer, tmp_path) as (server, settings):
        assert ask(open_door(settings, SystemClock())) == chart_body("A", 0)
    assert [each.query["crumb"] for each in server.data_requests()] == ["c1", "c2"]
    assert [each.host for each in server.asked].count("fc.yahoo.com") == 2, "with a cookie that may be the reason"


@pytest.mark.parametrize("where", ["chart", "yahoo"])
def test_silence_ends_in_time(tmp_path: Path, where: str) -> None:
    """Of the answer alone, or of every step: together they take no longer than the door may."""
    never = threading.Event()
    silent = Reply(200, b"late", wait_for=never)

    def answer(asked: Asked) -> Reply:
        return silent if where in f"{asked.host}{asked.path}" else minute_bars(asked)

    with world(answer, tmp_path, vendor_timeout_s=2.0) as (_server, settings):
        door = open_door(settings, SystemClock())  # loads yfinance, which takes its own time
        start = monotonic()
        with pytest.raises(VendorUnreachable, match="does not answer"):
            ask(door)
        assert 1.5 < monotonic() - start < 3
        never.set()


@pytest.mark.parametrize("where", ["fc.yahoo.com", "getcrumb"])
def test_silence_at_cookie_or_crumb_leaves_time_for_the_answer(tmp_path: Path, where: str) -> None:
    never = threading.Event()
    silent = Reply(200, b"late", wait_for=never)

    def answer(asked: Asked) -> Reply:
        return silent if where in f"{asked.host}{asked.path}" else minute_bars(asked)

    with world(answer, tmp_path, vendor_timeout_s=4.0) as (_server, settings):
        assert ask(open_door(settings, SystemClock())) == chart_body("A", 0)
        never.set()


def test_closed_proxy_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(VendorUnreachable, match=r"does not answer: .*Check the network and HTTPS_PROXY"):
        ask(open_door(settings_of(tmp_path), SystemClock()))


def test_month_of_minutes_is_asked_for_in_windows_of_eight_days(tmp_path: Path) -> None:
    with world(minute_bars, tmp_path) as (server, settings):
        history = history_of(settings, days=20, symbol="^GSPC")
    asked = [(int(each.query["period1"]), int(each.query["period2"])) for each in server.data_requests()]
    starts = [int((NOW - age * DAY).timestamp()) for age in (20, 12, 4, 0)]
    assert asked == [(starts[0], starts[1]), (starts[1], starts[2]), (starts[2], starts[3])]
    assert {each.path for each in server.data_requests()} == {"/v8/finance/chart/^GSPC"}
    assert [int(each.bar.ts_start.timestamp()) for each in history.bars] == starts[:3]
    assert len(history.paths) == 3


def test_minutes_older_than_the_vendor_keeps_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with world(minute_bars, tmp_path) as (server, settings):
        with pytest.raises(
            HistoryTooOld, match=r"1m bars of A from 2026-10-20 22:00Z .* at or after 2026-10-21 22:00Z\. Ask for a later"
        ):
            history_of(settings, days=31)
        assert server.asked == []


def test_bars_outside_the_span_are_left_out(tmp_path: Path) -> None:
    start = int((NOW - DAY).timestamp())
    reply = Reply(200, chart_body("A", start - 60, count=1440 + 2))
    with world(lambda asked: reply if "chart" in asked.path else Reply(), tmp_path) as (_server, settings):
        history = history_of(settings)
    # 1440 minutes of the day, less the last one, which ends at NOW and may still change.
    assert (history.bars[0].bar.ts_start, history.bars[-1].bar.ts_start) == (NOW - DAY, NOW - timedelta(minutes=2))
    assert history.dropped["unfinished"] == 2


def test_symbol_that_is_younger_than_the_span_has_the_minutes_that_it_has(tmp_path: Path) -> None:
    """Yahoo's words for a window that ends before the first trade."""
    body = b'{"chart":{"result":null,"error":{"code":"Bad Request","description":"Data doesn\'t exist for startDate = 1"}}}'
    listed = int((NOW - 3 * DAY).timestamp())

    def answer(asked: Asked) -> Reply:
        if "chart" not in asked.path:
            return Reply()
        is_young = int(asked.query["period2"]) <= listed
        return Reply(400, body) if is_young else Reply(200, chart_body("A", listed))

    with world(answer, tmp_path) as (_server, settings):
        history = history_of(settings, days=20)
    assert history.refusal is None
    assert history.bars


def test_symbol_that_the_vendor_does_not_have_is_data_and_no_error(tmp_path: Path) -> None:
    body = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
    with world(lambda asked: Reply(404, body) if "chart" in asked.path else Reply(), tmp_path) as (server, settings):
        history = history_of(settings, days=20)
    assert history.refusal is not None
    assert (history.refusal.reason, history.bars) == ("vendor_error", [])
    assert len(server.data_requests()) == 1, "the other windows of an unknown symbol are not asked for"


def test_poll_brings_every_known_symbol_in_one_request_a_hundred(tmp_path: Path) -> None:
    symbols = [f"S{n}" for n in range(230)] + ["XUNKNOWN"]
    with world(quotes_of, tmp_path) as (server, settings):
        poller = QuotePoller(settings, clock=SystemClock(), sequence=count(7))
        found = poller.poll(symbols)
    assert [len(each.query["symbols"].split(",")) for each in server.data_requests()] == [100, 100, 31]
    assert [each.symbol for each in found if isinstance(each, Candidate)] == symbols[:-1]
    assert [each.line_seq for each in found] == list(range(7, 237))
    assert (poller.missing, poller.last_error) == (frozenset({"XUNKNOWN"}), None)
    first = found[0]
    assert isinstance(first, Candidate)
    assert (first.ts_connected, first.vendor_phase, json.loads(first.payload())["symbol"]) == (first.ts_recv, 1, "S0")


def test_quote_without_a_price_is_refused_with_its_own_bytes(tmp_path: Path) -> None:
    reply = Reply(200, b'{"quoteResponse":{"result":[{"symbol":"A","quoteType":"NONE"}],"error":null}}')
    with world(lambda asked: reply if "quote" in asked.path else Reply(), tmp_path) as (_server, settings):
        (refusal,) = QuotePoller(settings, clock=SystemClock(), sequence=count()).poll(["A"])
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.payload()) == ("no_price", b'{"symbol":"A","quoteType":"NONE"}')


@pytest.mark.parametrize("trouble", [Reply(429), Reply(503, b"<html>"), Reply(200, b"{"), Reply(200, b"[]")])
def test_poll_never_raises_and_says_why_it_has_nothing(tmp_path: Path, trouble: Reply) -> None:
    with world(lambda asked: trouble if "quote" in asked.path else Reply(), tmp_path) as (_server, settings):
        poller = QuotePoller(settings, clock=SystemClock(), sequence=count())
        assert poller.poll(["A", "B"]) == []
    assert poller.last_error is not None
    assert "query1.finance.yahoo.com/v7/finance/quote" in poller.last_error or "answered 429" in poller.last_error


def test_lines_that_poll_beside_a_history_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two doors of one process share nothing but the budget, as yfinance's singleton would not allow."""

    def answer(asked: Asked) -> Reply:
        return quotes_of(asked) if "quote" in asked.path else minute_bars(asked)

    with world(answer, tmp_path) as (server, settings):
        poller = QuotePoller(settings, clock=SystemClock(), sequence=count())
        errors: list[PlatformError] = []

        def poll() -> None:
            try:
                for _ in range(10):
                    assert len(poller.poll(["A", "B"])) == 2
            except PlatformError as error:
                errors.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        histories = [history_of(settings) for _ in range(5)]
        assert wait_until(lambda: not thread.is_alive(), SystemClock(), within=timedelta(seconds=30))
    assert errors == []
    assert [len(each.bars) for each in histories] == [1] * 5
    assert len([each for each in server.data_requests() if QUOTE_URL.endswith(each.path)]) == 10
