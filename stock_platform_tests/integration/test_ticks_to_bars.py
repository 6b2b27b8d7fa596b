"""The stream job on real Kafka, Flink and Postgres: shuffled, repeated and broken messages, and processes killed midway.

Expected values: recomputed here in plain Python from what Kafka holds; no code of the job or of its functions."""

import base64
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from stock_platform.contracts.flink_ddl import JOB
from stock_platform_tests.integration.jvm import Cluster, require

TICKS, DEAD, QUOTES = "market.ticks.v1", "market.ticks.dlq.v1", "market.quotes.v1"
OPEN_MS = 1_381_152_600_000
"""2013-10-07 09:30 New York."""
SYMBOLS = ("AIG", "BAC", "IBM", "SPY", "BTC-USD", "EURUSD=X")
TICKS_PER_SYMBOL = 900
RUBBISH_COUNT = 1_000

Fields = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What was in Kafka and what came out."""

    ticks: list[tuple[Fields, int, int]]
    rubbish: dict[tuple[int, int], str]
    bars: list[tuple[Any, ...]]
    quotes: list[tuple[Any, ...]]


def good_ticks(rng: random.Random) -> list[Fields]:
    """Two hours of ticks with ties in every part of the order; one symbol trades without volume."""
    ticks: list[Fields] = []
    for symbol in SYMBOLS:
        day_volume = 0
        for number in range(TICKS_PER_SYMBOL):
            day_volume += rng.choice((0, 0, 100, 250))
            event = OPEN_MS - 600_000 + number * 8_000 + rng.randrange(3) * 1_000
            ticks.append(tick(symbol, number, event, None if symbol == "EURUSD=X" else day_volume, rng))
    return ticks


def tick(symbol: str, number: int, event: int, day_volume: int | None, rng: random.Random) -> Fields:
    """One message as the feed writes it."""
    price = Decimal(rng.randrange(16_700, 16_900)) / 100
    return {
        "symbol": symbol,
        "price": str(price),
        "day_volume": day_volume,
        "size": None,
        "ts_event": event,
        "ts_recv": event + rng.randrange(500),
        "session_phase": "pre" if event < OPEN_MS else "regular",
        "currency": "USD",
        "previous_close": None if symbol == "BTC-USD" else "167.43",
        "source": "tape",
        "line": "line-0",
        "line_seq": number,
        "tick_id": f"{symbol}-{number}",
        "is_suspect": False,
        "is_continuous": number % 200 != 0,
    }


def rubbish(rng: random.Random) -> list[tuple[bytes | None, str]]:
    """Broken messages, each with the reason that is expected; they belong to bars that exist, so that none may change."""
    event = OPEN_MS + rng.randrange(3_600_000)

    def spoilt(**changes: object) -> bytes:
        return json.dumps(tick("SPY", 1, event, 10, rng) | changes).encode()

    def without(name: str) -> bytes:
        return json.dumps({key: value for key, value in tick("SPY", 1, event, 10, rng).items() if key != name}).encode()

    return [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff\xfe\x00rubbish", "bad_json"),
        (b"\xff" + rng.randbytes(990_000), "bad_json"),
        (b'{"symbol": "SPY", ', "bad_json"),
        (b"[]", "bad_json"),
        (b"<html>429 Too Many Requests</html>", "bad_json"),
        (spoilt(price=float("nan")), "bad_json"),
        (spoilt(price="NaN"), "bad_price"),
        (spoilt(price=168.9), "bad_price"),
        (spoilt(price="-168.9"), "bad_price"),
        (spoilt(price="1e999999999"), "bad_price"),
        (spoilt(ts_event="yesterday"), "bad_time"),
        (spoilt(ts_event=OPEN_MS // 1000), "bad_time"),
        (spoilt(day_volume="many"), "bad_quantity"),
        (spoilt(symbol="SPY\0"), "bad_text"),
        (spoilt(session_phase="lunch"), "bad_session_phase"),
        (spoilt(is_continuous="yes"), "bad_flag"),
        (spoilt(symbol=None), "missing_field:symbol"),
        (without("price"), "missing_field:price"),
        (without("ts_event"), "missing_field:ts_event"),
    ]


def messages(rng: random.Random) -> list[tuple[bytes | None, str | None]]:
    """All messages in the order in which they are sent: shuffled, every tenth tick twice, rubbish in between."""
    ticks = good_ticks(rng)
    repeats = [item | {"ts_recv": item["ts_recv"] + 7, "is_continuous": True} for item in rng.sample(ticks, len(ticks) // 10)]
    sent: list[tuple[bytes | None, str | None]] = [(json.dumps(item).encode(), None) for item in ticks + repeats]
    while len(sent) < len(ticks) + len(repeats) + RUBBISH_COUNT:
        sent += rubbish(rng)
    rng.shuffle(sent)
    return sent


def produce(cluster: Cluster, batch: list[tuple[bytes | None, str | None]], *, ts_kafka: datetime | None = None) -> None:
    """Send; the expected reason of a broken message travels in a header, which the job does not read.

    Args:
        ts_kafka: Time of the records; None: now.
    """
    epoch_ms = int(ts_kafka.timestamp() * 1000) if ts_kafka else 0
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True})
    for number, (value, reason) in enumerate(batch):
        key = json.loads(value)["symbol"] if value and not reason else f"rubbish-{number}"
        producer.produce(TICKS, value, key, headers=[("reason", reason.encode())] if reason else [], timestamp=epoch_ms)
        producer.poll(0)
    assert producer.flush(30) == 0


BAR_QUERY = """
SELECT
    symbol, extract(EPOCH FROM ts_start)::bigint * 1000, extract(EPOCH FROM ts_end)::bigint * 1000, open, high, low, close,
    tick_count, (extract(EPOCH FROM ts_first_tick) * 1000)::bigint, (extract(EPOCH FROM ts_last_tick) * 1000)::bigint,
    day_volume_first, day_volume_last, price_first, notional_inside, source, kafka_partition, kafka_offset_first,
    kafka_offset_last, is_continuous
