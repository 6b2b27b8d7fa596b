"""The simulator's servers, asked by raw clients: Yahoo's ways on stream and HTTP, the control channel, every fault."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.feed.simulator.fault import FAULT
from stock_platform.feed.simulator.market import Market
from stock_platform.feed.simulator.pace import Pace
from stock_platform.feed.simulator.server import Simulator, played, simulated
from stock_platform.feed.watchlist import Instrument, Simulated, load_watchlist
from stock_platform_tests.simulators import Served, ShiftedClock, parsed, received, served

_CLOCK = SystemClock()
_BEGINS = datetime(2026, 11, 23, 15, 0, 30, tzinfo=UTC)
_TAPE = Path(__file__).parents[2].parent / "shared/data/tapes/us-2013-10-07.parquet"
_WATCHLIST = load_watchlist()
_QUICKLY = timedelta(seconds=8)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Real hours, a Monday in session, every symbol in every second."""
    clock = ShiftedClock(_BEGINS)
    with served(
        simulated(_WATCHLIST, seed=7, hours="exchange", clock=clock, rate="full"), tmp_path_factory.mktemp("ca")
    ) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _calm(running: Served) -> Iterator[None]:
    yield
    httpx.delete(f"{running.http_url}/control/faults", trust_env=False).raise_for_status()


def _ends(connection: ClientConnection, within_s: float = 8) -> int | None:
    """Close code that the other side sent; None for none."""
    try:
        while True:
            connection.recv(timeout=within_s)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def _crumb(running: Served) -> tuple[str, dict[str, str]]:
    """Cookie and crumb as yfinance gets them."""
    front = running.get("/")
    cookie = {"Cookie": front.headers["set-cookie"].split(";")[0]}
    return httpx.get(f"{running.http_url}/v1/test/getcrumb", headers=cookie, trust_env=False).text, cookie


# --- the stream ---


def test_subscription_is_answered_with_a_snapshot_and_updates_follow(running: Served) -> None:
    with running.client("AAPL", "SPY") as client:
        frames = [parsed(frame) for frame in received(client, 6)]
    assert {frame.id for frame in frames[:2]} == {"AAPL", "SPY"}
    assert [frame.id for frame in frames[2:]] == ["AAPL", "SPY"] * 2
    assert all(frame.time % 1000 == 0 for frame in frames)
    assert frames[4].time == frames[2].time + 1000


@pytest.mark.parametrize("message", ["rubbish", '{"subscribe":"AAPL"}', '{"subscribe":[null]}', "[]", "{}"])
def test_server_hangs_up_on_a_malformed_message_as_yahoo_does(running: Served, message: str) -> None:
    with running.client() as client:
        client.send(message)
        assert _ends(client) == 1000


def test_repeating_the_whole_subscription_changes_nothing(running: Served) -> None:
    with running.client("AAPL") as client:
        client.send(json.dumps({"subscribe": ["AAPL"]}))
        times = [parsed(frame).time for frame in received(client, 4)]
    assert len(set(times)) == 4


def test_symbols_beyond_100_are_cut_without_a_word_until_others_leave(tmp_path: Path) -> None:
    watchlist = [_plain(f"S{number}") for number in range(120)]
    with served(simulated(watchlist, seed=7, hours="always", clock=SystemClock(), rate="full"), tmp_path) as running:
        with running.client(*(each.symbol for each in watchlist[:60])) as client:
            client.send(json.dumps({"subscribe": [each.symbol for each in watchlist[50:]]}))
            assert wait_until(lambda: len(_connections(running)[0]["symbols"]) == 100, _CLOCK, within=_QUICKLY)
            client.send(json.dumps({"unsubscribe": ["S0", "S1"]}))
            client.send(json.dumps({"subscribe": ["S118", "S119"]}))
            assert wait_until(lambda: _connections(running)[0]["symbols"][-1] == "S119", _CLOCK, within=_QUICKLY)
            heard = {parsed(frame).id for frame in received(client, 400)}
    assert heard == {f"S{number}" for number in range(100)} | {"S118", "S119"}


def test_unknown_symbols_take_slots_and_say_nothing(running: Served) -> None:
    with running.client(*(f"NO{number}" for number in range(100)), "AAPL") as client, pytest.raises(TimeoutError):
        client.recv(timeout=2.5)


def _plain(symbol: str) -> Instrument:
    simulated_as = Simulated(base_price=100)  # type: ignore[arg-type]
    return Instrument(
        symbol=symbol, name=symbol, sector="Test", currency="USD", calendar="XNYS", provider="yahoo", simulator=simulated_as
    )


