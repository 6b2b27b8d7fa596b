"""Two fetches write the same symbols at once: an older price never replaces a newer one (DynamoDB's interface: moto)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stock_platform.adapters.dynamodb import Table
from stock_platform_tests.aws import NOON, TABLE, Cloud, ScriptedVendor, TurnedClock, Turns, fetcher, instruments

SYMBOLS = ("A", "B")
Instant = tuple[int, int]
"""Seconds of the price's event and of its receipt: between two prices of one second, what was received later is newer."""
Batch = tuple[int, dict[str, int]]
"""One answer of the vendor: its receipt, and the event of each symbol in it."""

BATCHES = st.lists(st.tuples(st.integers(1, 4), st.fixed_dictionaries(dict.fromkeys(SYMBOLS, st.integers(0, 4)))), max_size=3)
ORDERS = st.lists(st.sampled_from((0, 1)), min_size=2, max_size=12)


def price_at(event: int, receipt: int) -> str:
    """Another price for each instant, so that the table's price tells whose it is."""
    return f"100.{event}{receipt}"


def tell(vendor: ScriptedVendor, batch: Batch) -> None:
    receipt, events = batch
    vendor.ts_recv = NOON + timedelta(seconds=receipt)
    vendor.ts_of = {symbol: NOON + timedelta(seconds=event) for symbol, event in events.items()}
    vendor.prices.update({symbol: float(price_at(event, receipt)) for symbol, event in events.items()})


class Writer:
    """One fetch function: its own client, validator and vendor."""

    def __init__(self, aws: Cloud, number: int, turns: Turns) -> None:
        self._number, self._turns = number, turns
        self._vendor = ScriptedVendor({})
        self._fetcher, table = fetcher(aws, self._vendor, instruments(*SYMBOLS))
        turns.seat(table.client, number)

    def fetch_all(self, batches: list[Batch]) -> int:
        """Fetch each batch; give how many prices failed."""
        try:
            return sum(self._fetch(batch) for batch in batches)
        finally:
            self._turns.leave(self._number)

    def _fetch(self, batch: Batch) -> int:
        tell(self._vendor, batch)
        return len(self._fetcher.fetch(frozenset({"XNYS"})).failed)


# The newer price lands between the older one's read and its write.
@example(first=[(1, {"A": 1, "B": 1})], second=[(2, {"A": 2, "B": 2})], order=[0, 1, 1, 1, 0])
# The same second; what was received later lands first.
@example(first=[(1, {"A": 1, "B": 1})], second=[(2, {"A": 1, "B": 1})], order=[0, 1, 1, 1, 0])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=BATCHES, second=BATCHES, order=ORDERS)
def test_two_fetches_at_once_leave_each_symbols_newest_price_whatever_their_turns(
    aws: Cloud, first: list[Batch], second: list[Batch], order: list[int]
) -> None:
    aws.renew()
    turns = Turns(order)
    writers = [Writer(aws, number, turns) for number in (0, 1)]
    with ThreadPoolExecutor(2) as threads:
        failures = list(threads.map(Writer.fetch_all, writers, (first, second)))

    told: dict[str, list[Instant]] = {}
    for receipt, events in first + second:
        for symbol, event in events.items():
            told.setdefault(symbol, []).append((event, receipt))
    assert failures == [0, 0]
    assert aws.prices() == {symbol: price_at(*max(instants)) for symbol, instants in told.items()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=8, unique=True), st.randoms())
def test_row_is_written_exactly_when_it_is_newer_than_all_before_it(aws: Cloud, instants: list[Instant], random: Any) -> None:
    """Two writers put theirs in any order, some of them twice."""
    aws.renew()
    writers = [Table(TABLE, TurnedClock(), writers=1) for _ in range(2)]
    puts = instants + random.choices(instants, k=3)
    random.shuffle(puts)
    newest = (-1, -1)
    for event, receipt in puts:
        row = {
            "symbol": {"S": "A"},
            "price": {"S": price_at(event, receipt)},
            "ts_event_ms": {"N": str(event * 1000)},
            "ts_recv_ms": {"N": str(receipt * 1000)},
        }
        result = random.choice(writers).put_newer({"A": row})
        assert bool(result.written) is ((event, receipt) > newest)
        newest = max(newest, (event, receipt))
    assert aws.prices() == {"A": price_at(*newest)}
