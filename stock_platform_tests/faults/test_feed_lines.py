"""What must be true of several lines: what one loses its twin brings; what all lose stands in the books with its bounds;
shards come and go without a gap. The vendor's own market, asked directly, says what should have come."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import psycopg
import pytest
import yaml

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.dagster_api import ask
from stock_platform.feed.shards import shard_of
from stock_platform.feed.simulator.market import Market
from stock_platform.feed.simulator.updates import BLOCK_S, PRICE_SCALE, block_start
from stock_platform.feed.watchlist import DEFAULT_PATH, load_watchlist
from stock_platform_tests.running_stack import RunningStack, running_stack

_CLOCK = SystemClock()
_MINUTE = timedelta(minutes=1)
_COINS = ("BTC-USD", "ETH-USD")
"""The vendor's volume of a coin is of 24 hours: its ticks and bars have none."""
_SYMBOLS = ("AAPL", "MSFT", "NVDA", "JPM", "XOM", "SPY", *_COINS)
_TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
_BARS = "open high low close tick_count day_volume_last".split()


def _write_watchlist(path: Path, *, shards: int, redundancy: int) -> None:
    document = yaml.safe_load(DEFAULT_PATH.read_text())
    document["instruments"] = [each for each in document["instruments"] if each["symbol"] in _SYMBOLS]
    document["lines"] = {"shards": shards, "redundancy": redundancy}
    path.write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.fixture(scope="module")
def watchlist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watchlist") / "watchlist.yaml"
    _write_watchlist(path, shards=2, redundancy=2)
    return path


