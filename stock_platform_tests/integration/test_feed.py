"""The feed against a real broker: every tick of a tape once, whatever is killed; a stream's ticks as the contract says."""

import json
import multiprocessing
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer, ensure_topics, market_topics, partition_of
from stock_platform.adapters.kafka_progress import line_positions, progress
from stock_platform.adapters.probe import free_port
from stock_platform.config import ROOT
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.errors import TopicMissing
from stock_platform.feed.line import run_line
from stock_platform.feed.plan import Heartbeat, LineState, Standing, StreamPlan, TapePlan
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.shards import Watch
from stock_platform.feed.simulator.server import serve
from stock_platform.feed.watchlist import Sharing, always_open, load_watchlist
from stock_platform_tests.broker import Broker, empty_topics, running_broker
from stock_platform_tests.integration.jvm import require

_RECORDED = ROOT.parent / "shared" / "data" / "tapes" / "us-2013-10-07.parquet"
_CLOCK = SystemClock()
_SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def kafka_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def broker(kafka_alone: Broker) -> Iterator[Broker]:
    """The broker with the platform's topics, empty."""
    with empty_topics(kafka_alone.bootstrap):
        yield kafka_alone


def _run_tape(bootstrap: str, path: str, speed: float) -> None:
    publisher = Publisher(KafkaProducer(bootstrap, client_id="tape-0"), line="tape-0")
    plan = TapePlan(line="tape-0", path=Path(path), speed=speed)
    state = run_line(plan, publisher=publisher, heartbeat=lambda _: Standing(), clock=_CLOCK, should_stop=lambda: False)
    assert state.state == "ended", state
    assert state.ts_clock == datetime(2013, 10, 8, tzinfo=UTC)  # 20:00 New York, the end of the post-market


@contextmanager
def _line(bootstrap: str, path: Path, speed: float) -> Generator[SpawnProcess, None, None]:
    """A running line in a process of its own, which does not outlive its block."""
    line = _SPAWN.Process(target=_run_tape, args=(bootstrap, str(path), speed))
    line.start()
    try:
        yield line
    finally:
        line.kill()
        line.join(10)


def _play_to_the_end(bootstrap: str, path: Path, speed: float) -> None:
    with _line(bootstrap, path, speed) as line:
        line.join(120)
        assert line.exitcode == 0


