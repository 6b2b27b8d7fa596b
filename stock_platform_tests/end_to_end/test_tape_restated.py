"""The half hour restated, spoilt and mended, and gone on with after a stop: what was certified is never lost or made worse."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import Producer

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.dagster_backfill import launch_backfill, look
from stock_platform_tests.running_stack import RunningStack
from stock_platform_tests.tapes import SESSION, different, expected_bars, spoil
from stock_platform_tests.topics import messages

MINUTES = 25
_FIVE_MINUTES = "SELECT * FROM aggregates.bar_5m ORDER BY symbol, ts_start"


def test_restatement_from_another_tape_changes_exactly_the_bars_concerned_and_back(
    stack: RunningStack, tape: Path, tmp_path: Path
) -> None:
    before, ts_before = stack.certified(), stack.value("SELECT clock_timestamp()")
    spoilt, refused = spoil(tape, tmp_path)
    concerned = different(expected_bars(tape, pl.DataFrame({"row": []}, schema={"row": pl.UInt32})), expected_bars(spoilt, refused))
    assert 4 <= len(concerned) <= 6

    told = restate(stack, "--tape", str(spoilt))
    assert f"certified 0 added, 0 removed, {len(concerned)} changed" in told
    assert "http://127.0.0.1" in told
    assert changed_bars(stack) == concerned

    assert f"certified 0 added, 0 removed, {len(concerned)} changed" in restate(stack)
    assert stack.certified().drop("verdict").equals(before.drop("verdict"))
    assert set(stack.certified()["verdict"]) == {"passed", "restated"}
    stored = f"SELECT * FROM market.bar_1m_as_of('{ts_before.isoformat()}') ORDER BY symbol, ts_start"
    assert stack.frame(stored).select(before.columns).equals(before)


def test_restatements_at_once_wait_for_each_other_and_find_nothing_more(stack: RunningStack) -> None:
    before = stack.certified()
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda _: restate(stack), range(2)))
    assert all("certified 0 added, 0 removed, 0 changed" in each for each in told), told
    assert stack.certified().equals(before)
    aggregated = stack.value("SELECT sum(bar_count)::bigint FROM aggregates.bar_5m")
    assert aggregated == before.height


def test_protected_session_is_not_restated(stack: RunningStack) -> None:
    assert stack.command("protect", "--session", SESSION, "--reason", "audited").returncode == 0
    refused = stack.command("restate", "--session", SESSION)
    assert (refused.returncode, "protected from restatement" in refused.stderr) == (2, True)
    assert stack.command("protect", "--session", SESSION, "--lift").returncode == 0


def restate(stack: RunningStack, *words: str) -> str:
    done = stack.command("restate", "--session", SESSION, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed_bars(stack: RunningStack) -> list[tuple[str, object]]:
    newest = "(SELECT max(restatement_id) FROM quality.restatement)"
    query = f"SELECT symbol, ts_start FROM quality.restatement WHERE restatement_id = {newest} ORDER BY symbol, ts_start"
    return stack.frame(query).rows()


def test_wrong_ticks_that_got_past_the_feed_are_held_and_a_restatement_from_the_true_tape_finds_nothing_to_mend(
    stack: RunningStack, tape: Path
) -> None:
    """Prices a hundredfold and a hundredth, a time after the close: the certified version of each bar stays."""
    before = stack.certified()
    wrong = wrong_ticks(stack)
    produce(stack, wrong)

    held = "SELECT symbol, ts_start, rules FROM quality.quarantine WHERE state = 'open' ORDER BY symbol, ts_start"
    assert wait_until(lambda: stack.frame(held).height >= len(wrong), SystemClock(), within=timedelta(seconds=120))
    rules = {(symbol, ts_start): set(rules.split(",")) for symbol, ts_start, rules in stack.frame(held).rows()}
    minutes = {(tick["symbol"], minute_of(tick)): tick for tick in wrong}
    assert rules.keys() == minutes.keys()
    assert all(("price_scale" if minute.hour < 20 else "inside_session") in rules[symbol, minute] for symbol, minute in minutes)
    assert stack.certified().equals(before)

    assert "certified 0 added, 0 removed, 0 changed" in restate(stack, "--tape", str(tape))
    assert stack.certified().drop("verdict").equals(before.drop("verdict"))
    assert stack.frame(held).filter(~pl.col("rules").str.contains("inside_session")).is_empty()


def test_batch_of_wrong_bars_is_blocked_and_its_session_held_until_it_is_mended(stack: RunningStack, tape: Path) -> None:
    """A wrong price in most minutes at once is no matter of single bars."""
    before, aggregated = stack.certified(), stack.frame(_FIVE_MINUTES)
    ticks = one_a_minute(stack, "BAC")
    assert len(ticks) == MINUTES
    produce(stack, [{**tick, "price": f"{Decimal(tick['price']) * 100:.4f}"} for tick in ticks])

    alert = "SELECT alert_name, detail, ts_cleared, cleared_by_run FROM ops.alert ORDER BY alert_id"
    assert wait_until(lambda: stack.frame(alert).height == 1, SystemClock(), within=timedelta(seconds=120))
    assert "quarantine_share" in stack.value("SELECT detail FROM ops.alert")
    assert "quarantine_share" in stack.status()["data"]["alerts"]
    assert stack.certified().equals(before)
    assert backfilled(stack, "aggregates.bar_5m") == "COMPLETED_FAILED"
    assert stack.frame(_FIVE_MINUTES).equals(aggregated)

    restate(stack, "--tape", str(tape))

    assert stack.frame(alert)["ts_cleared"].null_count() == 0
    assert stack.certified().drop("verdict").equals(before.drop("verdict"))
    assert backfilled(stack, "aggregates.bar_5m") == "COMPLETED_SUCCESS"
    assert stack.frame(_FIVE_MINUTES).equals(aggregated)


def backfilled(stack: RunningStack, table: str) -> str:
    """How a backfill of the session's partition ends, asked for as the UI does."""
    address = stack.settings.dagster_address
    backfill_id = launch_backfill(address, [table], [SESSION], config={}, tags={})
    assert wait_until(
        lambda: look(address, backfill_id).has_ended, SystemClock(), within=timedelta(seconds=180), every=timedelta(seconds=2)
    )
    return look(address, backfill_id).status