@pytest.fixture(scope="module")
def stack(watchlist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Two shards, each read twice."""
    with running_stack(tmp_path_factory.mktemp("data"), "--feed", "simulator", "--watchlist", str(watchlist)) as running:
        yield running


@pytest.fixture(scope="module")
def calm_since(stack: RunningStack) -> datetime:
    """First full minute that every line has seen from its beginning."""
    _until(lambda: _carried(stack) == _wanted(2, 2), 180)
    return datetime.now(UTC).replace(second=0, microsecond=0) + _MINUTE


def _wanted(shards: int, redundancy: int) -> dict[str, set[str]]:
    names = [(shard, f"line-{shard}{letter}") for shard in range(shards) for letter in "ab"[:redundancy]]
    wanted = {line: {symbol for symbol in _SYMBOLS if shard_of(symbol, shards) == shard} for shard, line in names}
    return {line: symbols for line, symbols in wanted.items() if symbols}


def _carried(stack: RunningStack) -> dict[str, set[str]]:
    rows = stack.frame("SELECT line, symbols FROM ops.feed_line WHERE state = 'running' AND symbols <> ''")
    return {line: set(symbols.split()) for line, symbols in rows.iter_rows()}


def _until(condition: Any, within_s: float) -> None:
    assert wait_until(condition, _CLOCK, within=timedelta(seconds=within_s), every=timedelta(milliseconds=500))


def _fault(stack: RunningStack, **fault: object) -> datetime:
    url = f"http://127.0.0.1:{stack.settings.simulator_http_port}/control/faults"
    answer = httpx.post(url, json=fault)
    assert answer.status_code == 201, answer.text
    return datetime.now(UTC)


def _gaps(stack: RunningStack, since: datetime) -> pl.DataFrame:
    frame = stack.frame("SELECT line, ts_gap_start, ts_gap_end, symbols, detail FROM ops.feed_gap ORDER BY line, ts_gap_start")
    return frame.filter(pl.col("ts_gap_end") > since)


def _symbol_gaps(stack: RunningStack) -> pl.DataFrame:
    return stack.frame("SELECT symbol, ts_gap_start, ts_gap_end FROM ops.symbol_gap ORDER BY symbol")


@pytest.fixture
def heard(stack: RunningStack, calm_since: datetime) -> None:
    """Every line has been heard since the newest gap: twins that are cut off less than a heartbeat apart leave a symbol's gap."""
    newest = "(SELECT coalesce(max(ts_gap_end), '-infinity') FROM ops.feed_gap)"
    _until(lambda: stack.value(f"SELECT min(ts_clock) > {newest} FROM ops.feed_line WHERE state = 'running'"), 60)


def test_muted_socket_is_left_and_its_twin_brings_everything(stack: RunningStack, calm_since: datetime) -> None:
    state = httpx.get(f"http://127.0.0.1:{stack.settings.simulator_http_port}/control/state").json()
    last = state["connections"][-1]["connection"]
    muted = _fault(stack, kind="mute", connection=last, duration_s=70)
    _until(lambda: _gaps(stack, muted).height == 1, 150)
    gap = _gaps(stack, muted).row(0, named=True)
    assert "came for 60 s" in gap["detail"]
    assert abs(gap["ts_gap_start"] - muted) < timedelta(seconds=20)
    assert _symbol_gaps(stack).is_empty()


def test_killed_line_is_replaced_and_its_twin_brings_everything(stack: RunningStack, heard: None) -> None:
    killed = datetime.now(UTC)
    before = stack.value("SELECT dagster_run_id FROM ops.feed_line WHERE line = 'line-0a'")
    stack.kill_feed_run("line-0a")
    _until(lambda: stack.value("SELECT dagster_run_id FROM ops.feed_line WHERE line = 'line-0a'") != before, 120)
    _until(lambda: _carried(stack) == _wanted(2, 2), 90)
    gaps = _gaps(stack, killed).filter(pl.col("line") == "line-0a")
    assert gaps.height == 1
    assert abs(gaps["ts_gap_start"][0] - killed) < timedelta(seconds=10)
    assert _symbol_gaps(stack).is_empty()


def test_frozen_line_that_a_person_terminates_holds_up_no_launch(stack: RunningStack, heard: None) -> None:
    query = "SELECT dagster_run_id FROM ops.feed_line WHERE line = 'line-1b'"
    frozen = stack.value(query)
    stack.kill_run(frozen, by=signal.SIGSTOP)
    answer = ask(f"http://127.0.0.1:{stack.settings.dagster_port}", "terminate", _TERMINATE, id=frozen)
    assert answer["terminateRun"]["__typename"] == "TerminateRunSuccess"
    _until(lambda: stack.value(query) != frozen and _carried(stack) == _wanted(2, 2), 90)
    assert frozen not in stack.worker_runs()
    assert _symbol_gaps(stack).is_empty()


def test_database_that_is_away_ends_no_line(stack: RunningStack, calm_since: datetime) -> None:
    query = "SELECT line, dagster_run_id, ts_heartbeat FROM ops.feed_line WHERE state = 'running' ORDER BY line"
    before = stack.frame(query)
    stack.kill_service("postgres")
    killed = datetime.now(UTC)

    def has_beaten_again() -> bool:
        try:
            return bool(stack.frame(query)["ts_heartbeat"].min() > killed)  # type: ignore[operator]
        except psycopg.OperationalError:
            return False

    _until(has_beaten_again, 90)
    assert stack.frame(query)["dagster_run_id"].to_list() == before["dagster_run_id"].to_list()
    assert _symbol_gaps(stack).is_empty()


def test_shard_that_joins_takes_its_symbols_over_without_a_gap(stack: RunningStack, calm_since: datetime, watchlist: Path) -> None:
    begun = datetime.now(UTC)
    _write_watchlist(watchlist, shards=3, redundancy=2)
    _until(lambda: _carried(stack) == _wanted(3, 2), 120)
    assert _gaps(stack, begun).is_empty()
    _write_watchlist(watchlist, shards=2, redundancy=2)
    _until(lambda: _carried(stack) == _wanted(2, 2), 120)
    assert _gaps(stack, begun).is_empty()
    gone = "SELECT count(*) FROM ops.feed_line WHERE line LIKE 'line-2%' AND state = 'retired'"
    _until(lambda: stack.value(gone) == 2, 60)


def test_until_here_every_bar_is_what_the_vendor_traded(stack: RunningStack, calm_since: datetime) -> None:
    _until(lambda: datetime.now(UTC) >= calm_since + 2 * _MINUTE, 120)
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    _assert_bars_are_the_vendors(stack, [(calm_since, end)])
    assert stack.value("SELECT sum(reject_count) FROM ops.feed_line") == 0
    assert stack.value(f"SELECT bool_and(is_continuous) FROM staging.bar_1m WHERE {_between(calm_since, end)}")


def test_cut_of_every_line_stands_in_the_books_with_its_bounds(stack: RunningStack, calm_since: datetime) -> None:
    _fault(stack, kind="refuse", duration_s=30)
    cut = _fault(stack, kind="cut", code="abort")
    mended = cut + timedelta(seconds=30)
    _until(lambda: _gaps(stack, cut).height == 4, 150)
    for gap in _gaps(stack, cut).iter_rows(named=True):
        assert cut - timedelta(seconds=6) <= gap["ts_gap_start"] <= cut + timedelta(seconds=2)
        assert mended - timedelta(seconds=2) <= gap["ts_gap_end"]
        assert set(gap["symbols"].split()) == _wanted(2, 2)[gap["line"]]
    assert stack.value("SELECT sum(polled_count) FROM ops.feed_line") > 0, "nobody asked for prices while the stream was away"
    row = stack.frame("SELECT DISTINCT ts_gap_end - ts_gap_start >= interval '25 s' AS is_long FROM ops.feed_line WHERE shard < 2")
    assert row["is_long"].to_list() == [True]
    uncovered = _symbol_gaps(stack)
    assert set(uncovered["symbol"]) == set(_SYMBOLS)
    for symbol, start, end in uncovered.iter_rows():
        own = _gaps(stack, cut).filter(pl.col("symbols").str.split(" ").list.contains(symbol))
        assert (start, end) == (own["ts_gap_start"].max(), own["ts_gap_end"].min())


def test_bars_on_both_sides_of_the_cut_are_right_and_the_first_one_says_that_its_boundary_is_unknown(
    stack: RunningStack, calm_since: datetime
) -> None:
    uncovered = _symbol_gaps(stack)
    start, end = uncovered["ts_gap_start"].min(), uncovered["ts_gap_end"].max()
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    after = end.replace(second=0, microsecond=0) + _MINUTE
    _until(lambda: datetime.now(UTC) > after + 2 * _MINUTE + timedelta(seconds=10), 200)
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    _assert_bars_are_the_vendors(stack, [(calm_since, start.replace(second=0, microsecond=0)), (after, until)])
    marked = f"SELECT count(*) FROM staging.bar_1m WHERE NOT is_continuous AND {_between(start - _MINUTE, after)}"
    assert stack.value(marked) >= 1
    _assert_bars_are_the_ticks(stack, calm_since, until)


def _between(start: datetime, end: datetime) -> str:
    return f"ts_start >= '{start.isoformat()}' AND ts_start < '{end.isoformat()}'"


def _staged(stack: RunningStack, start: datetime, end: datetime) -> pl.DataFrame:
    query = f"SELECT symbol, ts_start, {', '.join(_BARS)} FROM staging.bar_1m WHERE {_between(start, end)} ORDER BY 1, 2"
    return stack.frame(query)


def _assert_bars_are_the_vendors(stack: RunningStack, stretches: list[tuple[datetime, datetime]]) -> None:
    market = Market(load_watchlist(), seed=stack.settings.simulator_seed, hours="always")
    for start, end in stretches:
        expected = pl.concat([_traded(market, symbol, start, end) for symbol in _SYMBOLS]).sort("symbol", "ts_start")

        def is_equal(start: datetime = start, end: datetime = end, expected: pl.DataFrame = expected) -> bool:
            return _staged(stack, start, end).select(expected.columns).equals(expected)

        assert wait_until(is_equal, _CLOCK, within=timedelta(seconds=20)), _staged(stack, start, end).join(
            expected, on=["symbol", "ts_start"], how="full", suffix="_vendor"
        )


def _traded(market: Market, symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
    """The market's own updates by minute; prices as a 32-bit float tells them."""
    first, last = int(start.timestamp()), int(end.timestamp())
    blocks = [market.block(symbol, second) for second in range(block_start(first), last, BLOCK_S)]
    updates = pl.DataFrame(
        {
            "second": np.concatenate([block.seconds for block in blocks]),
            "price": np.concatenate([block.prices for block in blocks]),
            "volume": np.concatenate([block.volumes for block in blocks]),
        }
    ).filter(pl.col("second").is_between(first, last, closed="left"))
    told = [f"{np.float32(price / PRICE_SCALE):.7g}" for price in updates["price"]]
    prices = pl.Series("price", told).cast(pl.Decimal(18, 6))
    volume = pl.lit(None, pl.Int64) if symbol in _COINS else pl.col("volume")
    return _bars(updates.with_columns(prices, ms=pl.col("second") * 1000, symbol=pl.lit(symbol), volume=volume))


def _assert_bars_are_the_ticks(stack: RunningStack, start: datetime, end: datetime) -> None:
    """Recomputed from all that Kafka holds: each tick once, whichever line brought it, and however often."""
    import json

    from stock_platform_tests.topics import messages

    found = [json.loads(each.value() or b"") for each in messages(stack.settings.kafka_bootstrap, "market.ticks.v1")]
    frame = pl.DataFrame(
        {
            "symbol": [each["symbol"] for each in found],
            "ms": [each["ts_event"] for each in found],
            "price": pl.Series([each["price"] for each in found]).cast(pl.Decimal(18, 6)),
            "volume": [each["day_volume"] for each in found],
        }
    ).unique()
    bounds = [int(ts.timestamp() * 1000) for ts in (start, end)]
    expected = _bars(frame.filter(pl.col("ms").is_between(*bounds, closed="left"))).sort("symbol", "ts_start")
    assert _staged(stack, start, end).select(expected.columns).equals(expected)


def _bars(updates: pl.DataFrame) -> pl.DataFrame:
    """symbol, ms, price, volume → bars, by symbol and minute."""
    return (
        updates.sort("symbol", "ms")
        .group_by(
            "symbol",
            ts_start=pl.from_epoch(pl.col("ms") // 60_000 * 60, "s").dt.replace_time_zone("UTC").cast(pl.Datetime("us", "UTC")),
        )
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
            tick_count=pl.len().cast(pl.Int64),
            day_volume_last=pl.col("volume").max().cast(pl.Int64),
        )
        .sort("symbol", "ts_start")
    )
