"""A recorded half hour through the whole platform: tape → Kafka → Flink → gate → aggregates → API, and what people see of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
from confluent_kafka import Producer

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.code_version import code_version
from stock_platform.adapters.dagster_api import ask
from stock_platform.adapters.postgres import connect
from stock_platform.aggregates.coarser import PRICE
from stock_platform.commands.passport import passport_of, verified
from stock_platform.config import ROOT
from stock_platform.defs.aggregate_registry import EVERY_RUN, PROVENANCE
from stock_platform_tests.grafana import queries, sent
from stock_platform_tests.running_stack import RunningStack
from stock_platform_tests.tapes import SESSION, expected_bars, refused_rows
from stock_platform_tests.topics import messages

MINUTES = 25


def test_certified_bars_equal_a_recomputation_from_the_accepted_trades(stack: RunningStack, tape: Path) -> None:
    expected = expected_bars(tape, refused_rows(stack.settings.kafka_bootstrap)).with_columns(
        pl.col("open", "high", "low", "close").cast(PRICE), pl.col("ts_start").cast(pl.Datetime("us", "UTC"))
    )
    certified = stack.certified().select(expected.columns).with_columns(pl.col("open", "high", "low", "close").cast(PRICE))

    assert certified.equals(expected.cast(dict(certified.schema)))
    counts = certified.group_by("symbol").len().sort("symbol").rows()
    assert counts == [(symbol, MINUTES) for symbol in ("AIG", "BAC", "IBM", "SPY")]


def test_every_bar_names_its_run_its_job_and_its_offsets(stack: RunningStack) -> None:
    runs = stack.frame(
        "SELECT DISTINCT bar.dagster_run_id FROM market.bar_1m AS bar "
        "LEFT JOIN quality.check_result AS result ON result.dagster_run_id = bar.dagster_run_id "
        "WHERE result.dagster_run_id IS NULL OR bar.flink_job_id = '' OR bar.kafka_offset_last < bar.kafka_offset_first"
    )
    assert runs.is_empty()


def test_passport_of_every_symbol_s_bars_is_verified_against_their_offsets(stack: RunningStack) -> None:
    bars = stack.frame("SELECT symbol, ts_start FROM market.bar_1m WHERE extract(MINUTE FROM ts_start)::int % 5 = 0 ORDER BY 1, 2")
    assert bars.group_by("symbol").len().sort("symbol").rows() == [(symbol, 5) for symbol in ("AIG", "BAC", "IBM", "SPY")]
    for symbol, ts_start in bars.rows():
        found = passport_of(stack.settings, symbol, ts_start)
        checked = verified(stack.settings, found)
        assert [field for field in checked.fields if not field.is_equal] == [], (symbol, ts_start)
        assert (found.gate_run.code_version or "")[:40] == code_version(ROOT)[:40]
        assert found.revisions[-1] == found.current
        assert found.gate_run.checks


def test_passport_is_the_same_by_command_and_api(stack: RunningStack) -> None:
    done = stack.command("passport", "SPY", "2013-10-07T13:30Z", "--verify", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("verification")["is_equal"]
    answer = httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/stocks/SPY/bars/2013-10-07T13:30:00Z/passport").json()
    assert {**answer, "flink_job": None} == {**told, "flink_job": None}, "but for the checkpoint, which goes on"
    assert (
        answer["gate_run"]["url"] == f"http://127.0.0.1:{stack.settings.dagster_port}/runs/{answer['gate_run']['dagster_run_id']}"
    )


def test_aggregates_hold_the_whole_session(stack: RunningStack) -> None:
    day = stack.frame("SELECT symbol, bar_count, volume FROM aggregates.bar_1d ORDER BY symbol")
    minutes = stack.frame(
        "SELECT symbol, count(*) AS bar_count, sum(volume)::bigint AS volume FROM market.bar_1m GROUP BY 1 ORDER BY 1"
    )
    assert day.rows() == minutes.rows()
    assert stack.value("SELECT count(*) FROM aggregates.bar_5m") == 4 * MINUTES // 5


def test_status_says_that_all_is_healthy(stack: RunningStack) -> None:
    status = stack.status()
    assert status["healthy"], status
    assert status["data"]["feed"] == "tape"
    assert status["data"]["certified_bar_count"] == 4 * MINUTES


def test_second_up_starts_nothing_anew(stack: RunningStack, tape: Path) -> None:
    from stock_platform.adapters.processes import Supervisor

    before = {name: process.pid for name, process in Supervisor(stack.settings.home).processes().items()}
    assert stack.command("up", "--feed", "tape", "--tape", str(tape), "--speed", "60").returncode == 0
    assert {name: process.pid for name, process in Supervisor(stack.settings.home).processes().items()} == before


def test_rubbish_in_the_topic_becomes_dead_letters_and_changes_no_bar(stack: RunningStack) -> None:
    before = stack.certified()
    samples = [b"", b"{", b"[]", b'{"symbol":"SPY"}', b'{"symbol":7}', b"\xff\xfe", b'{"symbol":"SPY","price":"NaN"}', b"null"]
    producer = Producer({"bootstrap.servers": stack.settings.kafka_bootstrap})
    for number in range(1000):
        producer.produce("market.ticks.v1", samples[number % len(samples)], key=b"SPY")
    assert producer.flush(30) == 0

    def dead() -> list[dict[str, object]]:
        found = messages(stack.settings.kafka_bootstrap, "market.ticks.dlq.v1")
        letters = (json.loads(message.value() or b"{}") for message in found)
        return [letter for letter in letters if letter["kafka_offset"] is not None]

    assert wait_until(lambda: len(dead()) >= 1000, SystemClock(), within=timedelta(seconds=60), every=timedelta(seconds=1))
    letters = dead()
    assert len({(letter["kafka_partition"], letter["kafka_offset"]) for letter in letters}) == 1000
    assert all(letter["reason"] for letter in letters)
    assert stack.certified().equals(before)
    assert stack.value("SELECT state FROM ops.flink_job") == "RUNNING"


def test_api_serves_the_bars_with_their_verdict(stack: RunningStack) -> None:
    api = f"http://127.0.0.1:{stack.settings.api_port}"
    answer = httpx.get(f"{api}/stocks/SPY/bars", params={"start": "2013-10-07T13:30:00Z", "end": "2013-10-07T13:55:00Z"}).json()
    stored = stack.frame("SELECT close::text FROM market.bar_1m WHERE symbol = 'SPY' ORDER BY ts_start")["close"]
    assert [float(bar["close"]) for bar in answer["items"]] == [float(close) for close in stored]
    assert {bar["verdict"] for bar in answer["items"]} == {"passed"}
    assert all(bar["is_certified"] for bar in answer["items"])
    status = httpx.get(f"{api}/market/status").json()
    assert (status["feed"]["kind"], status["feed"]["state"]) == ("tape", "ended")


def test_page_is_served_with_the_api_behind_it(stack: RunningStack) -> None:
    page = f"http://127.0.0.1:{stack.settings.frontend_port}"
    assert '<div id="root">' in httpx.get(page).text
    assert len(httpx.get(f"{page}/stocks").json()["items"]) == 4


def test_lineage_reads_from_the_vendor_to_the_dashboard(stack: RunningStack) -> None:
    query = "{ assetNodes { assetKey { path } dependencyKeys { path } } }"
    nodes = ask(stack.settings.dagster_address, "lineage", query)["assetNodes"]
    upstream = {"/".join(node["assetKey"]["path"]): {"/".join(key["path"]) for key in node["dependencyKeys"]} for node in nodes}

    reached, frontier = set(), {"grafana/market-overview", "page/watchlist"}
    while frontier:
        reached |= frontier
        frontier = set().union(*(upstream[key] for key in frontier)) - reached
    assert {"feed/vendor", "kafka/market/ticks/v1", "flink/ticks_to_bars", "staging/bar_1m", "market/bar_1m"} <= reached


def test_command_backfill_mends_one_symbol_and_then_all_of_a_session_in_one_run(stack: RunningStack) -> None:
    before = contents(stack)
    spoil_aggregates(stack, "SPY", "IBM")
    told = stack.command("backfill", "--from", SESSION, "--to", SESSION, "--symbols", "SPY")
    assert told.returncode == 0, told.stderr
    wrong = stack.frame("SELECT DISTINCT symbol FROM aggregates.bar_15m WHERE volume = 7")
    assert wrong["symbol"].to_list() == ["IBM"]

    told = stack.command("backfill", "--from", SESSION, "--to", SESSION)
    assert told.returncode == 0, told.stderr
    assert "partitions made, 1 run" in told.stdout
    assert contents(stack) == before


def test_command_backfill_says_what_it_cannot_do(stack: RunningStack) -> None:
    none = stack.command("backfill", "--from", "2001-01-02", "--to", "2001-01-05")
    unknown = stack.command("backfill", "--from", SESSION, "--to", SESSION, "--symbols", "SPY,NOSUCH")
    assert (none.returncode, unknown.returncode) == (2, 2)
    assert "No session from 2001-01-02 to 2001-01-05 has certified bars; there are certified bars from 2013-10-07" in none.stderr
    assert "Not watched: NOSUCH; expected some of AIG, BAC, IBM, SPY" in unknown.stderr


def contents(stack: RunningStack) -> dict[str, list[tuple[object, ...]]]:
    """What every table of a gate run says of the session, but for who wrote it when."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for aggregate in EVERY_RUN:
        names = [name for name in aggregate.record.names if name not in PROVENANCE]
        found[aggregate.record.address] = sorted(
            stack.frame(f"SELECT {', '.join(names)} FROM {aggregate.record.address}").rows(), key=repr
        )
    return found


def spoil_aggregates(stack: RunningStack, *symbols: str) -> None:
    """Wrong rows without that a bar has changed: no gate run would find them."""
    with connect(stack.settings.dsn("admin")) as connection:
        connection.execute("UPDATE aggregates.bar_15m SET volume = 7 WHERE symbol = ANY (%s)", (list(symbols),))


def test_dashboards_of_the_replayed_day_have_rows(stack: RunningStack) -> None:
    """Of what a replay without a fault has; every query over every table: integration/test_grafana.py."""
    end = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)
    shown = {
        "market-overview": {
            "Quotes",
            "Change since the first bar shown",
            "Session statistics",
            "Certified bars per minute",
            "Verdicts",
        },
        "symbol": {"$symbol", "Volume", "Close against VWAP", "Sessions"},
        "data-quality": {"Verdicts"},
        "pipeline-health": {"Stream job", "Feed lines"},
    }
    for query in queries():
        if query.title in shown.get(query.place, ()):
            rows = stack.frame(sent(query, end=end, symbols=("SPY", "IBM")), role="grafana_reader")
            assert rows.height > 0, str(query)
