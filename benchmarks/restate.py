"""How long a session takes to be restated beside a stack at rest: 500 symbols of 2,000,000 ticks, and the recorded four.

Restated twice: the second time must give the same rows. Both are held against the truth by polars. Not here: how it is done
(stock_platform/market), the ticks' making (ticks)."""

import tempfile
from pathlib import Path

import polars as pl

from benchmarks import truth
from benchmarks.harness import Figure
from benchmarks.ticks import RECORDED, cloned, synthetic_market, with_messages
from benchmarks.topic import refill
from stock_platform.adapters.postgres import connect, read_frame
from stock_platform.market.restatement import Restated, restate
from stock_platform_tests.integration.jvm import Cluster
from stock_platform_tests.restating import CLOSE, DAY, OPEN, POST_END, load_reference, place_of

_PARALLELISM = 2
_COUNT, _SYMBOLS = 2_000_000, 500
_ORIGINALS = 4
_KEPT = "bench_first_restatement"
_ROW = (
    "symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first, day_volume_last, "
    "price_first, notional_inside, source, is_continuous, kafka_partition, kafka_offset_first, kafka_offset_last"
)
_NOW = f"SELECT {_ROW} FROM staging.bar_1m_restated WHERE restatement_id = {{}}"
_SIZED = """
SELECT symbol, ts_start, open, high, low, close, volume FROM staging.bar_1m_restated_sized WHERE restatement_id = %s
"""


def figures(*, is_quick: bool) -> list[Figure]:
    """seconds_500 and its table; the recorded tape where it is present."""
    count = 200_000 if is_quick else _COUNT
    with tempfile.TemporaryDirectory(prefix="bench-restate-") as folder, Cluster(Path(folder), parallelism=_PARALLELISM) as cluster:
        many = _restated(cluster, session_ticks(count=count, symbol_count=_SYMBOLS))
        recorded = _restated(cluster, session_ticks(count=None, symbol_count=_ORIGINALS)) if RECORDED.exists() else []
    names = ("seconds_500", "wrong_bars_500", "second_diff_rows"), ("seconds_recorded", "wrong_bars_recorded", "recorded_diff_rows")
    return [*_figures(names[0], many), *(_figures(names[1], recorded) if recorded else ())]


def session_ticks(*, count: int | None, symbol_count: int) -> pl.DataFrame:
    """A whole session's ticks with their messages, thinned out evenly to so many; None keeps every trade of the tape."""
    trades = market()
    wanted = trades.height if count is None else count * _ORIGINALS // symbol_count
    thinned = trades.gather_every(max(1, trades.height // wanted))
    return with_messages(cloned(thinned, count=count or trades.height, symbol_count=symbol_count))


def market() -> pl.DataFrame:
    """Trades of regular hours: recorded, or a walk of the same length."""
    if not RECORDED.exists():
        return synthetic_market(750_000)
    hours = pl.col("ts_event").is_between(OPEN, CLOSE, closed="left")
    return pl.read_parquet(RECORDED, columns=["ts_event", "symbol", "price", "size"]).filter(hours)


def _restated(cluster: Cluster, ticks: pl.DataFrame) -> list[float]:
    """Seconds of the first time, wrong bars, rows that differ the second time, bars."""
    load_reference(cluster, ticks["symbol"].unique().to_list())
    refill(cluster.bootstrap, ticks)
    place = place_of(cluster)
    first = restate(place, DAY, closed_until=POST_END)
    wrong = truth.wrong_bars(truth.bars(ticks), _bars(cluster, first))
    with connect(cluster.dsn()) as connection:
        connection.execute(f"CREATE TABLE {_KEPT} AS {_NOW.format(first.restatement_id)}".encode())
    second = restate(place, DAY, closed_until=POST_END)
    now, before = _NOW.format(second.restatement_id), f"SELECT {_ROW} FROM {_KEPT}"
    query = f"SELECT count(*) FROM (({now} EXCEPT {before}) UNION ALL ({before} EXCEPT {now})) AS differing"
    differing = cluster.read_rows(query)[0][0]
    with connect(cluster.dsn()) as connection:
        connection.execute(f"DROP TABLE {_KEPT}".encode())
    return [first.took.total_seconds(), wrong, differing, first.counts.bar_count]


def _bars(cluster: Cluster, done: Restated) -> pl.DataFrame:
    schema = {
        "symbol": pl.String,
        "ts_start": pl.Datetime("us", "UTC"),
        **dict.fromkeys(truth.COMPARED[:4], truth.PRICE),
        "volume": pl.Int64,
    }
    with connect(cluster.dsn("gate_owner")) as connection:
        return read_frame(connection, _SIZED, (done.restatement_id,), schema=schema)


def _figures(names: tuple[str, str, str], measured: list[float]) -> list[Figure]:
    seconds, wrong, differing, bar_count = measured
    return [
        Figure(names[0], round(seconds, 1), "s", 1),
        Figure(names[1], wrong, "bars", int(bar_count), must_be=0),
        Figure(names[2], differing, "rows", int(bar_count), must_be=0),
    ]
