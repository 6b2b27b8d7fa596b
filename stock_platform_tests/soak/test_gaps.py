"""What must be true of the gap ledger: an outage of four minutes, a halt, an idle symbol and a bar that was never made have one row
each, of the right class; what can be repaired is, by a run that Dagster knows, and the bars are the vendor's.

The simulator's own history is the vendor's; ticks whose bar is lost come from Kafka."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pytest
import yaml

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import connect
from stock_platform.feed.watchlist import DEFAULT_PATH
from stock_platform_tests.running_stack import RunningStack, running_stack

_CLOCK = SystemClock()
_MINUTE = timedelta(minutes=1)
_SYMBOLS = ("AAPL", "MSFT", "JPM", "SPY", "BTC-USD")
_HALTED, _IDLE = "SPY", "JPM"
_OUTAGE_S = 240
_SCENARIO = f"faults:\n  - {{kind: halt, symbols: [{_IDLE}], start: 2026-01-01T00:00:00Z}}\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One line, a tick a second of each symbol but one; gaps are repaired as soon as they can be."""
    folder = tmp_path_factory.mktemp("watchlist")
    path, scenario = folder / "watchlist.yaml", folder / "scenario.yaml"
    scenario.write_text(_SCENARIO)
    document = yaml.safe_load(DEFAULT_PATH.read_text())
    document["instruments"] = [each for each in document["instruments"] if each["symbol"] in _SYMBOLS]
    document["lines"] = {"shards": 1, "redundancy": 1}
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    patch = pytest.MonkeyPatch()
    patch.setenv("STOCK_PLATFORM_GAP_REPAIR_AFTER_S", "20")
    patch.setenv("STOCK_PLATFORM_SIMULATOR_RATE", "full")
    patch.setenv("STOCK_PLATFORM_SIMULATOR_SCENARIO", str(scenario))
    try:
        with running_stack(tmp_path_factory.mktemp("data"), "--feed", "simulator", "--watchlist", str(path)) as running:
            yield running
    finally:
        patch.undo()


def _until(condition: Any, within_s: float) -> None:
    assert wait_until(condition, _CLOCK, within=timedelta(seconds=within_s), every=timedelta(seconds=1))


def _fault(stack: RunningStack, **fault: object) -> None:
    answer = httpx.post(f"http://127.0.0.1:{stack.settings.simulator_http_port}/control/faults", json=fault)
    assert answer.status_code == 201, answer.text


def _ledger(stack: RunningStack) -> pl.DataFrame:
    columns = "symbol, ts_start, ts_end, minute_count, gap_class, state, evidence, closed_by_run, closed_reason, attempt_count"
    return stack.frame(f"SELECT {columns} FROM quality.gap ORDER BY symbol, ts_start")


def _closed_until(stack: RunningStack) -> datetime:
    found = stack.value("SELECT max(closed_until) FROM quality.gate_run")
    return found or datetime(1970, 1, 1, tzinfo=UTC)


def _succeeded(stack: RunningStack, run_id: str) -> tuple[str, str]:
    """Job and status of a run, as Dagster's own page says."""
    query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { jobName status } } }"
    asked = {"query": query, "variables": {"id": run_id}}
    found = httpx.post(f"{stack.settings.dagster_address}/graphql", json=asked, timeout=30).json()["data"]["runOrError"]
    return found["jobName"], found["status"]


def _repairs_under_way(stack: RunningStack) -> int:
    """A run closes the ledger before it has made the aggregates."""
    query = '{ runsOrError(filter: {pipelineName: "repair_gap", statuses: [STARTED]}) { ... on Runs { results { runId } } } }'
    found = httpx.post(f"{stack.settings.dagster_address}/graphql", json={"query": query}, timeout=30).json()
    return len(found["data"]["runsOrError"]["results"])


def test_outage_halt_and_lost_bar_stand_in_the_ledger_and_what_can_be_repaired_is(stack: RunningStack) -> None:
    full = "SELECT count(DISTINCT symbol) FROM market.bar_1m"
    _until(lambda: stack.value(full) == len(_SYMBOLS) - 1, 240)
    assert set(_ledger(stack)["symbol"]) <= {_IDLE}, "nothing else is missing before anything is broken"

    halted = _halt_for_a_minute(stack)
    lost = _lose_a_bar(stack, "MSFT")
    _until(lambda: datetime.now(UTC) > halted + _MINUTE + timedelta(seconds=5), 120)
    cut = _cut_every_line(stack)
    _until(lambda: _closed_until(stack) >= cut + timedelta(seconds=_OUTAGE_S + 60), _OUTAGE_S + 150)
    is_waited_for = (pl.col("state") == "open") & (pl.col("symbol") != _IDLE)
    is_closed = wait_until(lambda: _ledger(stack).filter(is_waited_for).is_empty(), _CLOCK, within=4 * _MINUTE, every=_MINUTE / 30)
    _until(lambda: _repairs_under_way(stack) == 0, 60)

    ledger = _ledger(stack)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=250, fmt_str_lengths=80):
        print(ledger)
    assert is_closed
    _assert_halt(ledger, halted)
    _assert_outage(stack, ledger, cut)
    _assert_lost_bar(stack, ledger, lost)
    _assert_idle(ledger)
    minutes = "SELECT count(*) FROM market.bar_1m AS bar JOIN quality.gap AS gap ON gap.symbol = bar.symbol "
    where = "WHERE bar.ts_start >= gap.ts_start AND bar.ts_start < gap.ts_end AND gap.state <> 'repaired'"
    assert stack.value(minutes + where) == 0, "a minute has a bar or is in the ledger, never both"
    answer = httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/stocks/{_HALTED}/gaps").json()
    assert answer["symbol"] == _HALTED
    assert {each["gap_class"] for each in answer["items"]} == set(ledger.filter(pl.col("symbol") == _HALTED)["gap_class"])