FROM staging.bar_1m
ORDER BY symbol, ts_start
"""
QUOTE_QUERY = """
SELECT symbol, price, previous_close, change_pct, day_volume, (extract(EPOCH FROM ts_event) * 1000)::bigint,
    (extract(EPOCH FROM ts_recv) * 1000)::bigint, session_phase, source
FROM market.quote
ORDER BY symbol
"""


def outcome(cluster: Cluster) -> Outcome:
    """Wait until the job has committed everything, then read both ends at once."""
    require(lambda: cluster.is_caught_up(), "the job has committed every message", within_s=150)
    bars, quotes = cluster.read_rows(BAR_QUERY), cluster.read_rows(QUOTE_QUERY)
    ticks: list[tuple[Fields, int, int]] = []
    broken: dict[tuple[int, int], str] = {}
    for message in cluster.read_topic(TICKS):
        place = (message.partition() or 0, message.offset() or 0)
        headers = dict(message.headers() or [])
        if "reason" in headers:
            broken[place] = headers["reason"].decode()  # type: ignore[union-attr]
        else:
            ticks.append((json.loads(message.value() or b""), *place))
    return Outcome(ticks, broken, bars, quotes)


def expected_bars(ticks: list[tuple[Fields, int, int]]) -> list[tuple[Any, ...]]:
    """Bars recomputed minute by minute."""
    minutes: dict[tuple[str, int], list[tuple[Fields, int, int]]] = defaultdict(list)
    for item in ticks:
        if item[0]["session_phase"] == "regular":
            minutes[item[0]["symbol"], item[0]["ts_event"] // 60_000 * 60_000].append(item)
    return [expected_bar(*key, minutes[key]) for key in sorted(minutes)]


def expected_bar(symbol: str, start: int, items: list[tuple[Fields, int, int]]) -> tuple[Any, ...]:
    """One bar, as the contract words it."""
    flags: dict[tuple[int, int, Decimal], bool] = defaultdict(bool)
    for fields, _, _ in items:
        volume = -1 if fields["day_volume"] is None else fields["day_volume"]
        flags[volume, fields["ts_event"], Decimal(fields["price"])] |= fields["is_continuous"]
    by_volume = sorted(flags)
    by_time = sorted(by_volume, key=lambda identity: (identity[1], identity[0], identity[2]))
    sized = [identity for identity in by_volume if identity[0] >= 0]
    notional = sum((after[2] * (after[0] - before[0]) for before, after in pairwise(sized)), Decimal(0))
    prices = [identity[2] for identity in by_volume]
    return (
        *(symbol, start, start + 60_000, by_time[0][2], max(prices), min(prices), by_time[-1][2], len(by_volume)),
        *(by_time[0][1], by_time[-1][1]),
        *((sized[0][0], sized[-1][0], sized[0][2], notional) if sized else (None, None, None, None)),
        *("tape", min(item[1] for item in items), min(item[2] for item in items), max(item[2] for item in items)),
        flags[by_volume[0]],
    )


def expected_quotes(ticks: list[tuple[Fields, int, int]]) -> list[tuple[Any, ...]]:
    """Newest tick of each symbol; among repeats the one received first."""
    newest: dict[str, tuple[Any, ...]] = {}
    for fields, _, _ in ticks:
        volume = -1 if fields["day_volume"] is None else fields["day_volume"]
        rank = (fields["ts_event"], volume, Decimal(fields["price"]), -fields["ts_recv"])
        if fields["symbol"] not in newest or rank > newest[fields["symbol"]][0]:
            newest[fields["symbol"]] = (rank, fields)
    return [quote_row(newest[symbol][1]) for symbol in sorted(newest)]


def quote_row(fields: Fields) -> tuple[Any, ...]:
    """A tick as a row of market.quote."""
    price = Decimal(fields["price"])
    close = Decimal(fields["previous_close"]) if fields["previous_close"] else None
    change = ((price / close - 1) * 100).quantize(Decimal("1e-6"), ROUND_HALF_UP) if close else None
    times = (fields["ts_event"], fields["ts_recv"])
    return (fields["symbol"], price, close, change, fields["day_volume"], *times, fields["session_phase"], fields["source"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for the file."""
    with Cluster(Path(tmp_path_factory.mktemp("stream"))) as started:
        yield started


