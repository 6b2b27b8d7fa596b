"""AWS for tests: moto in this process, faults put before it, and a record of every call."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.polling import candidate_of
from stock_platform.feed.yahoo.quote import parse_quotes

TABLE = "StockPrices"
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
    """The table and the queue of one test."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        boto3.setup_default_session(region_name="eu-central-1")
        boto3.DEFAULT_SESSION.events.register("before-call", self._record)  # type: ignore[union-attr]
        plain = boto3.session.Session(region_name="eu-central-1")
        self.dynamodb: Any = plain.client("dynamodb")
        self.sqs: Any = plain.client("sqs")
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "symbol", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "symbol", "KeyType": "HASH"}],
        )
        self.queue_url: str = self.sqs.create_queue(QueueName="dead")["QueueUrl"]

    def prices(self) -> dict[str, str]:
        """Price by symbol, read beside the code under test."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        return {item["symbol"]["S"]: item["price"]["S"] for page in pages for item in page["Items"]}

    def letters(self) -> list[Any]:
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in received]

    def _record(self, model: Any, **_rest: Any) -> None:
        self.calls[f"{model.service_model.service_name}:{model.name}"] += 1


@contextmanager
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield Cloud()
    boto3.DEFAULT_SESSION = None


def break_calls(client: Any, call: str, answer: Callable[[Mapping[str, Any]], tuple[int, Any] | None]) -> None:
    """Let `answer` reply to a DynamoDB call in the service's place: status and body, or None to let it through."""

    def before_call(params: Any, **_rest: Any) -> tuple[Any, Any] | None:
        reply = answer(json.loads(params["body"]))
        return None if reply is None else (SimpleNamespace(status_code=reply[0]), reply[1])

    client.meta.events.register(f"before-call.dynamodb.{call}", before_call)


def throttled() -> tuple[int, Any]:
    error = {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}
    return 400, {"Error": error, "ResponseMetadata": {}}


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
    """

    def __init__(self, prices: Mapping[str, float | None], *, ts: datetime = NOON, ts_recv: datetime | None = None) -> None:
        self.prices, self.ts, self.ts_recv = dict(prices), ts, ts_recv or ts
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
            quote |= {"regularMarketPrice": price, "regularMarketTime": int(self.ts.timestamp()), "regularMarketVolume": 1000}
        return quote
