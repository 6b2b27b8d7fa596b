"""The same ticks give the same bytes: parallelism 1, 2, 4 x three orders of arrival x stream and batch, and the truth by polars.

A table is different when what its bars say is not what every other run says, or when their place in Kafka is not that of the
other runs over the same topic. Not here: how fast any of it is."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from confluent_kafka.admin import AdminClient

from benchmarks import truth
from benchmarks.harness import Figure
from benchmarks.restate import market
from benchmarks.ticks import PARTITION_COUNT, cloned, with_messages
from benchmarks.topic import refill
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.flink_batch import BatchJobs
from stock_platform.adapters.flink_script import STREAM, fill_script
from stock_platform.adapters.postgres import connect, read_frame
from stock_platform.config import ROOT
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.market.restatement import restate
from stock_platform.stack import layout
from stock_platform_tests.integration.jvm import Cluster, require
from stock_platform_tests.restating import DAY, POST_END, load_reference, place_of, restated_digest, staged_digest

_PARALLELISMS = (1, 2, 4)
_SYMBOLS, _COUNT = 20, 150_000
_WITHOUT_VOLUME = "S0003"
_DISPLACED_MS, _REPEATED_RATIO = 30_000, 0.01
_COMPARED = ("open", "high", "low", "close", "volume", "tick_count")


@dataclass(frozen=True)
class Table:
    """One run's bars: md5 of all that they say, and of that with their place in Kafka."""

    shuffle: int
    mode: str
    parallelism: int
    content: str
    whole: str

    def __str__(self) -> str:
        return f"shuffle {self.shuffle} {self.mode} parallelism {self.parallelism}"


def figures(*, is_quick: bool) -> list[Figure]:
    """runs, different_tables, wrong_bars."""
    ticks = ticks_of_session(20_000 if is_quick else _COUNT)
    parallelisms = _PARALLELISMS[:2] if is_quick else _PARALLELISMS
    right = truth.bars(ticks)
    with (
        tempfile.TemporaryDirectory(prefix="bench-equality-") as folder,
        Cluster(Path(folder), parallelism=max(parallelisms)) as cluster,
    ):
        load_reference(cluster, ticks["symbol"].unique().to_list())
        tables = [table for shuffle in (1, 2, 3) for table in _tables(cluster, shuffled(ticks, shuffle), shuffle, parallelisms)]
        wrong = wrong_bars(right, _bars(cluster))
    different = [str(table) for table in tables if is_different(table, tables)]
    return [
        Figure("runs", len(tables), "", len(tables)),
        Figure("different_tables", len(different), "", len(tables), must_be=0, note="; ".join(different)),
        Figure("wrong_bars", wrong, "bars", right.height, must_be=0),
    ]


def ticks_of_session(count: int) -> pl.DataFrame:
    """A whole session, thinned out evenly; one symbol has no volume."""
    trades = market()
    thinned = trades.gather_every(max(1, trades.height * _SYMBOLS // (4 * count)))
    volume = pl.when(pl.col("symbol") != _WITHOUT_VOLUME).then(pl.col("day_volume"))
    return with_messages(cloned(thinned, count=count, symbol_count=_SYMBOLS).with_columns(day_volume=volume))


def shuffled(ticks: pl.DataFrame, shuffle: int) -> pl.DataFrame:
    """Displaced by up to 30 s, some twice; in the third shuffle a symbol is not kept in one partition."""
    draw = np.random.default_rng(shuffle)
    arrived = pl.concat([ticks, ticks.filter(pl.Series(draw.random(ticks.height) < _REPEATED_RATIO))])
    displaced = arrived.with_columns(
        pl.col("ts_arrival") + pl.Series(draw.integers(-_DISPLACED_MS, _DISPLACED_MS, arrived.height, endpoint=True))
    ).sort("ts_arrival", maintain_order=True)
    spread = pl.Series("partition", draw.integers(0, PARTITION_COUNT, arrived.height), dtype=pl.Int32)
    return displaced.with_columns(spread) if shuffle == 3 else displaced


def is_different(table: Table, tables: list[Table]) -> bool:
    """Whether a run stands apart from the first one, or from the first one over the same topic."""
    of_topic = next(each for each in tables if each.shuffle == table.shuffle)
    return table.content != tables[0].content or table.whole != of_topic.whole


def wrong_bars(right: pl.DataFrame, found: pl.DataFrame) -> int:
    """Bars that are missing, too many, or differ; no volume is equal to no volume."""
    both = right.select(*truth.KEY, *_COMPARED, is_right=True).join(
        found.with_columns(is_found=True), on=truth.KEY, how="full", suffix="_found"
    )
    is_equal = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_found")) for name in _COMPARED)
    is_there = pl.col("is_right").is_not_null() & pl.col("is_found").is_not_null()
    return both.height - both.select((is_equal & is_there).sum()).item()


def _tables(cluster: Cluster, ticks: pl.DataFrame, shuffle: int, parallelisms: tuple[int, ...]) -> Iterator[Table]:
    refill(cluster.bootstrap, ticks)
    for parallelism in parallelisms:
        yield _streamed(cluster, shuffle, parallelism)
        yield _restated(cluster, shuffle, parallelism)


def _streamed(cluster: Cluster, shuffle: int, parallelism: int) -> Table:
    """The bars' part of the stream job over the whole topic; over when it has committed the topic's end."""
    _forget(cluster)
    script = cluster.folder / "flink" / "equality.sql"
    values = {**place_of(cluster).values, "LATE_LIMIT_MS": "0", "STATE_TTL": "26 h", "PARALLELISM": str(parallelism)}
    parts = [name for name in STREAM if name in ("streaming.sql", "ddl.sql", "ticks_to_bars.sql")]
    script.write_text(fill_script(ROOT / "flink" / "sql", parts, values))
    job_id = cluster.rest.submit_sql(layout.FUNCTIONS_JAR, script, name=JOB, restore_from=None)
    require(cluster.is_caught_up, "the stream has committed every message", within_s=180)
    BatchJobs(f"http://127.0.0.1:{cluster.flink_port}", SystemClock()).cancel(job_id)
    return Table(shuffle, "stream", parallelism, staged_digest(cluster, with_place=False), staged_digest(cluster))


def _restated(cluster: Cluster, shuffle: int, parallelism: int) -> Table:
    place = place_of(cluster)
    done = restate(replace(place, values={**place.values, "PARALLELISM": str(parallelism)}), DAY, closed_until=POST_END)
    digests = (restated_digest(cluster, done.restatement_id, with_place=place) for place in (False, True))
    return Table(shuffle, "batch", parallelism, *digests)


def _forget(cluster: Cluster) -> None:
    """No bars, and no offset that a run before committed."""
    with connect(cluster.dsn()) as connection:
        connection.execute("TRUNCATE staging.bar_1m")
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    if any(group.group_id == JOB for group in admin.list_consumer_groups().result(20).valid):
        for deleted in admin.delete_consumer_groups([JOB]).values():
            deleted.result(20)


def _bars(cluster: Cluster) -> pl.DataFrame:
    schema = {
        "symbol": pl.String,
        "ts_start": pl.Datetime("us", "UTC"),
        **dict.fromkeys(("open", "high", "low", "close"), truth.PRICE),
        **dict.fromkeys(("volume", "tick_count"), pl.Int64),
    }
    query = f"SELECT {', '.join(schema)} FROM staging.bar_1m_sized"
    with connect(cluster.dsn("gate_owner")) as connection:
        return read_frame(connection, query, schema=schema)
