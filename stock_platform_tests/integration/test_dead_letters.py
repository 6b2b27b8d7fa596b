"""The verbs `dead-letters …` on a real broker: what the feed and the stream job refused, listed, shown, and sent again."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from confluent_kafka import Producer
from typer.testing import CliRunner

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.probe import free_port
from stock_platform.commands.dead_letters import app
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.feed.publisher import Publisher
from stock_platform.feed.tick import Refusal, epoch_ms
from stock_platform.feed.yahoo.pricing import encode
from stock_platform_tests.broker import Broker, empty_topics, running_broker
from stock_platform_tests.topics import messages


@cache
def now() -> datetime:
    """One instant for the file, taken when its first test runs."""
    return SystemClock().now()


def event() -> datetime:
    return now() - timedelta(seconds=30)


@pytest.fixture(scope="module")
def kafka_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@dataclass
class Desk:
    """Somebody at the command line of a running stack."""

    bootstrap: str
    folder: Path

    def run(self, *words: str, port: str = "") -> Result:
        environment = {
            "STOCK_PLATFORM_DATA_DIR": str(self.folder),
            "STOCK_PLATFORM_PROFILE": "simulator",
            "STOCK_PLATFORM_KAFKA_PORT": port or self.bootstrap.rpartition(":")[2],
        }
        return CliRunner().invoke(app, list(words), env=environment)

    def refuse(self, reason: str, payload: bytes) -> None:
        """As the feed does it."""
        publisher = Publisher(KafkaProducer(self.bootstrap, client_id="test"), line="line-0a")
        publisher.refuse(Refusal(reason, "as seen", now(), 5, lambda: payload))
        assert publisher.flush(timedelta(seconds=10))

    def refuse_as_job(self, *letters: tuple[str, bytes], repeats: int = 0) -> None:
        """A message in the topic of ticks, and the letter about it, as the stream job writes it."""
        producer, sent = Producer({"bootstrap.servers": self.bootstrap}), list[bytes]()
        for reason, payload in letters:
            producer.produce(TICK.address, payload, "AAPL", partition=1, headers={"line": "tape", "line_seq": "9", "trace": "x"})
            assert producer.flush(10) == 0
            place = [each for each in messages(self.bootstrap, TICK.address) if each.partition() == 1][-1]
            sent.append(_letter(reason, payload, place.offset() or 0))
        for letter in sent + sent[len(sent) - repeats :]:
            producer.produce(DEAD_LETTER.address, letter)
        assert producer.flush(10) == 0

    @property
    def ticks(self) -> list[dict[str, Any]]:
        """What was sent again: its value, key, headers and partition."""
        return [
            {"value": each.value(), "key": each.key(), "headers": headers, "partition": each.partition()}
            for each in messages(self.bootstrap, TICK.address)
            if "dead_letter" in (headers := dict(each.headers() or []))
        ]


def _letter(reason: str, payload: bytes, offset: int) -> bytes:
    fields = {"reason": reason, "detail": "as seen", "payload_base64": base64.b64encode(payload).decode()}
    place = {"kafka_topic": TICK.address, "kafka_partition": 1, "kafka_offset": offset, "ts_dead": epoch_ms(now())}
    return json.dumps(fields | place).encode()


@pytest.fixture
def desk(kafka_alone: Broker, tmp_path: Path) -> Iterator[Desk]:
    with empty_topics(kafka_alone.bootstrap):
        yield Desk(kafka_alone.bootstrap, tmp_path)


def _frame(price: float = 84_000.5, symbol: str = "BTC-USD") -> bytes:
    return encode(id=symbol, price=price, time=epoch_ms(event()), market_hours=1, quote_type=41).encode()


def _tick(**changes: Any) -> bytes:
    return json.dumps({"symbol": "AAPL", "price": 100.5, "ts_event": epoch_ms(event()), **changes}).encode()


def test_no_letters_are_said_to_be_none(desk: Desk) -> None:
    done = desk.run("list")
    assert (done.exit_code, done.stdout) == (0, "no dead letters\n")


def test_letters_are_listed_newest_first_with_counts_and_repeats(desk: Desk) -> None:
    desk.refuse_as_job(("bad_price", _tick()), ("bad_json", b"{"), repeats=1)
    desk.refuse("spike", _frame())
    done = desk.run("list")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines[1:4]] == ["0-3", "0-1", "0-0"]
    assert [line[3:5] for line in lines[1:4]] == [["spike", "BTC-USD"], ["bad_json", "-"], ["bad_price", "AAPL"]]
    assert [line[:2] for line in lines[4:]] == [["1", "bad_price"], ["1", "bad_json"], ["1", "spike"], ["1", "repeats,"]]
    document = json.loads(desk.run("list", "--json", "--symbol", "AAPL", "--limit", "1").stdout)
    assert [each["id"] for each in document["letters"]] == ["0-0"]
    assert document["counts"] == {"bad_price": 1}
    later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    for words in (["--since", later], ["--reason", "nosuch"]):
        assert desk.run("list", *words).stdout == "no such letter; there are letters of bad_json, bad_price, spike\n"
    assert "no letter has the reason nosuch" in desk.run("replay", "--reason", "nosuch").stdout


def test_letter_is_shown_with_its_message_its_place_and_the_next_step(desk: Desk) -> None:
    desk.refuse_as_job(("too_late", _tick(price="100.5")))
    desk.refuse("spike", _frame())
    of_job, of_feed = desk.run("show", "0-0").stdout, desk.run("show", "0-1").stdout
    assert "original   market.ticks.v1, partition 1, offset 0" in of_job
    assert "restate --session" in of_job
    assert '"price": "100.5"' in of_job
    assert "line=line-0a line_seq=5" in of_feed
    assert '"quote_type": 41' in of_feed
    assert "published as suspect" in of_feed


def test_replayed_message_is_the_original_and_leaves_a_trace(desk: Desk) -> None:
    desk.refuse_as_job(("bad_price", _tick()))
    assert "0-0          ready" in desk.run("replay", "0-0", "--dry-run").stdout
    assert desk.ticks == []
    for _ in range(2):
        assert desk.run("replay", "0-0").exit_code == 0
    expected = {"value": _tick(), "key": b"AAPL", "headers": {"trace": b"x", "dead_letter": b"0-0"}}
    assert [{name: each[name] for name in expected} for each in desk.ticks] == [expected, expected]
    assert desk.run("show", "0-0").stdout.count("replayed   ") == 2


def test_letters_of_the_feed_become_suspect_ticks_or_stay_refused(desk: Desk) -> None:
    for payload in (_frame(), _frame(symbol="NOSUCH"), _frame(price=85_000.25)):
        desk.refuse("spike", payload)
    desk.refuse_as_job(("bad_price", _tick()))
    done = desk.run("replay", "--reason", "spike")
    assert done.exit_code == 1
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["0-0", "sent"], ["0-1", "refused"], ["0-2", "sent"]]
    assert "not_subscribed" in done.stdout
    sent = [json.loads(each["value"]) for each in desk.ticks]
    assert [(each["symbol"], each["price"], each["is_suspect"]) for each in sent] == [
        ("BTC-USD", "84000.5", True),
        ("BTC-USD", "85000.25", True),
    ]
    assert {tuple(each) for each in sent} == {TICK.names}


def test_letter_that_came_too_late_is_refused_with_the_way_out(desk: Desk) -> None:
    desk.refuse_as_job(("too_late", _tick(price="100.5")))
    done = desk.run("replay", "0-0")
    assert done.exit_code == 1
    assert f"`stock-platform restate --session {event():%Y-%m-%d}` picks it up" in done.stdout
    assert desk.ticks == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "0-99"], "holds no letter '0-99'"),
        (["show", "nonsense"], "holds no letter 'nonsense'"),
        (["show", "9-0"], "holds no letter '9-0'"),
        (["replay", "0-99"], "holds no letter '0-99'"),
        (["replay"], "say either which letters (ID…), or --reason"),
        (["replay", "0-0", "--reason", "spike"], "say either which letters (ID…), or --reason"),
    ],
)
def test_wrong_words_are_answered_with_a_sentence(desk: Desk, words: list[str], sentence: str) -> None:
    done = desk.run(*words)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_stack_that_does_not_run_is_told_so(desk: Desk) -> None:
    for words in (["list"], ["show", "0-0"], ["replay", "0-0"]):
        done = desk.run(*words, port=str(free_port()))
        assert done.exit_code == 2
        assert "does not answer" in done.output
