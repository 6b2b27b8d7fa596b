"""Restatements on a test cluster: its reference data, its place, and what a table says regardless of who wrote it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.feed.archive_file import archive_path
from stock_platform.market.restatement import Place
from stock_platform.repair import restating
from stock_platform_tests.integration.jvm import PASSWORD, Cluster

DAY = date(2013, 10, 7)
PRE, OPEN, CLOSE, POST_END = (datetime(2013, 10, 7, *at, tzinfo=UTC) for at in ((8, 0), (13, 30), (20, 0), (23, 59)))

_MADE = (
    "symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first, day_volume_last, "
    "price_first, notional_inside, source, is_continuous"
)
_PLACE = "kafka_partition, kafka_offset_first, kafka_offset_last"
_DIGEST = """
SELECT md5(coalesce(string_agg(bar::text, '|' ORDER BY symbol, ts_start), ''))
FROM (SELECT {columns} FROM {table} {where}) AS bar
"""


def load_reference(cluster: Cluster, symbols: Sequence[str]) -> None:
    """The symbols, with the one session of 2013-10-07."""
    with connect(cluster.dsn()) as connection:
        connection.execute(
            "INSERT INTO reference.session (calendar, session_date, ts_open, ts_close, ts_pre, ts_post_end, is_assumed) "
            "VALUES ('XNYS', %s, %s, %s, %s, %s, FALSE) ON CONFLICT DO NOTHING",
            (DAY, OPEN, CLOSE, PRE, POST_END),
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO reference.instrument (symbol, name, sector, currency, calendar, provider) "
                "VALUES (%s, 'made up', 'none', 'USD', 'XNYS', 'test') ON CONFLICT DO NOTHING",
                [(symbol,) for symbol in symbols],
            )


def settings_of(cluster: Cluster) -> Settings:
    """The cluster as a stack's settings."""
    passwords = {f"postgres_{role}_password": PASSWORD for role in ("gate_owner", "flink_writer", "feed_writer")}
    ports = {name: getattr(cluster, name) for name in ("kafka_port", "flink_port", "postgres_port")}
    size = {"flink_parallelism": cluster.parallelism}
    return Settings(_env_file=None, data_dir=cluster.folder, **ports, **size, **passwords)  # type: ignore[call-arg, arg-type]


def place_of(cluster: Cluster) -> Place:
    """Where the cluster's restatements are made, as the command has it."""
    return restating.place_of(settings_of(cluster), SystemClock())


def archive_of(cluster: Cluster) -> Path:
    """Where the session's archive is looked for."""
    return archive_path(settings_of(cluster).home, DAY)


def staged_digest(cluster: Cluster, *, with_place: bool = True) -> str:
    """md5 of staging's bars in order; without their place in Kafka on demand."""
    return _digest(cluster, "staging.bar_1m", "", with_place=with_place)


def restated_digest(cluster: Cluster, restatement_id: int, *, with_place: bool = True) -> str:
    """md5 of a restatement's bars in order."""
    return _digest(cluster, "staging.bar_1m_restated", f"WHERE restatement_id = {restatement_id}", with_place=with_place)


def _digest(cluster: Cluster, table: str, where: str, *, with_place: bool) -> str:
    columns = f"{_MADE}, {_PLACE}" if with_place else _MADE
    return str(cluster.read_rows(_DIGEST.format(columns=columns, table=table, where=where))[0][0])
