"""The one tick file of all measurements: a recorded session cloned to many symbols, clean or dirty, as the feed writes it.

Not here: what bars it must give (truth), how it gets into Kafka (topic). It is made once from a seed and kept in .cache/bench.
The recorded session lies outside this project; where it is absent a random walk of the same size takes its place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import numpy as np
import polars as pl

from benchmarks.harness import Figure
from stock_platform.adapters.kafka import partition_of
from stock_platform.config import ROOT
from stock_platform.feed.tick import Tick, tick_json

RECORDED = ROOT.parent / "shared" / "data" / "tapes" / "us-2013-10-07.parquet"
CACHE = ROOT / ".cache" / "bench"
PARTITION_COUNT = 4
DISPLACED_RATIO, REPEATED_RATIO, LATE_RATIO = 0.05, 0.01, 0.001
DISPLACED_MS, LATE_MS = (1, 30_000), (300_000, 600_000)
_OPEN = datetime.fromisoformat("2013-10-07T13:30:00+00:00")
_CLOSE = _OPEN + timedelta(hours=6.5)
_CENT = Decimal("0.01")
_MINUTE_MS = 60_000
_SEED = 7

Variant = Literal["clean", "dirty", "crowded"]


@dataclass(frozen=True)
class TickFile:
    """Ticks in order of arrival.

    Args:
        frame: symbol, ts_event, price, size, day_volume, partition, value (the message), ts_arrival (epoch ms).
        distinct: How many different ticks there are.
        origin: Where the market came from.
    """

    frame: pl.DataFrame
    distinct: int
    origin: Literal["recorded", "synthetic"]

    def figure(self) -> Figure:
        """How many ticks, and of which market."""
        return Figure("ticks", self.distinct, "ticks", self.distinct, note=f"{self.origin} market")


def tick_file(variant: Variant, *, count: int, symbol_count: int) -> TickFile:
    """The file of so many different ticks; from the cache where it was made before."""
    origin: Literal["recorded", "synthetic"] = "recorded" if RECORDED.exists() else "synthetic"
    is_crowded = variant == "crowded"
    path = CACHE / f"ticks-{origin}-{count}-{symbol_count}{'-crowded' if is_crowded else ''}.parquet"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        ticks = cloned(_market(), count=count, symbol_count=symbol_count)
        with_messages(crowded(ticks) if is_crowded else ticks).write_parquet(unfinished)
        unfinished.rename(path)
    clean = pl.read_parquet(path)
    return TickFile(dirtied(clean) if variant == "dirty" else clean, clean.height, origin)


def cloned(market: pl.DataFrame, *, count: int, symbol_count: int) -> pl.DataFrame:
    """Each symbol of the market many times over, a cent apart, so that a mix-up of symbols shows; in event-time order.

    Args:
        market: ts_event, symbol, price, size, sorted by ts_event.
    """
    originals = market["symbol"].unique(maintain_order=True).to_list()
    clones = pl.DataFrame({"clone": range(symbol_count)}).with_columns(
        pl.col("clone").map_elements(lambda n: originals[n % len(originals)], pl.String).alias("original"),
        pl.format("{}{}", pl.lit("S"), pl.col("clone").cast(pl.String).str.zfill(4)).alias("symbol"),
        (pl.col("clone") // len(originals) * _CENT).cast(pl.Decimal(18, 6)).alias("apart"),
    )
    needed = market.head(-(-count // (symbol_count // len(originals))))
    return (
        needed.rename({"symbol": "original"})
        .join(clones, on="original", maintain_order="left")
        .with_columns(
            price=(pl.col("price") + pl.col("apart")).cast(pl.Decimal(18, 6)), day_volume=pl.col("size").cum_sum().over("symbol")
        )
        .select("symbol", pl.col("ts_event").dt.epoch("ms"), "price", "size", "day_volume")
        .head(count)
    )


def crowded(ticks: pl.DataFrame) -> pl.DataFrame:
    """The same ticks in the same order, all of them in one minute: bars of many thousand ticks."""
    first, last = ticks["ts_event"].min(), ticks["ts_event"].max()
    since = (pl.col("ts_event") - first) * _MINUTE_MS // (pl.lit(last) - first + 1)
    return ticks.with_columns(ts_event=pl.lit(first) // _MINUTE_MS * _MINUTE_MS + since)


def with_messages(ticks: pl.DataFrame) -> pl.DataFrame:
    """The ticks with their messages, partitions and, being clean, the event time as arrival."""
    symbols = ticks["symbol"].unique().to_list()
    partitions = {symbol: partition_of(symbol, PARTITION_COUNT) for symbol in symbols}
    return ticks.with_columns(
        pl.col("symbol").replace_strict(partitions, return_dtype=pl.Int32).alias("partition"),
        pl.Series("value", [message(*row) for row in enumerate(ticks.iter_rows())], dtype=pl.Binary),
        pl.col("ts_event").alias("ts_arrival"),
    )


def message(number: int, row: tuple[str, int, Decimal, int, int]) -> bytes:
    """A tick (symbol, event time in ms, price, size, day volume) as the feed writes it."""
    symbol, ts_event_ms, price, size, day_volume = row
    ts_event = datetime.fromtimestamp(0, _OPEN.tzinfo) + timedelta(milliseconds=ts_event_ms)
    return tick_json(
        Tick(
            symbol=symbol,
            price=price,
            day_volume=day_volume,
            size=size,
            ts_event=ts_event,
            ts_recv=ts_event,
            session_phase="regular",
            currency="USD",
            previous_close=Decimal("168.89"),
            source="tape",
            line="tape",
            line_seq=number,
            is_suspect=False,
            is_continuous=True,
        )
    )


def dirtied(clean: pl.DataFrame) -> pl.DataFrame:
    """The same ticks in another order of arrival: some displaced, some far too late, some twice."""
    draw = np.random.default_rng(_SEED)
    fate, count = draw.random(clean.height), clean.height
    delay = np.where(fate < DISPLACED_RATIO, draw.integers(*DISPLACED_MS, count, endpoint=True), 0)
    is_late = fate >= 1 - LATE_RATIO
    delay = np.where(is_late, draw.integers(*LATE_MS, count, endpoint=True), delay)
    arrived = clean.with_columns(pl.col("ts_arrival") + pl.Series(delay))
    repeated = arrived.filter(pl.Series(draw.random(count) < REPEATED_RATIO))
    again = repeated.with_columns(pl.col("ts_arrival") + pl.Series(draw.integers(0, 2_000, repeated.height)))
    return pl.concat([arrived, again]).sort("ts_arrival", maintain_order=True)


def synthetic_market(trade_count: int) -> pl.DataFrame:
    """Four symbols that walk by cents, with the columns of a tape; as dense as a session's first hour."""
    draw = np.random.default_rng(_SEED)
    gaps = draw.exponential(31, trade_count).astype(np.int64)
    names = np.array(["AAA", "BBB", "CCC", "DDD"])[draw.choice(4, trade_count, p=[0.55, 0.15, 0.15, 0.15])]
    frame = pl.DataFrame({"after_ms": np.cumsum(gaps), "symbol": names, "cents": draw.integers(-1, 2, trade_count)})
    return frame.select(
        (pl.lit(_OPEN) + pl.duration(milliseconds=pl.col("after_ms"))).dt.cast_time_unit("ms").alias("ts_event"),
        "symbol",
        (pl.col("cents").cum_sum().over("symbol") * _CENT + 100).cast(pl.Decimal(18, 4)).alias("price"),
        pl.Series("size", draw.integers(1, 5, trade_count) * 100),
    )


def _market() -> pl.DataFrame:
    """Trades of regular hours."""
    if not RECORDED.exists():
        return synthetic_market(200_000)
    hours = pl.col("ts_event").is_between(_OPEN, _CLOSE, closed="left")
    return pl.read_parquet(RECORDED, columns=["ts_event", "symbol", "price", "size"]).filter(hours)