def _records(bootstrap: str, topic: str) -> list[tuple[int, dict[str, Any]]]:
    """Every JSON record of the topic with its partition, in order per partition."""
    with closing(Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False})) as reader:
        partitions = list(reader.list_topics(topic, timeout=10).topics[topic].partitions)
        ends = {p: reader.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
        reader.assign([TopicPartition(topic, p, 0) for p in partitions])
        count, found = sum(ends.values()), list[tuple[int, dict[str, Any]]]()
        while count:
            messages = reader.consume(10_000, timeout=10)
            assert messages, f"{count} records of {topic} did not come"
            count -= len(messages)
            found += [(m.partition() or 0, json.loads(m.value() or b"")) for m in messages if (m.value() or b"")[:1] == b"{"]
        return found


def _count(bootstrap: str) -> int:
    return sum(each.offset_end for each in progress(bootstrap, "nobody", TICK.address).values())


def _assert_each_row_once(bootstrap: str, path: Path, *, but_for_repeats: bool = False) -> None:
    """Row by row against polars straight over the file: prices, instants, order, and volumes of the regular session."""
    found = [record for _, record in _records(bootstrap, TICK.address)]
    published = pl.DataFrame(
        {key: [record[key] for record in found] for key in ("line_seq", "symbol", "price", "ts_event", "day_volume")},
        schema_overrides={"day_volume": pl.Int64},
    ).sort("line_seq")
    if but_for_repeats:
        published = published.unique(maintain_order=True)
    opens, closes = datetime(2013, 10, 7, 13, 30, tzinfo=UTC), datetime(2013, 10, 7, 20, tzinfo=UTC)
    is_regular = pl.col("ts_event").is_between(opens, closes, closed="left")
    rows = pl.read_parquet(path).with_row_index("line_seq").with_columns(pl.col("line_seq").cast(pl.Int64))
    regular = rows.filter(is_regular).with_columns(pl.col("size").cum_sum().over("symbol").alias("day_volume"))
    expected = rows.join(regular.select("line_seq", "day_volume"), on="line_seq", how="left").sort("line_seq")
    assert published["line_seq"].to_list() == expected["line_seq"].to_list()
    assert published["symbol"].to_list() == expected["symbol"].to_list()
    assert published["ts_event"].to_list() == expected["ts_event"].dt.epoch("ms").to_list()
    assert published["price"].cast(pl.Decimal(18, 4)).to_list() == expected["price"].to_list()
    assert published["day_volume"].to_list() == expected["day_volume"].to_list()


def _recorded() -> Path:
    if not _RECORDED.exists():
        pytest.skip("recorded tape is not here: ../shared/data/tapes/us-2013-10-07.parquet")
    return _RECORDED


def _morning(folder: Path) -> Path:
    """The tape's first 120,000 rows: from the pre-market into the first hour of the session."""
    pl.read_parquet(_recorded()).head(120_000).write_parquet(folder / "morning.parquet")
    return folder / "morning.parquet"


def _write_rubbish(bootstrap: str) -> None:
    """What a line must look past in search of its own newest tick."""
    rubbish = Producer({"bootstrap.servers": bootstrap})
    for n in range(3_000):
        rubbish.produce(TICK.address, b"rubbish", partition=n % 4, headers={"line": "another", "line_seq": "9"})
    assert rubbish.flush(10) == 0


def test_feed_line_killed_twice_publishes_each_row_once(broker: Broker, tmp_path: Path) -> None:
    path = _morning(tmp_path)
    for share in (10_000, 50_000):
        with _line(broker.bootstrap, path, 1_000):
            require(lambda share=share: _count(broker.bootstrap) > share, f"{share} ticks on Kafka")
        _write_rubbish(broker.bootstrap)
    _play_to_the_end(broker.bootstrap, path, 10_000)
    _assert_each_row_once(broker.bootstrap, path)


def test_broker_killed_under_a_tape_loses_nothing_and_repeats_only_what_was_under_way(broker: Broker, tmp_path: Path) -> None:
    """A broker that was killed knows a producer by its records' times, and a tape's are long past: it gives at least once."""
    path = _morning(tmp_path)
    with _line(broker.bootstrap, path, 1_000) as line:
        require(lambda: _count(broker.bootstrap) > 40_000, "40,000 ticks on Kafka")
        broker.kill()
        broker.start_and_wait()
        line.join(180)
        assert line.exitcode == 0
    _assert_each_row_once(broker.bootstrap, path, but_for_repeats=True)


def test_tape_that_is_played_again_under_its_name_adds_nothing(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "tape.parquet"
    pl.read_parquet(_recorded()).head(5_000).with_columns(
        pl.when(pl.int_range(pl.len()) == 4_000).then(pl.col("price") * 100).otherwise(pl.col("price")).alias("price")
    ).write_parquet(path)
    for _ in range(2):
        _play_to_the_end(broker.bootstrap, path, 1e6)
    assert sorted(record["line_seq"] for _, record in _records(broker.bootstrap, TICK.address)) == [
        n for n in range(5_000) if n != 4_000
    ]
    (refusal,) = [record for _, record in _records(broker.bootstrap, DEAD_LETTER.address)]
    assert tuple(refusal) == DEAD_LETTER.names
    assert refusal["reason"] == "unit_mismatch"


def _heartbeats(seen: list[LineState], *, owned: Callable[[], bool] = lambda: True) -> Heartbeat:
    def beat(state: LineState) -> Standing:
        seen.append(state)
        return Standing(owned())

    return beat


def test_simulated_ticks_reach_kafka_as_the_contract_says(broker: Broker) -> None:
    port, seen = free_port(), list[LineState]()
    server = _SPAWN.Process(target=serve, args=(port,), kwargs={"seed": 7, "hours": "always"})
    server.start()
    try:
        watch = Watch(always_open(load_watchlist()), Sharing())
        plan = StreamPlan("line-0a", "simulator", f"ws://127.0.0.1:{port}", lambda: watch, canary="BTC-USD")
        state = run_line(
            plan,
            publisher=Publisher(KafkaProducer(broker.bootstrap, client_id="line-0a"), line="line-0a"),
            heartbeat=_heartbeats(seen),
            clock=_CLOCK,
            should_stop=lambda: len(seen) > 2 and seen[-1].tick_count >= 40 and seen[-1].ts_clock is not None,
        )
    finally:
        server.terminate()
        server.join(10)
    assert [seen[0].state, seen[1].state, seen[-1].state] == ["starting", "running", "stopped"]
    records = _records(broker.bootstrap, TICK.address)
    assert len(records) == state.tick_count >= 40
    assert {tuple(record) for _, record in records} == {TICK.names}
    assert {record["session_phase"] for _, record in records} == {"regular"}
    for partition, record in records:
        assert partition == partition_of(record["symbol"], 4)
    first = {record["symbol"]: record for _, record in reversed(records)}
    assert len(first) == 34
    assert not any(record["is_continuous"] for record in first.values())
    assert server.exitcode == 0


def test_line_owned_by_another_run_ends_at_once(broker: Broker, tmp_path: Path) -> None:
    seen = list[LineState]()
    path = tmp_path / "tape.parquet"
    pl.read_parquet(_recorded()).head(2).write_parquet(path)
    state = run_line(
        TapePlan("tape-0", path, speed=1e-6),
        publisher=Publisher(KafkaProducer(broker.bootstrap, client_id="tape-0"), line="tape-0"),
        heartbeat=_heartbeats(seen, owned=lambda: len(seen) < 3),
        clock=_CLOCK,
        should_stop=lambda: False,
    )
    assert (state.state, len(seen)) == ("stopped", 3)


def test_broker_puts_a_symbol_where_librdkafkas_consistent_partitioner_does(broker: Broker) -> None:
    symbols = [each.symbol for each in load_watchlist()]
    producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "consistent"})
    for symbol in symbols:
        producer.produce(TICK.address, json.dumps({"symbol": symbol}).encode(), symbol)
    assert producer.flush(10) == 0
    records = _records(broker.bootstrap, TICK.address)
    assert {record["symbol"]: partition for partition, record in records} == {s: partition_of(s, 4) for s in symbols}


