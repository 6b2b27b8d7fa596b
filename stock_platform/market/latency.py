"""How long each hop of the way took, by minute: from the times of ticks and bars. Pure.

A replay has no such times, and of an exchange whose prices the vendor delays nobody can tell the vendor's delay from ours: neither
is read in the first place (latency_facts)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from stock_platform.contracts.slo import Hop
from stock_platform.market.session_minutes import Minute, instant_of, minute_of

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class TimedBar:
    """A bar as it was first certified.

    Args:
        ts_landed: When its row in staging last changed; None where that was after it was certified.
        ts_flink: When Flink handed on its last tick's quote; None where that was not read.
    """

    ts_start: datetime
    ts_end: datetime
    ts_last_tick: datetime
    ts_landed: datetime | None
    ts_accepted: datetime
    ts_flink: datetime | None = None


@dataclass(frozen=True)
class TimedTick:
    """A tick's own times, and when Flink handed its quote on."""

    symbol: str
    ts_event: datetime
    ts_recv: datetime
    ts_flink: datetime


@dataclass(frozen=True)
class Latency:
    """One row of ops.latency_minute but for its provenance, in the order of its columns."""

    ts_minute: datetime
    hop: Hop
    observation_count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def latencies(bars: Iterable[TimedBar], ticks: Iterable[TimedTick]) -> list[Latency]:
    """By minute and hop, in order."""
    observed: Mapping[tuple[Minute, Hop], list[float]] = defaultdict(list)
    for bar in bars:
        for hop, took in _of_bar(bar):
            observed[minute_of(bar.ts_start), hop].append(took / _MILLISECOND)
    for tick in ticks:
        for hop, took in _of_tick(tick):
            observed[minute_of(tick.ts_event), hop].append(took / _MILLISECOND)
    return [_row(minute, hop, sorted(values)) for (minute, hop), values in sorted(observed.items())]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of them does not exceed, as Postgres' percentile_disc.

    Args:
        ordered: At least one, rising.
        share: Above 0, up to 1.
    """
    return ordered[max(ceil(share * len(ordered)), 1) - 1]


def _of_bar(bar: TimedBar) -> Iterator[tuple[Hop, timedelta]]:
    yield Hop.EVENT_TO_CERTIFIED, bar.ts_accepted - bar.ts_end
    if bar.ts_landed is None:
        return
    yield Hop.CLOSED_TO_CERTIFIED, bar.ts_accepted - max(bar.ts_end, bar.ts_landed)
    yield Hop.EVENT_TO_STAGING, bar.ts_landed - bar.ts_last_tick
    if bar.ts_flink is not None:
        yield Hop.FLINK_TO_STAGING, bar.ts_landed - bar.ts_flink


def _of_tick(tick: TimedTick) -> Iterator[tuple[Hop, timedelta]]:
    yield Hop.EVENT_TO_RECEIVED, tick.ts_recv - tick.ts_event
    yield Hop.RECEIVED_TO_FLINK, tick.ts_flink - tick.ts_recv


def _row(minute: Minute, hop: Hop, ordered: Sequence[float]) -> Latency:
    p50, p95, p99 = (percentile(ordered, share) for share in (0.5, 0.95, 0.99))
    return Latency(instant_of(minute), hop, len(ordered), p50, p95, p99, ordered[-1])