def _connections(running: Served) -> list[Any]:
    return running.state()["connections"]


# --- faults of connections ---


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4000, "abort"])
def test_cut_closes_connections_with_its_code(running: Served, code: int | str) -> None:
    with running.client("AAPL") as client:
        received(client, 1)
        assert running.add(kind="cut", code=code).status_code == 201
        assert _ends(client) == (None if code == "abort" else code)


def test_cut_can_mean_one_connection_or_those_with_a_symbol(running: Served) -> None:
    with running.client("AAPL") as first, running.client("MSFT") as second, running.client("SPY") as third:
        for client in (first, second, third):
            received(client, 1)
        running.add(kind="cut", connection=0, code=1001)
        assert _ends(first) == 1001
        running.add(kind="cut", symbols=["SPY", "QQQ"], code=1012)
        assert _ends(third) == 1012
        received(second, 5)


def test_cut_again_and_again(running: Served) -> None:
    running.add(kind="cut", every_s=2, code=1012)
    for _ in range(3):
        with running.client("AAPL") as client:
            assert _ends(client) == 1012


def test_mute_is_an_open_silent_connection_until_it_is_removed(running: Served) -> None:
    with running.client("AAPL") as client:
        received(client, 2)
        running.add(kind="mute", id="hush")
        with pytest.raises(TimeoutError):
            while True:
                client.recv(timeout=2.5)
        assert client.ping().wait(5)
        assert httpx.delete(f"{running.http_url}/control/faults/hush", trust_env=False).status_code == 204
        received(client, 2)


def test_refuse_takes_no_new_connection_and_leaves_the_old_ones(running: Served) -> None:
    with running.client("AAPL") as client:
        running.add(kind="refuse")
        with pytest.raises(InvalidStatus, match="503"), running.client("AAPL"):
            pass
        received(client, 3)


# --- faults of the stream and the market, as a client sees them ---


@pytest.mark.parametrize(
    ("fault", "is_seen"),
    [
        ({"kind": "bad_frame", "how": "not_json"}, lambda frames: any(not frame.startswith("{") for frame in frames)),
        ({"kind": "unit", "factor": 100}, lambda frames: parsed(frames[-1]).price > 50 * parsed(frames[0]).price),
        ({"kind": "crash", "pct": -20, "fall_s": 1}, lambda frames: parsed(frames[-1]).price < 0.9 * parsed(frames[0]).price),
        ({"kind": "split", "ratio": 4}, lambda frames: parsed(frames[-1]).price < 0.3 * parsed(frames[0]).price),
        ({"kind": "skew", "seconds": 3600}, lambda frames: parsed(frames[-1]).time > parsed(frames[0]).time + 3_500_000),
        ({"kind": "duplicate"}, lambda frames: frames[-1] == frames[-2] or frames[-2] == frames[-3]),
    ],
)
def test_fault_of_the_stream_is_seen_by_a_client(running: Served, fault: dict[str, Any], is_seen: Any) -> None:
    with running.client("AAPL") as client:
        frames = received(client, 2)
        assert running.add(**fault).status_code == 201
        frames.extend(received(client, 4))
    assert is_seen(frames)


def test_halt_silences_a_symbol_alone(running: Served) -> None:
    with running.client("AAPL", "SPY") as client:
        received(client, 4)
        running.add(kind="halt", symbols=["AAPL"])
        received(client, 4)
        assert {parsed(frame).id for frame in received(client, 4)} == {"SPY"}


# --- HTTP ---


