"""Door to DynamoDB and to the dead-letter queue; the only importer of boto3 on AWS. Not here: what a price is (cloud/price_row).

A put is conditional: an older price never replaces a newer one, whoever writes and in whatever order. Unit of parallelism: the
item; delivery: effectively once, since a repeated put is refused by its own row. A throttled call is repeated with a doubling
pause and jitter, up to a limit; botocore's own repetition is off, so that each pause is counted once."""

# boto3's types are partial.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stock_platform.adapters.clock import Clock
from stock_platform.errors import PlatformError

Written = Literal["written", "older"]
Item = Mapping[str, Mapping[str, str]]
"""An item as the wire has it: {"symbol": {"S": "AAPL"}}."""
_T = TypeVar("_T")

_KEYS_PER_READ = 100
"""Source: Amazon DynamoDB API reference, BatchGetItem."""
_WRITERS = 16
_ATTEMPTS = 6
_PAUSE_FIRST_S, _PAUSE_LAST_S = 0.05, 2.0
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    }
)
_IF_NEWER = "attribute_not_exists(symbol) OR ts_event_ms < :event OR (ts_event_ms = :event AND ts_recv_ms < :recv)"
"""The vendor's event times are whole seconds: between two of the same second, what was received later is newer."""


class TableUnavailable(PlatformError):
    """DynamoDB does not take a call."""

    def __init__(self, table: str, call: str, reason: str) -> None:
        super().__init__(
            f"{call} on table {table} failed: {reason}. "
            "Expected an existing table and a role that allows the call; see docs/deploy-aws.md."
        )


class QueueUnavailable(PlatformError):
    """SQS does not take a message."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"SendMessage to {url} failed: {reason}. Expected an existing queue and a role that allows it.")


@dataclass(frozen=True)
class Puts:
    """What became of each symbol's row: written, not newer than what is there, or failed with a reason."""

    written: frozenset[str]
    older: frozenset[str]
    failed: Mapping[str, str]


@dataclass
class Table:
    """One table by `symbol`.

    Args:
        endpoint: Another address than AWS's own, for a local run.
        writers: So many rows are put at a time.
    """

    name: str
    clock: Clock
    endpoint: str | None = None
    jitter: Callable[[], float] = random.random
    writers: int = _WRITERS
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = boto3.client("dynamodb", config=_config(), endpoint_url=self.endpoint)

    def read(self, symbol: str) -> Item | None:
        """One row, or None.

        Raises:
            TableUnavailable: it cannot be read.
        """
        get = partial(self.client.get_item, TableName=self.name, Key={"symbol": {"S": symbol}}, ConsistentRead=True)
        return self._guarded("GetItem", get).get("Item")

    def read_many(self, symbols: Sequence[str]) -> dict[str, Item]:
        """Rows by symbol; those that are not there are absent. What DynamoDB leaves unprocessed is asked for again.

        Raises:
            TableUnavailable: it cannot be read, or something stays unprocessed.
        """
        found: dict[str, Item] = {}
        for start in range(0, len(symbols), _KEYS_PER_READ):
            for item in self._read_batch(symbols[start : start + _KEYS_PER_READ]):
                found[item["symbol"]["S"]] = item
        return found

    def put_newer(self, items: Mapping[str, Item]) -> Puts:
        """Put each row unless what is there is as new or newer. Never raises for one row: it is reported."""
        with ThreadPoolExecutor(self.writers) as pool:
            results = dict(zip(items, pool.map(self._put, items.values()), strict=True))
        return Puts(
            written=frozenset(symbol for symbol, result in results.items() if result == "written"),
            older=frozenset(symbol for symbol, result in results.items() if result == "older"),
            failed={symbol: str(result) for symbol, result in results.items() if isinstance(result, TableUnavailable)},
        )

    def _put(self, item: Item) -> Written | TableUnavailable:
        put = partial(
            self.client.put_item,
            TableName=self.name,
            Item=item,
            ConditionExpression=_IF_NEWER,
            ExpressionAttributeValues={":event": item["ts_event_ms"], ":recv": item["ts_recv_ms"]},
        )
        try:
            self._guarded("PutItem", put)
        except _Older:
            return "older"
        except TableUnavailable as error:
            return error
        return "written"

    def _read_batch(self, symbols: Sequence[str]) -> Iterator[Item]:
        asked: Any = {self.name: {"Keys": [{"symbol": {"S": symbol}} for symbol in symbols], "ConsistentRead": True}}
        for attempt in range(_ATTEMPTS):
            answer = self._guarded("BatchGetItem", partial(self.client.batch_get_item, RequestItems=asked))
            yield from answer["Responses"].get(self.name, [])
            asked = answer.get("UnprocessedKeys")
            if not asked:
                return
            self._pause(attempt)
        left = len(asked[self.name]["Keys"])
        raise TableUnavailable(self.name, "BatchGetItem", f"{left} keys stayed unprocessed in {_ATTEMPTS} attempts")

    def _guarded(self, call: str, do: Callable[[], _T]) -> _T:
        """The call's answer; a throttled one is repeated."""
        for attempt in range(_ATTEMPTS):
            try:
                return do()
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code"))
                if code == "ConditionalCheckFailedException":
                    raise _Older from None
                if code not in _THROTTLED:
                    raise TableUnavailable(self.name, call, str(error)) from None
                self._pause(attempt)
            except BotoCoreError as error:
                raise TableUnavailable(self.name, call, str(error)) from None
        raise TableUnavailable(self.name, call, f"throttled in {_ATTEMPTS} attempts")

    def _pause(self, attempt: int) -> None:
        longest = min(_PAUSE_LAST_S, _PAUSE_FIRST_S * 2**attempt)
        self.clock.sleep(timedelta(seconds=longest * (0.5 + self.jitter() / 2)))


class DeadLetters:
    """The queue of what could not become a row."""

    def __init__(self, url: str, *, endpoint: str | None = None) -> None:
        self._url = url
        self._client: Any = boto3.client("sqs", config=_config(attempts=3), endpoint_url=endpoint)

    def send(self, body: str) -> None:
        """Send one message.

        Raises:
            QueueUnavailable: it was not taken.
        """
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable(self._url, str(error)) from None


class _Older(Exception):
    """The condition did not hold."""


def _config(attempts: int = 1) -> Config:
    """Short time limits: a function has seconds, not minutes."""
    return Config(
        connect_timeout=2,
        read_timeout=5,
        max_pool_connections=_WRITERS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
