"""AWS for tests: moto in this process, faults put before it, turns of two writers, and a record of every call."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from threading import Condition
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import dynamodb_backends

from stock_platform.adapters.dynamodb import DeadLetters, Table
from stock_platform.adapters.vendor_door import Answer
from stock_platform.cloud.fetch import Fetcher
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.polling import candidate_of
from stock_platform.feed.yahoo.quote import parse_quotes

TABLE = "StockPrices"
REGION = "eu-central-1"
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
"""A Monday; New York trades."""


class TurnedClock:
    """Stands until something sleeps."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration.total_seconds())


class Cloud:
    """Table and queue of the tests of one file; `renew` before each of them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        boto3.setup_default_session(region_name=REGION)
        boto3.DEFAULT_SESSION.events.register("before-call", self._record)  # type: ignore[union-attr]
        plain = boto3.session.Session(region_name=REGION)
        self.dynamodb: Any = plain.client("dynamodb")
        self.sqs: Any = plain.client("sqs")
        self.queue_url = ""
        self._queues = count(1)

    def renew(self) -> None:
        """An empty table and an empty queue."""
        if TABLE in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=TABLE)
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "symbol", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "symbol", "KeyType": "HASH"}],
        )
        self.queue_url = self.sqs.create_queue(QueueName=f"dead-{next(self._queues)}")["QueueUrl"]
        self.calls.clear()

    def prices(self) -> dict[str, str]:
        """Price by symbol, read beside the code under test."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE, ProjectionExpression="symbol, price")
        return {item["symbol"]["S"]: item["price"]["S"] for page in pages for item in page["Items"]}

    def letters(self) -> list[Any]:
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in received]

    def _record(self, model: Any, **_rest: Any) -> None:
        self.calls[f"{model.service_model.service_name}:{model.name}"] += 1


@contextmanager
def cloud() -> Iterator[Cloud]:
    """One for many tests: each new session reads the services' descriptions again, which takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield Cloud()
    boto3.DEFAULT_SESSION = None


class Turns:
    """Two writers call the service in a drawn order, one call at a time, as DynamoDB promises for one row and moto does not.

    Args:
        order: Whose turn it is, by number of the writer; at its end it begins again. Who has left is passed over.
    """

    def __init__(self, order: Sequence[int]) -> None:
        self._order = cycle(order)
        self._next = next(self._order)
        self._left: set[int] = set()
        self._free = Condition()

    def seat(self, client: Any, writer: int) -> None:
        """Let the client's calls wait for the writer's turns."""
        client.meta.events.register("before-call", lambda **_rest: self._take(writer))
        client.meta.events.register("after-call", lambda **_rest: self._give())

    def leave(self, writer: int) -> None:
        """The writer has no more calls."""
        with self._free:
            self._left.add(writer)
            self._free.notify_all()

    def _take(self, writer: int) -> None:
        self._free.acquire()  # held while the service answers
        is_mine = self._free.wait_for(lambda: self._next == writer or self._next in self._left, 60)
        assert is_mine, f"writer {writer} got no turn within 60 s"

    def _give(self) -> None:
        self._next = next(self._order)
        self._free.notify_all()
        self._free.release()


def break_calls(client: Any, call: str, answer: Callable[[Mapping[str, Any]], tuple[int, Any] | None]) -> None:
    """Let `answer` reply to a DynamoDB call in the service's place: status and body, or None to let it through."""

    def before_call(params: Any, **_rest: Any) -> tuple[Any, Any] | None:
        reply = answer(json.loads(params["body"]))
        return None if reply is None else (SimpleNamespace(status_code=reply[0]), reply[1])

    client.meta.events.register(f"before-call.dynamodb.{call}", before_call)


def answer_puts_at_once(client: Any) -> None:
    """Put rows into moto's table without its way over HTTP, which takes two thirds of the time; conditions hold as ever."""
    backend = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]

    def put(request: Mapping[str, Any]) -> tuple[int, Any]:
        condition, values = request["ConditionExpression"], request["ExpressionAttributeValues"]
        try:
            backend.put_item(request["TableName"], request["Item"], None, condition, {}, values)
        except ConditionalCheckFailed:
            return failed("ConditionalCheckFailedException")
        return 200, {}

    break_calls(client, "PutItem", put)


def throttled() -> tuple[int, Any]:
    return failed("ProvisionedThroughputExceededException")


def failed(code: str) -> tuple[int, Any]:
    return 400, {"Error": {"Code": code, "Message": "by the test"}, "ResponseMetadata": {}}


def instruments(*symbols: str, calendar: str = "XNYS") -> tuple[Instrument, ...]:
    plain = [
        Instrument(symbol=symbol, name=f"{symbol} Inc.", sector="Technology", currency="USD", calendar="24/7", provider="yahoo")
        for symbol in symbols
    ]
    return tuple(each.model_copy(update={"calendar": calendar}) for each in plain)


class ScriptedVendor:
    """Answers as v7 does, through the feed's own parser.

    Args:
        prices: Price by symbol; None: the quote has no price. An absent symbol is unknown to the vendor.
        ts: Of the prices; `ts_of` holds those that differ, by symbol.
    """

    def __init__(self, prices: Mapping[str, float | None], *, ts: datetime = NOON, ts_recv: datetime | None = None) -> None:
        self.prices, self.ts, self.ts_recv = dict(prices), ts, ts_recv or ts
        self.ts_of: dict[str, datetime] = {}
        self.last_error: str | None = None
        self.missing: frozenset[str] = frozenset()
        self._sequence = count(1)

    def poll(self, symbols: Sequence[str]) -> Sequence[Candidate | Refusal]:
        known = [symbol for symbol in symbols if symbol in self.prices]
        self.missing = frozenset(symbols) - frozenset(known)
        body = json.dumps({"quoteResponse": {"result": [self._quote(symbol) for symbol in known], "error": None}}).encode()
        quotes: Any = parse_quotes(Answer("v7", 200, body, self.ts_recv))
        return [candidate_of(each, self.ts_recv, line_seq=next(self._sequence)) for each in quotes]

    def _quote(self, symbol: str) -> dict[str, Any]:
        quote: dict[str, Any] = {"symbol": symbol, "quoteType": "EQUITY", "currency": "USD", "regularMarketPreviousClose": 99.0}
        if (price := self.prices[symbol]) is not None:
            quote |= {
                "regularMarketPrice": price,
                "regularMarketTime": int(self.ts_of.get(symbol, self.ts).timestamp()),
                "regularMarketVolume": 1000,
            }
        return quote


def fetcher(aws: Cloud, vendor: ScriptedVendor, watched: tuple[Instrument, ...], *, now: datetime = NOON) -> tuple[Fetcher, Table]:
    """A fetch as the function makes it, with a client of its own."""
    clock = TurnedClock(now)
    table = Table(TABLE, clock, jitter=lambda: 0.0, writers=1)  # moto is not safe for threads
    letters = DeadLetters(aws.queue_url)
    return Fetcher(watched, poll=vendor, table=table, letters=letters, clock=clock, source="yahoo"), table