def test_minute_chart_is_the_stream_s_own_updates(tmp_path: Path) -> None:
    market = Market(_WATCHLIST, seed=7, hours="exchange", rate="full")
    minute = int(datetime(2026, 11, 23, 15, 1, tzinfo=UTC).timestamp())
    pace = Pace(SystemClock(), begins=_BEGINS, speed=20)
    with served(Simulator(market, pace, seed=7, hours="exchange"), tmp_path) as running:
        with running.client("AAPL") as client:
            frames: dict[int, Any] = {}
            while minute + 60 not in frames:
                frame = parsed(client.recv(timeout=10))
                frames[frame.time // 1000] = frame
        chart = running.chart("AAPL", range="1d", interval="1m")
    index = chart["timestamp"].index(minute)
    bar = {name: column[index] for name, column in chart["indicators"]["quote"][0].items()}
    inside = [frames[minute + offset] for offset in range(60)]
    prices = [float(f"{frame.price:.7g}") for frame in inside]
    assert (bar["open"], bar["high"], bar["low"], bar["close"]) == (prices[0], max(prices), min(prices), prices[-1])
    assert bar["volume"] == inside[-1].day_volume - frames[minute - 1].day_volume


def test_tape_is_streamed_faster_than_it_happened_with_all_of_its_volume(tmp_path: Path) -> None:
    if not _TAPE.exists():
        pytest.skip(f"no recorded tape at {_TAPE}")
    start, end = (datetime(2013, 10, 7, 13, minute, tzinfo=UTC) for minute in (29, 33))
    prints = pl.read_parquet(_TAPE).filter(pl.col("ts_event").is_between(start, end, closed="left"))
    prints.write_parquet(part := tmp_path / "part.parquet")
    regular = prints.filter((pl.col("symbol").cast(pl.String) == "IBM") & (pl.col("ts_event") >= start + timedelta(minutes=1)))
    last = int(regular["ts_event"][-1].timestamp())
    simulator = played(part, known=(), seed=7, clock=SystemClock(), speed=30)
    with served(simulator, tmp_path / "ca") as running:
        with running.client("IBM") as client:
            heard = [parsed(client.recv(timeout=20))]
            while heard[-1].time // 1000 < last:
                heard.append(parsed(client.recv(timeout=20)))
        at = int(start.timestamp())
        assert wait_until(lambda: simulator.pace.second() >= at + 240, _CLOCK, within=timedelta(seconds=20))
        chart = running.chart("IBM", period1=at, period2=at + 240, interval="1m")
    assert heard[-1].day_volume == regular["size"].sum()
    assert sum(chart["indicators"]["quote"][0]["volume"]) == regular["size"].sum()
    assert chart["meta"]["exchangeTimezoneName"] == "America/New_York"


def test_running_minute_is_an_unaligned_tail_without_volume(running: Served) -> None:
    def tail() -> tuple[int, list[Any]]:
        chart = running.chart("AAPL", range="1d", interval="1m")
        quote = chart["indicators"]["quote"][0]
        return chart["timestamp"][-1], [quote[name][-1] for name in ("open", "high", "low", "close", "volume")]

    assert wait_until(lambda: tail()[0] % 60 > 0, _CLOCK, within=_QUICKLY)
    _, (opening, high, low, close, volume) = tail()
    assert opening == high == low == close
    assert volume == 0


def test_chart_s_meta_is_what_yahoo_says(running: Served) -> None:
    meta = running.chart("AAPL", range="1d", interval="1m")["meta"]
    # Monday 2026-11-23 in New York: 04:00, 09:30, 16:00 and 20:00 EST are 09:00, 14:30, 21:00 and 01:00 UTC.
    edges = [int((datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hours)).timestamp()) for hours in (9, 14.5, 21, 25)]
    periods = meta["currentTradingPeriod"]
    assert [(each["start"], each["end"]) for each in (periods["pre"], periods["regular"], periods["post"])] == list(pairwise(edges))
    assert [[(each["start"], each["end"]) for each in day] for day in meta["tradingPeriods"]] == [[(edges[1], edges[2])]]
    assert (meta["currency"], meta["exchangeTimezoneName"], meta["gmtoffset"]) == ("USD", "America/New_York", -18000)
    assert (meta["instrumentType"], meta["dataGranularity"], meta["range"]) == ("EQUITY", "1m", "1d")
    assert meta["previousClose"] == meta["chartPreviousClose"] > 0
    assert abs(meta["regularMarketTime"] - _BEGINS.timestamp()) < 600