@pytest.fixture(scope="module")
def after_worker_death(cluster: Cluster) -> Outcome:
    """Half of the messages, kill -9 of the TaskManager after a checkpoint, the other half, a new TaskManager."""
    job_id = cluster.submit()
    batch = messages(random.Random(5))
    half = len(batch) // 2
    produce(cluster, batch[:half])
    require(lambda: cluster.read_rows("SELECT count(*) FROM staging.bar_1m") > [(100,)], "bars have come")
    require(lambda: cluster.rest.job(job_id).checkpoint is not None, "a checkpoint is complete")
    cluster.taskmanager.kill()
    produce(cluster, batch[half:])
    cluster.taskmanager.start()
    require(lambda: cluster.rest.job(job_id).ts_restarted is not None, "the job has noticed the death")
    return outcome(cluster)


def test_task_manager_kill_loses_and_doubles_no_bar(after_worker_death: Outcome) -> None:
    expected = expected_bars(after_worker_death.ticks)
    assert len(expected) > 600
    assert after_worker_death.bars == expected


def test_quotes_are_the_newest_ticks_in_any_order_of_arrival(after_worker_death: Outcome) -> None:
    assert after_worker_death.quotes == expected_quotes(after_worker_death.ticks)


def test_each_rubbish_message_is_a_dead_letter_with_its_reason_and_bytes(cluster: Cluster, after_worker_death: Outcome) -> None:
    originals = {(message.partition(), message.offset()): message for message in cluster.read_topic(TICKS)}
    reasons: dict[tuple[int, int], str] = {}
    for message in cluster.read_topic(DEAD):
        letter = json.loads(message.value() or b"")
        place = (letter["kafka_partition"], letter["kafka_offset"])
        reasons[place] = letter["reason"]
        assert letter["kafka_topic"] == TICKS
        assert base64.b64decode(letter["payload_base64"]) == (originals[place].value() or b"")
        assert letter["ts_dead"] == originals[place].timestamp()[1]
    assert len(reasons) >= RUBBISH_COUNT
    assert reasons == after_worker_death.rubbish


def test_every_good_tick_is_announced_with_its_symbol_as_key(cluster: Cluster, after_worker_death: Outcome) -> None:
    announced: set[tuple[Any, ...]] = set()
    for message in cluster.read_topic(QUOTES):
        quote = json.loads(message.value() or b"")
        assert (message.key() or b"").decode() == quote["symbol"]  # type: ignore[union-attr]
        announced.add((quote["symbol"], quote["ts_event"], quote["day_volume"], Decimal(quote["price"]), quote["ts_recv"]))
    assert announced == {
        (tick["symbol"], tick["ts_event"], tick["day_volume"], Decimal(tick["price"]), tick["ts_recv"])
        for tick, _, _ in after_worker_death.ticks
    }


def test_job_manager_kill_and_resubmission_lose_and_double_no_bar(cluster: Cluster, after_worker_death: Outcome) -> None:
    before = cluster.rest.running_job(JOB)
    cluster.jobmanager.kill()
    cluster.jobmanager.start()
    require(lambda: cluster.rest.slots_problem() is None, "the TaskManager has found the new JobManager")
    more = [tick("SPY", 10_000 + n, OPEN_MS + n, 10**6 + n, random.Random(n)) for n in range(50)]
    produce(cluster, [(json.dumps(fields).encode(), None) for fields in more])

    job_id = cluster.submit()

    assert job_id != before
    assert cluster.submit() == job_id
    after = outcome(cluster)
    assert after.bars == expected_bars(after.ticks)
    assert len(after.ticks) == len(after_worker_death.ticks) + 50
    unchanged = cluster.read_rows(f"SELECT count(*) FROM staging.bar_1m WHERE flink_job_id = '{before}'")
    assert unchanged == [(len(after.bars) - 1,)], "the job started from its state, so that it rewrote only what changed"
