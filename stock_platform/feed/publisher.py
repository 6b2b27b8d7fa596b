"""Accepted ticks and refusals to Kafka; the one way out of every feed line.

Unit of parallelism: the line. Delivery: at least once, in order per symbol. A restarted tape repeats nothing that Kafka
has acknowledged; a restarted stream begins with what the vendor sends next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from stock_platform.adapters.kafka import KafkaProducer, partition_of
from stock_platform.adapters.kafka_progress import LinePosition, line_positions
from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.feed.tick import CONTINUOUS, Refusal, Tick, epoch_ms, refusal_json, tick_json

IN_FLIGHT_LIMIT = 20_000
"""Back-pressure: a source is not read while more than these wait for Kafka (some 8 MB)."""


@dataclass(frozen=True)
class Acknowledged:
    """What Kafka has of a line already."""

    partition_count: int = 1
    ticks: Mapping[int, LinePosition] = field(default_factory=lambda: {})
    refusal_seq: int = -1

    def covers(self, symbol: str, line_seq: int) -> bool:
        """Whether the tick of that position is there."""
        position = self.ticks.get(partition_of(symbol, self.partition_count))
        return position is not None and line_seq <= position.line_seq

    @property
    def any(self) -> LinePosition | None:
        """One tick of the line that is there, or None."""
        return next(iter(self.ticks.values()), None)


class Publisher:
    """Writes one line's ticks and refusals."""

    def __init__(self, producer: KafkaProducer, *, line: str) -> None:
        self._producer = producer
        self._line = line

    @property
    def is_full(self) -> bool:
        """Whether the source should wait."""
        return self._producer.in_flight > IN_FLIGHT_LIMIT

    def acknowledged(self) -> Acknowledged:
        """Look up what Kafka has of this line."""
        bootstrap = self._producer.bootstrap
        refused = line_positions(bootstrap, DEAD_LETTER.address, line=self._line).get(0)
        return Acknowledged(
            partition_count=self._producer.partition_count(TICK.address),
            ticks=line_positions(bootstrap, TICK.address, line=self._line),
            refusal_seq=-1 if refused is None else refused.line_seq,
        )

    def publish(self, tick: Tick) -> None:
        """Send one tick. Kafka's time is when our feed got it; for a tape its own, so that nothing in it is late."""
        self._producer.send(
            TICK.address,
            key=tick.symbol,
            value=tick_json(tick),
            headers=self._headers(tick.line_seq),
            timestamp_ms=epoch_ms(tick.ts_event if tick.source == "tape" else tick.ts_recv),
        )

    def refuse(self, refusal: Refusal) -> None:
        """Send one refusal to the dead letters."""
        self._producer.send(
            DEAD_LETTER.address,
            key=None,
            value=refusal_json(refusal),
            headers={**self._headers(refusal.line_seq), CONTINUOUS: str(refusal.is_continuous).lower()},
            timestamp_ms=epoch_ms(refusal.ts_recv),
        )

    def flush(self, within: timedelta) -> bool:
        """True when Kafka has acknowledged everything sent."""
        return self._producer.flush(within)

    def abandon(self) -> None:
        """Drop what is not sent yet: somebody else owns the line now."""
        self._producer.abandon()

    def _headers(self, line_seq: int) -> dict[str, str]:
        return {"line": self._line, "line_seq": str(line_seq)}