def _halt_for_a_minute(stack: RunningStack) -> datetime:
    """Start of the minute in which nothing of the symbol is traded."""
    start = datetime.now(UTC).replace(second=0, microsecond=0) + _MINUTE
    if start - datetime.now(UTC) < timedelta(seconds=5):
        start += _MINUTE
    begin = (start - timedelta(seconds=2)).isoformat()
    _fault(stack, kind="halt", symbols=[_HALTED], start=begin, duration_s=64)
    return start


def _lose_a_bar(stack: RunningStack, symbol: str) -> datetime:
    """A certified bar, not the first, is gone from staging and market, as if it had never been made; its ticks are in Kafka."""
    _until(lambda: stack.value(f"SELECT count(*) FROM market.bar_1m WHERE symbol = '{symbol}'") > 1, 120)
    lost = stack.value(f"SELECT max(ts_start) FROM market.bar_1m WHERE symbol = '{symbol}'")
    with connect(stack.settings.dsn("admin")) as connection:
        connection.execute("DELETE FROM staging.bar_1m WHERE symbol = %s AND ts_start = %s", (symbol, lost))
        connection.execute("DELETE FROM market.bar_1m WHERE symbol = %s AND ts_start = %s", (symbol, lost))
    return lost


def _cut_every_line(stack: RunningStack) -> datetime:
    """Nothing is heard for the time of the outage, by stream or by polling."""
    _fault(stack, kind="refuse", duration_s=_OUTAGE_S)
    _fault(stack, kind="status", status=503, path="/v7", duration_s=_OUTAGE_S)
    _fault(stack, kind="cut", code="abort")
    return datetime.now(UTC)


def _assert_halt(ledger: pl.DataFrame, halted: datetime) -> None:
    rows = ledger.filter(pl.col("gap_class") == "halt")
    assert rows["symbol"].to_list() == [_HALTED]
    row = rows.row(0, named=True)
    assert (row["state"], row["closed_by_run"]) == ("explained", None)
    assert (row["ts_start"], row["minute_count"]) == (halted, 1)
    assert "while 3 of 4 peers of 24/7 traded" in row["evidence"]
    assert "A halt is inferred: the feed has no message for it." in row["evidence"]


def _assert_outage(stack: RunningStack, ledger: pl.DataFrame, cut: datetime) -> None:
    """Each symbol has one row; one run has closed them all, and each minute of them has the vendor's bar."""
    rows = ledger.filter(pl.col("gap_class") == "feed_gap")
    heard = rows.filter(pl.col("symbol") != _IDLE)
    assert heard["symbol"].to_list() == sorted(set(_SYMBOLS) - {_IDLE})
    assert set(heard["state"]) == {"repaired"}
    assert all(cut - _MINUTE <= start <= cut + _MINUTE for start in heard["ts_start"])
    assert all(count in (3, 4, 5) for count in heard["minute_count"])
    (run_id,) = set(heard["closed_by_run"])
    assert _succeeded(stack, run_id) == ("repair_gap", "SUCCESS")
    unheard = stack.frame(
        "SELECT symbol, min(ts_gap_start) AS since, max(ts_gap_end) AS until FROM ops.symbol_gap GROUP BY 1", "admin"
    )
    for symbol, since, until in unheard.filter(pl.col("symbol") != _IDLE).iter_rows():
        where = f"symbol = '{symbol}' AND ts_end > '{since}' AND ts_start < '{until}'"
        verdicts = stack.frame(f"SELECT DISTINCT verdict, dagster_run_id FROM market.bar_1m WHERE {where}")
        assert verdicts.rows() == [("vendor", run_id)], f"{symbol}: also the minutes of which some ticks were heard"


def _assert_idle(ledger: pl.DataFrame) -> None:
    """A symbol that never traded: nothing says that this is unusual; what nobody heard is told apart from it, and asked for again
    while the vendor's history does not go beyond it."""
    rows = ledger.filter(pl.col("symbol") == _IDLE)
    assert set(rows["gap_class"]) <= {"no_trade", "feed_gap"}
    assert "no_trade" in set(rows["gap_class"])
    assert set(rows.filter(pl.col("state") == "open")["gap_class"]) <= {"feed_gap"}


def _assert_lost_bar(stack: RunningStack, ledger: pl.DataFrame, lost: datetime) -> None:
    rows = ledger.filter(pl.col("gap_class") == "pipeline_gap")
    assert rows.select("symbol", "ts_start", "minute_count", "state").rows() == [("MSFT", lost, 1, "repaired")]
    run_id = rows["closed_by_run"][0]
    assert _succeeded(stack, run_id) == ("repair_gap", "SUCCESS")
    found = stack.frame(f"SELECT verdict, dagster_run_id FROM market.bar_1m WHERE symbol = 'MSFT' AND ts_start = '{lost}'")
    assert found.rows() == [("restated", run_id)]