def test_chart_outside_of_a_session_has_no_timestamps(running: Served) -> None:
    saturday = int(datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp())
    chart = running.chart("AAPL", period1=saturday, period2=saturday + 86_400, interval="1m", includePrePost="false")
    assert "timestamp" not in chart
    assert chart["indicators"] == {"quote": [{}]}


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("/v8/finance/chart/NOSUCH", {"range": "1d"}, 404, "No data found, symbol may be delisted"),
        ("/v8/finance/chart/AAPL", {"range": "1mo", "interval": "1m"}, 422, "Only 8 days worth of 1m"),
        (
            "/v8/finance/chart/AAPL",
            {"period1": 1791158400, "period2": 1791244800, "interval": "1m"},
            422,
            "within the last 30 days",
        ),
        ("/v8/finance/chart/AAPL", {"range": "6mo", "interval": "5m"}, 422, "within the last 60 days"),
        ("/v8/finance/chart/AAPL", {"interval": "7m"}, 422, "interval=7m"),
        ("/v8/finance/chart/AAPL", {"range": "fortnight"}, 422, "range=fortnight"),
        ("/v8/finance/chart/AAPL", {"period1": 200, "period2": 100}, 400, "start date cannot be after end date"),
        ("/v8/finance/chart/AAPL", {"period1": "yesterday"}, 400, "period1"),
        ("/v8/finance/chart/AAPL", {"crumb": "wrong"}, 401, "Invalid Crumb"),
        ("/v7/finance/quote", {"symbols": "AAPL"}, 401, "Invalid Crumb"),
        ("/v1/test/getcrumb", {}, 401, "Invalid Cookie"),
        ("/v10/finance/quoteSummary/AAPL", {"modules": "summaryDetail"}, 404, "No fundamentals data found"),
    ],
)
def test_refusals_are_yahoo_s(running: Served, path: str, query: dict[str, Any], status: int, words: str) -> None:
    answer = running.get(path, **query)
    assert answer.status_code == status
    (envelope,) = answer.json().values()
    assert envelope["result"] is None
    assert words in envelope["error"]["description"]


def test_quote_gives_the_known_of_many_symbols(running: Served) -> None:
    crumb, cookie = _crumb(running)
    query = {"symbols": "AAPL,NOSUCH,BTC-USD,SPY", "crumb": crumb}
    answer = httpx.get(f"{running.http_url}/v7/finance/quote", params=query, headers=cookie, trust_env=False)
    quotes = {each["symbol"]: each for each in answer.raise_for_status().json()["quoteResponse"]["result"]}
    assert list(quotes) == ["AAPL", "BTC-USD", "SPY"]
    assert [each["quoteType"] for each in quotes.values()] == ["EQUITY", "CRYPTOCURRENCY", "ETF"]
    assert quotes["AAPL"]["marketState"] == "REGULAR"
    day = running.chart("AAPL", range="1d", interval="1d")
    assert quotes["AAPL"]["regularMarketPreviousClose"] == day["meta"]["chartPreviousClose"]
    assert quotes["AAPL"]["regularMarketOpen"] == day["indicators"]["quote"][0]["open"][-1]


def test_five_years_of_daily_bars_take_less_than_a_second_of_a_core(running: Served) -> None:
    charts, now = running.simulator.charts, running.simulator.pace.second()
    asked = {"range_name": "5y", "period1": None, "period2": None, "interval": "1d", "has_extended": False, "events": ""}
    began = time.thread_time()
    answer = charts.answer("MSFT", now=now, **asked)
    assert time.thread_time() - began < 1
    result = answer["chart"]["result"][0]
    assert 1_250 < len(result["timestamp"]) < 1_262  # 5 years of some 251 sessions
    assert len(result["indicators"]["adjclose"][0]["adjclose"]) == len(result["timestamp"])


def test_chart_shows_splits_and_dividends(running: Served) -> None:
    before = running.chart("NVDA", range="5d", interval="1d")
    running.add(kind="split", symbols=["NVDA"], ratio=10, start="2026-11-20T09:00:00Z")
    running.add(kind="dividend", symbols=["NVDA"], amount=0.25, start="2026-11-19T14:30:00Z")
    after = running.chart("NVDA", range="5d", interval="1d", events="div,splits")
    quote = [each["indicators"]["quote"][0] for each in (before, after)]
    assert quote[1]["close"][0] == pytest.approx(quote[0]["close"][0] / 10, abs=0.005)
    assert quote[1]["volume"][0] == pytest.approx(quote[0]["volume"][0] * 10, rel=1e-4)
    # Sessions open at 14:30 UTC: 1795098600 is Thursday 2026-11-19, 1795185000 Friday.
    assert after["events"]["splits"] == {
        "1795185000": {"date": 1795185000, "numerator": 10.0, "denominator": 1, "splitRatio": "10:1"}
    }
    assert after["events"]["dividends"] == {"1795098600": {"amount": 0.25, "date": 1795098600}}
    close, adjusted = quote[1]["close"], after["indicators"]["adjclose"][0]["adjclose"]
    at = after["timestamp"].index(1795098600)
    assert adjusted[at:] == close[at:]
    assert adjusted[at - 1] == pytest.approx(close[at - 1] - 0.25, abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "is_seen"),
    [
        ({"kind": "status", "status": 429}, lambda answer: answer.status_code == 429 and "Too Many Requests" in answer.text),
        ({"kind": "status", "status": 503}, lambda answer: answer.status_code == 503),
        ({"kind": "html"}, lambda answer: answer.status_code == 200 and "Will be right back" in answer.text),
        ({"kind": "delay", "seconds": 1.5}, lambda answer: answer.elapsed >= timedelta(seconds=1.5)),
        ({"kind": "empty"}, lambda answer: answer.json() == {"chart": {"result": [], "error": None}}),
        ({"kind": "null_bars", "share": 0.5}, lambda answer: 0.3 < _null_share(answer) < 0.7),
        ({"kind": "edge_bars"}, lambda answer: _volumes(answer)[0] == 0),
    ],
)
def test_fault_of_answers_is_seen_by_a_client(running: Served, fault: dict[str, Any], is_seen: Any) -> None:
    query = {"range": "1d", "interval": "1m"}
    assert _volumes(running.get("/v8/finance/chart/AAPL", **query))[0] > 0
    running.add(**fault, path="/v8", symbols=["AAPL"])
    assert is_seen(running.get("/v8/finance/chart/AAPL", **query))
    assert _volumes(running.get("/v8/finance/chart/MSFT", **query))[0] > 0


