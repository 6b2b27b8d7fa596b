"""The stream job's aggregate against polars: ticks shuffled, repeated, split at any point and merged in any order give one bar.

The oracle is a group-by over the distinct ticks; it knows nothing of partial aggregates."""

import subprocess
from decimal import Decimal
from random import Random
from shutil import which

import polars as pl
import pytest

from stock_platform.config import ROOT
from stock_platform.stack import layout

_TARGET = ROOT / "flink" / "functions" / "target"
_MINUTE_MS = 1_381_152_600_000
_BAR_COUNT = 400
_KEY = ("ts_event", "volume_or_none", "price")


def _ticks(random: Random) -> pl.DataFrame:
    """Bars of all kinds: of one tick or of hundreds, with ties everywhere, without volume, in part or at all."""
    rows = [row for number in range(_BAR_COUNT) for row in _bar(random, f"bar-{number}")]
    columns = ("bar", "price", "day_volume", "ts_event", "is_continuous", "source", "partition", "offset")
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def _bar(random: Random, name: str) -> list[tuple[object, ...]]:
    count, spread = random.choice((1, 2, 7, 60, 400)), random.choice((2, 30, 10_000))
    unsized = random.choice((0.0, 0.0, 0.1, 1.0))
    return [
        (
            name,
            str(Decimal(random.randrange(1, spread * 100)) / random.choice((1, 100, 10_000))),
            None if random.random() < unsized else random.randrange(spread * 50),
            _MINUTE_MS + random.randrange(min(spread, 60_000)),
            random.random() < 0.9,
            random.choice(("tape", "simulator")),
            random.randrange(4),
            random.randrange(10**9),
        )
        for _ in range(count)
    ]


def _folded(ticks: pl.DataFrame, seed: int) -> pl.DataFrame:
    """What the Java aggregate makes of them."""
    jars = f"{_TARGET / 'test-classes'}:{_TARGET / 'classes'}:{layout.JARS / 'flink'}/*"
    command = (which("java") or "java", "-cp", jars, "stockplatform.BarFold", str(seed))
    done = subprocess.run(
        command, input=ticks.write_csv(include_header=False), capture_output=True, text=True, timeout=120, check=True
    )
    return pl.read_csv(done.stdout.encode(), has_header=False, infer_schema=False, null_values="null").sort("column_0")


def _expected(ticks: pl.DataFrame) -> pl.DataFrame:
    exact = ticks.with_columns(
        price=pl.col("price").cast(pl.Decimal(18, 6)), volume_or_none=pl.col("day_volume").fill_null(-1).cast(pl.Int64)
    )
    places = exact.group_by("bar").agg(
        pl.col("source").min(), pl.col("partition").min(), first=pl.col("offset").min(), last=pl.col("offset").max()
    )
    identity = ("bar", "volume_or_none", "ts_event", "price")
    distinct = exact.group_by(identity).agg(pl.col("is_continuous").any()).sort(identity)
    by_time = distinct.sort("bar", *_KEY)
    sized = distinct.filter(pl.col("volume_or_none") >= 0).with_columns(
        rise=pl.col("volume_or_none").diff().over("bar").fill_null(0), scaled=(pl.col("price") * 1_000_000).cast(pl.Int128)
    )
    volumes = sized.group_by("bar").agg(
        volume_first=pl.col("volume_or_none").first(),
        volume_last=pl.col("volume_or_none").last(),
        price_first=pl.col("price").first(),
        notional=(pl.col("scaled") * pl.col("rise").cast(pl.Int128)).sum(),
    )
    prices = by_time.group_by("bar").agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
        count=pl.len(),
        ts_first=pl.col("ts_event").first(),
        ts_last=pl.col("ts_event").last(),
    )
    lowest = distinct.group_by("bar").agg(pl.col("is_continuous").first())
    return prices.join(volumes, "bar", "left").join(places, "bar").join(lowest, "bar").sort("bar")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ticks_in_any_order_split_and_repetition_give_the_bar_of_the_oracle(seed: int) -> None:
    ticks = _ticks(Random(seed))

    rows = _folded(ticks, seed).rows()

    assert len(rows) == _BAR_COUNT
    for found, expected in zip(rows, _expected(ticks).iter_rows(named=True), strict=True):
        assert found == tuple(_text(value) for value in _row(expected))


def _row(bar: dict[str, object]) -> tuple[object, ...]:
    """In the order of the aggregate's row."""
    notional = bar["notional"]
    exact = None if notional is None else f"{Decimal(str(notional)).scaleb(-6):.6f}"
    names = "bar open high low close count ts_first ts_last volume_first volume_last price_first".split()
    after = "source partition first last is_continuous".split()
    return (*(bar[name] for name in names), exact, *(bar[name] for name in after))


def _text(value: object) -> str | None:
    """As Java prints it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6f}" if isinstance(value, Decimal) else str(value)
