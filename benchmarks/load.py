"""A steady load on the stream job, and two who watch what comes out; each a process of its own, all by one machine's clock.

The producer is the feed's own door to Kafka, with its settings. A latency begins when a tick is handed to it: its ts_recv and
ts_event are that millisecond. Not here: which job runs, and what the figures are (latency)."""

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from typing import NamedTuple

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.adapters.postgres import connect
from stock_platform.contracts.tick import QUOTE_UPDATE, TICK
from stock_platform.feed.tick import Tick, epoch_ms, tick_json

SYMBOLS = tuple(f"S{n:03}" for n in range(500))
MARKERS = SYMBOLS[::25]
"""Symbols whose rows are watched: 20 of 500, so that the watching costs nearly nothing."""
_SLOT = timedelta(milliseconds=5)
_POLL = timedelta(milliseconds=10)
_QUIET = timedelta(seconds=20)
"""A watcher that sees nothing new for so long after the load's end has seen all that comes."""
_CLOCK = SystemClock()
_ROWS = """
SELECT 'quote', symbol, (extract(EPOCH FROM ts_recv) * 1000)::bigint, (extract(EPOCH FROM clock_timestamp()) * 1000)::float8
FROM market.quote
WHERE symbol = ANY(%(symbols)s)
UNION ALL
SELECT 'bar', symbol, (extract(EPOCH FROM max(ts_last_tick)) * 1000)::bigint, (extract(EPOCH FROM clock_timestamp()) * 1000)::float8
FROM staging.bar_1m
WHERE symbol = ANY(%(symbols)s) AND ts_start >= %(since)s
GROUP BY symbol
"""

Sent = dict[str, "array[int]"]
"""Milliseconds of the epoch at which each symbol's ticks were sent, ascending."""


class Sight(NamedTuple):
    """When a row was first seen to hold a tick: at that time by the server's clock, the newest tick in it being of that time."""

    seen_ms: float
    ts_ms: int


Sights = dict[tuple[str, str], list[Sight]]
"""By kind of row and symbol."""


@dataclass(frozen=True)
class Window:
    """A load: from `begin` to `end`, measured from `measured` on."""

    begin: datetime
    measured: datetime
    end: datetime

    def holds(self, ts_ms: int) -> bool:
        """Whether a tick of that time is measured."""
        return epoch_ms(self.measured) <= ts_ms < epoch_ms(self.end)


@dataclass(frozen=True)
class Seen:
    """What a load came to, in milliseconds.

    Args:
        quotes: Of every measured tick, to a reader of market.quotes.v1.
        rows: Of every measured tick of the markers, to a row in Postgres; by kind of row.
        lost_count: Ticks that were sent and did not come out.
    """

    quotes: list[float]
    rows: Mapping[str, list[float]]
    lost_count: int


def run(bootstrap: str, dsn: str, *, per_s: int, warm_up: timedelta, lasting: timedelta) -> "Iterator[Window | Seen]":
    """Give the window as soon as it is known, and what was seen when it is over."""
    begin = _CLOCK.now() + timedelta(seconds=4)
    window = Window(begin, begin + warm_up, begin + warm_up + lasting)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        read = pool.submit(read_quotes, bootstrap, window)
        watched: Future[Sights] = pool.submit(watch_rows, dsn, window)
        sent = pool.submit(produce, bootstrap, window, per_s)
        yield window
        yield _seen(window, sent.result(), read.result(), watched.result())


def produce(bootstrap: str, window: Window, per_s: int) -> Sent:
    """Ticks one symbol after the other, as many in each slot as are due; each has a price and a volume of its own."""
    producer, sent, number = KafkaProducer(bootstrap, client_id="load"), {symbol: array("q") for symbol in SYMBOLS}, 0
    _CLOCK.sleep(window.begin - _CLOCK.now())
    while (now := _CLOCK.now()) < window.end:
        due = int((now - window.begin).total_seconds() * per_s)
        for each in range(number, due):
            symbol = SYMBOLS[each % len(SYMBOLS)]
            ts = _CLOCK.now()
            ts_ms = epoch_ms(ts)
            sent[symbol].append(ts_ms)
            producer.send(TICK.address, key=symbol, value=_message(symbol, each, ts), headers={}, timestamp_ms=ts_ms)
        number = max(number, due)
        _CLOCK.sleep(_SLOT)
    assert producer.flush(timedelta(seconds=30)), "Kafka has not acknowledged every tick"
    return sent


def read_quotes(bootstrap: str, window: Window) -> list[tuple[float, int]]:
    """When each quote was read, and when its tick was sent."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "load", "enable.auto.commit": False}
    found, newest = list[tuple[float, int]](), window.end
    with closing(Consumer(settings)) as consumer:
        partitions = consumer.list_topics(QUOTE_UPDATE.address, timeout=10).topics[QUOTE_UPDATE.address].partitions
        consumer.assign([TopicPartition(QUOTE_UPDATE.address, partition, OFFSET_END) for partition in partitions])
        while _CLOCK.now() < max(window.end, newest) + _QUIET:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                newest = _CLOCK.now()
                found.append((newest.timestamp() * 1000, json.loads(message.value() or b"")["ts_recv"]))
    return found


def watch_rows(dsn: str, window: Window) -> Sights:
    """Each change of a marker's rows, with the time at the server when it was first seen: late by one poll at most."""
    newest, sights, changed = dict[tuple[str, str], int](), Sights(), window.end
    asked = {"symbols": list(MARKERS), "since": window.begin - timedelta(minutes=1)}
    with connect(dsn, autocommit=True) as connection:
        while _CLOCK.now() < max(window.end, changed) + _QUIET:
            for kind, symbol, ts_ms, seen_ms in connection.execute(_ROWS, asked).fetchall():
                if newest.get((kind, symbol)) != ts_ms:
                    newest[kind, symbol], changed = ts_ms, _CLOCK.now()
                    sights.setdefault((kind, symbol), []).append(Sight(seen_ms, ts_ms))
            _CLOCK.sleep(_POLL)
    return sights


def _seen(window: Window, sent: Sent, read: list[tuple[float, int]], sights: Sights) -> Seen:
    quotes = [seen_ms - ts_ms for seen_ms, ts_ms in read if window.holds(ts_ms)]
    count = sum(window.holds(ts_ms) for times in sent.values() for ts_ms in times)
    rows = {kind: _row_latencies(window, sent, sights, kind) for kind in ("quote", "bar")}
    expected = sum(window.holds(ts_ms) for symbol in MARKERS for ts_ms in sent[symbol])
    lost = max(0, count - len(quotes)) + sum(expected - len(found) for found in rows.values())
    return Seen(quotes, rows, lost)


def _row_latencies(window: Window, sent: Sent, sights: Sights, kind: str) -> list[float]:
    """A row shows a tick as soon as it shows that one or a newer one."""
    found = list[float]()
    for symbol in MARKERS:
        seen = sights.get((kind, symbol), [])
        times = [sight.ts_ms for sight in seen]
        places = ((ts_ms, bisect_left(times, ts_ms)) for ts_ms in sent[symbol] if window.holds(ts_ms))
        found += [seen[place].seen_ms - ts_ms for ts_ms, place in places if place < len(seen)]
    return found


def _message(symbol: str, number: int, ts: datetime) -> bytes:
    price = Decimal(10_000 + number * 7 % 997).scaleb(-2)
    volume = 100 * (number // len(SYMBOLS) + 1)
    tick = Tick(symbol, price, volume, 100, ts, ts, "regular", "USD", Decimal(100), "simulator", "load", number, False, True)
    return tick_json(tick)