def _volumes(answer: httpx.Response) -> list[Any]:
    return answer.raise_for_status().json()["chart"]["result"][0]["indicators"]["quote"][0]["volume"]


def _null_share(answer: httpx.Response) -> float:
    volumes = _volumes(answer)
    return volumes.count(None) / len(volumes)


# --- control ---


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "kind"),
        ({"kind": "quake"}, "quake"),
        ({"kind": "cut", "code": 1006}, "1006"),
        ({"kind": "halt", "share": 0}, "share"),
        ({"kind": "halt", "start": "2026-11-23T15:00:00"}, "timezone"),
        ({"kind": "status", "status": 200}, "status"),
        ({"kind": "halt", "colour": "red"}, "colour"),
    ],
)
def test_control_refuses_rubbish_with_a_sentence(running: Served, body: dict[str, Any], words: str) -> None:
    answer = running.add(**body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert answer.json()["error"].endswith(".")
    assert running.state()["faults"] == []


def test_control_says_what_is_connected_and_what_is_wrong(running: Served) -> None:
    with running.client("AAPL", "SPY") as client:
        received(client, 2)
        added = running.add(kind="delay", seconds=1, path="/v7", after_s=3600).json()
        state = running.state()
        assert [each["symbols"] for each in state["connections"]] == [["AAPL", "SPY"]]
        assert state["connections"][0]["frames_sent"] >= 2
        assert [(each["fault"]["id"], each["is_active"]) for each in state["faults"]] == [(added["id"], False)]
    assert running.add(kind="mute", id=added["id"]).status_code == 422
    assert httpx.delete(f"{running.http_url}/control/faults/none", trust_env=False).status_code == 404


def test_control_documents_itself(running: Served) -> None:
    assert running.get("/control/docs").is_success
    assert running.get("/control/docs/files/swagger-ui-bundle.js").is_success
    schema = json.dumps(running.get("/control/openapi.json").json())
    for kind in ("Halt", "Crash", "Split", "Spike", "Cut", "Mute", "NullBars"):
        assert kind in schema


# --- the same again ---


def test_same_seed_scenario_and_clock_give_the_same_frames_and_charts(tmp_path: Path) -> None:
    scenario = [
        FAULT.validate_python(each)
        for each in (
            {"kind": "spike", "pct": 3, "share": 0.3},
            {"kind": "bad_frame", "how": "price_nan", "share": 0.3},
            {"kind": "crash", "pct": -5, "symbols": ["SPY"], "fall_s": 4},
            {"kind": "null_bars", "share": 0.3},
        )
    ]

    def seen(folder: Path, seed: int) -> tuple[list[str], Any]:
        clock = ShiftedClock(_BEGINS)
        with served(simulated(_WATCHLIST, seed=seed, hours="always", clock=clock, scenario=scenario), folder) as running:
            with running.client("AAPL", "SPY", "BTC-USD") as client:
                frames = received(client, 15)
            end = int(_BEGINS.timestamp()) - 30
            return frames, running.chart("SPY", period1=end - 3600, period2=end, interval="1m")["indicators"]

    first, second = seen(tmp_path / "a", 7), seen(tmp_path / "b", 7)
    assert sorted(first[0])[:3] and _common(first[0], second[0]) >= 10
    assert first[1] == second[1]
    assert _common(first[0], seen(tmp_path / "c", 8)[0]) == 0


def _common(first: list[str], second: list[str]) -> int:
    """Frames that both saw: one may have begun a second later than the other."""
    return len(set(first) & set(second))