def wrong_ticks(stack: RunningStack) -> list[dict[str, Any]]:
    """Copies of five of the topic's own ticks, each with one thing wrong."""
    factors = (Decimal(100), Decimal("0.01"), Decimal(100), Decimal(1), Decimal(100))
    ticks = one_a_minute(stack, "IBM")[5:10]
    spoilt = [{**tick, "price": f"{Decimal(tick['price']) * by:.4f}"} for tick, by in zip(ticks, factors, strict=True)]
    spoilt[3]["ts_event"] += 7 * 3_600_000
    return spoilt


def one_a_minute(stack: RunningStack, symbol: str) -> list[dict[str, Any]]:
    """The topic's first tick of each of the symbol's minutes that no restatement has taken over."""
    query = f"SELECT ts_start FROM staging.bar_1m WHERE restatement_id IS NULL AND symbol = '{symbol}' ORDER BY ts_start"
    minutes = stack.frame(query)["ts_start"].to_list()
    found = messages(stack.settings.kafka_bootstrap, "market.ticks.v1")
    of_symbol = [json.loads(message.value() or b"") for message in found if message.key() == symbol.encode()]
    return [next(tick for tick in of_symbol if minute_of(tick) == minute) for minute in minutes]


def minute_of(tick: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(tick["ts_event"] // 60_000 * 60, UTC)


def produce(stack: RunningStack, ticks: list[dict[str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": stack.settings.kafka_bootstrap})
    for tick in ticks:
        key, ts = tick["symbol"].encode(), tick["ts_event"]
        producer.produce("market.ticks.v1", json.dumps(tick).encode(), key=key, timestamp=ts)
    assert producer.flush(10) == 0


def test_down_and_up_go_on_from_a_savepoint(stack: RunningStack, tape: Path) -> None:
    before = stack.certified()
    stopped = stack.command("down")
    assert "stopped with savepoint-" in stopped.stderr, stopped.stderr

    started = stack.command("up", "--feed", "tape", "--tape", str(tape), "--speed", "60", "--wait")

    assert started.returncode == 0, started.stderr
    query = "SELECT restored_from FROM ops.flink_job WHERE state = 'RUNNING'"
    assert wait_until(
        lambda: "savepoint-" in str(stack.frame(query)["restored_from"].to_list()), SystemClock(), within=timedelta(seconds=60)
    )
    assert stack.certified().equals(before)
    assert stack.status()["data"]["torn_bar_count"] == 0