def test_progress_names_the_next_readable_record(broker: Broker) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in (b'{"ts_event":1}', b"rubbish", b"[]", b'{"ts_event":4}'):
        producer.produce(TICK.address, value, partition=1)
    assert producer.flush(10) == 0
    group = {"bootstrap.servers": broker.bootstrap, "group.id": "reader", "enable.auto.commit": False}
    with closing(Consumer(group)) as reader:
        reader.commit(offsets=[TopicPartition(TICK.address, 1, 1)], asynchronous=False)
    found = progress(broker.bootstrap, "reader", TICK.address)
    assert (found[1].offset_next, found[1].offset_end, found[1].ts_event_ms) == (1, 4, 4)
    assert (found[0].offset_next, found[0].offset_end, found[0].ts_event_ms) == (0, 0, None)
    assert line_positions(broker.bootstrap, TICK.address, line="reader") == {}


def test_topics_are_made_once_and_missed_by_name(broker: Broker) -> None:
    ensure_topics(broker.bootstrap, market_topics())
    producer = KafkaProducer(broker.bootstrap, client_id="test")
    assert [producer.partition_count(spec.name) for spec in market_topics()] == [4, 1, 4]
    with pytest.raises(TopicMissing, match=r"Topic market\.nothing\.v1 not found"):
        producer.partition_count("market.nothing.v1")
