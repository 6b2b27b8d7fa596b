"""Quote updates at a steady rate, as the stream job writes them to `market.quotes.v1`: each of another symbol, with another price.

Not here: who waits for them (sse, browser)."""

import json
from collections.abc import Generator, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka import KafkaProducer
from stock_platform.contracts.tick import QUOTE_UPDATE
from stock_platform.feed.tick import epoch_ms

_CLOCK = SystemClock()
_AT_MOST = timedelta(minutes=10)
_FIRST_CENTS = 10_000
"""So that a page shows all prices with as many places."""


@dataclass(frozen=True)
class Load:
    """Updates of the symbols in turn."""

    symbols: tuple[str, ...]
    per_s: int


@contextmanager
def flowing(bootstrap: str, load: Load) -> Generator[Sequence[float]]:
    """The load, from a process of its own, as long as the block lasts.

    Gives the instant at which each update was handed to Kafka, its ts_recv, by its number: epoch milliseconds, 0 until then."""
    context = get_context("spawn")
    sent = context.RawArray("d", int(load.per_s * _AT_MOST.total_seconds()))
    producer = context.Process(target=_produce, args=(bootstrap, load, sent), daemon=True)
    producer.start()
    try:
        yield sent
    finally:
        producer.terminate()
        producer.join(20)


def number_of(price: str) -> int:
    """Of the update that had this price, as the topic or as a page writes it."""
    return round(float(price.replace(",", "")) * 100) - _FIRST_CENTS


def _produce(bootstrap: str, load: Load, sent: MutableSequence[float]) -> None:
    producer, begun = KafkaProducer(bootstrap, client_id="bench"), _CLOCK.now()
    for number in range(len(sent)):
        _CLOCK.sleep(begun + timedelta(seconds=number / load.per_s) - _CLOCK.now())
        now, symbol = _CLOCK.now(), load.symbols[number % len(load.symbols)]
        now_ms, sent[number] = epoch_ms(now), now.timestamp() * 1000
        price = {"price": f"{(_FIRST_CENTS + number) / 100:.2f}", "previous_close": "100", "change_pct": f"{number / 100:.2f}"}
        where = {"currency": "USD", "session_phase": "regular", "ts_event": now_ms, "ts_recv": now_ms, "source": "tape"}
        value = json.dumps({"symbol": symbol, **price, "day_volume": number, **where}).encode()
        producer.send(QUOTE_UPDATE.address, key=symbol, value=value, headers={}, timestamp_ms=now_ms)
