"""Every query that Grafana may send, run as its own role over a made-up market: what comes back, by which way; what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform_tests import generated
from stock_platform_tests.database import migrated_database
from stock_platform_tests.grafana import DASHBOARDS, Query, dashboard, queries, sent

SYMBOLS = ("S00", "S01")
INTERVALS = ("market.bar_1m", *(f"aggregates.bar_{name}" for name in ("5m", "15m", "1h", "1d")))
KINDS = {1184: "time", 701: "number", 20: "number", 23: "number", 25: "text", 16: "flag"}
"""Postgres' type numbers of timestamptz, float8, int8, int4, text, boolean."""
GROWING = {
    "bar_1m",
    "bar_1m_revision",
    "quarantine",
    "quarantine_decision",
    "check_result",
    "gap",
    "vendor_difference",
    "restatement",
    "gate_run",
    "torn_bar",
    "latency_minute",
    *(f"bar_{name}" for name in ("5m", "15m", "1h", "1d")),
    *("session_stat", "indicator_1d", "volatility_20d", "liquidity_30m", "mover", "sector_breadth", "correlation_60d"),
}
OPEN_ONES_ONLY = {"gap_by_state"}
"""Indexes that hold nothing but the rows that are asked for."""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database of its own: thirty symbols, two sessions."""
    with migrated_database(tmp_path_factory.mktemp("grafana")) as settings:
        with connect(settings.dsn("admin")) as connection:
            generated.fill(connection, sessions=2)
        yield settings


@pytest.fixture(scope="module")
def reader(market: Settings) -> Iterator[Connection]:
    """Connected as Grafana is."""
    with connect(market.dsn("grafana_reader"), autocommit=True) as connection:
        yield connection


def columns_of(reader: Connection, query: Query, interval: str = "market.bar_1m") -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """Names and kinds of the columns, and the rows."""
    cursor = reader.execute(sent(query, end=generated.END, symbols=SYMBOLS, interval=interval).encode())
    described = cursor.description or []
    assert {column.type_code for column in described} <= KINDS.keys(), [(column.name, column.type_code) for column in described]
    return {column.name: KINDS[column.type_code] for column in described}, cursor.fetchall()


def named(columns: dict[str, str], kind: str) -> set[str]:
    return {name for name, each in columns.items() if each == kind}


@pytest.mark.parametrize("query", queries(), ids=str)
def test_query_gives_rows_that_its_panel_can_draw(reader: Connection, query: Query) -> None:
    columns, rows = columns_of(reader, query)
    assert rows, "nothing to draw"
    times, numbers, texts = (named(columns, kind) for kind in ("time", "number", "text"))
    match query.kind:
        case "timeseries":
            assert times == {"time"}
            assert numbers
            assert texts <= {"metric"}
            instants = [row[list(columns).index("time")] for row in rows]
            assert instants == sorted(instants)
        case "candlestick":
            assert times == {"time"}
            assert numbers == {"open", "high", "low", "close", "volume", "vwap"}
        case "stat":
            assert (times, texts, len(rows)) == (set(), set(), 1)
            assert all(value is not None for value in rows[0])
        case "bargauge" | "barchart":
            assert (times, len(texts)) == (set(), 1)
            assert numbers
        case "annotation":
            assert "time" in times <= {"time", "timeend"}
            assert texts == {"text", "tags"}
        case "variable":
            assert list(columns.values()) == ["text"]
        case "alert":
            assert (times, len(numbers)) == (set(), 1)
            assert texts
        case kind:
            assert kind == "table"


@pytest.mark.parametrize("interval", INTERVALS)
def test_bars_of_every_interval_can_be_drawn(reader: Connection, interval: str) -> None:
    """Over a day: a session's bar begins with it."""
    asked = [query for query in queries() if "${interval:raw}" in query.sql]
    assert {query.kind for query in asked} == {"candlestick", "timeseries"}
    for query in asked:
        _, rows = columns_of(reader, replace(query, since=query.since * 3), interval)
        assert rows


def panels() -> list[tuple[Query, dict[str, Any]]]:
    """Each panel's query, and the panel."""
    boards = [dashboard(path) for path in DASHBOARDS]
    by_name = {(board["uid"], panel["title"]): panel for board in boards for panel in board["panels"]}
    others = ("variable", "annotation", "alert")
    return [(query, by_name[query.place, query.title]) for query in queries() if query.kind not in others]


@pytest.mark.parametrize(("query", "panel"), panels(), ids=lambda each: str(each) if isinstance(each, Query) else "")
def test_columns_that_a_panel_dresses_or_links_to_are_in_its_query(reader: Connection, query: Query, panel: dict[str, Any]) -> None:
    columns, _ = columns_of(reader, query)
    overrides = panel["fieldConfig"]["overrides"]
    assert {override["matcher"]["options"] for override in overrides} <= columns.keys()
    text = json.dumps(overrides)
    linked = {part.split("}")[0].split(":")[0] for part in text.split("${__data.fields.")[1:]}
    assert linked <= columns.keys()
    assert panel.get("options", {}).get("xField", next(iter(columns))) in columns


@pytest.mark.parametrize("query", queries(), ids=str)
def test_tables_that_grow_are_read_by_an_index(reader: Connection, query: Query) -> None:
    """Whole scans are what the planner likes for few rows; with them out of favour, one that is left has no index to use."""
    sql = sent(query, end=generated.END, symbols=SYMBOLS)
    reader.execute("SET enable_seqscan = off")
    row = reader.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
    assert row is not None
    scans = [node for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name") in GROWING]
    for node in scans:
        inner = [each for each in nodes(node) if "Index Cond" in each or each.get("Index Name") in OPEN_ONES_ONLY]
        assert inner, f"{node['Node Type']} of {node['Relation Name']}"


@pytest.mark.parametrize(
    ("title", "named", "least", "most"),
    [
        pytest.param("Feed line is silent", ("shard-0-a",), 300, 900, id="five minutes; the other line's market is closed"),
        pytest.param("Stream job does not run", ("ticks_to_bars", "RUNNING"), 0, 0, id="it runs"),
        pytest.param("Stream job lags", ("ticks_to_bars",), 12, 12, id="12 records"),
        pytest.param("Batch is blocked", ("batch_blocked", "2026-11-20"), 60, None, id="since then"),
        pytest.param("Error budget burns", ("ALL", None), 199.9, 200.1, id="20 of 100 minutes where 0.1 were allowed"),
    ],
)
def test_alert_s_number_is_what_its_threshold_is_about(
    reader: Connection, title: str, named: tuple[str | None, ...], least: float, most: float | None
) -> None:
    (query,) = (query for query in queries() if query.kind == "alert" and query.title == title)
    _, ((*labels, number),) = columns_of(reader, query)
    assert [label for label, name in zip(labels, named, strict=True) if name not in (None, label)] == []
    assert least <= number
    assert most is None or number <= most


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's steps."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("role", ["api_reader", "grafana_reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(0.01)",
        "SELECT pg_sleep_for('10 ms')",
        "SELECT pg_sleep_until('-infinity')",
        "SET temp_file_limit = -1",
        "SET default_transaction_read_only = off; DELETE FROM quality.gap",
        "SET default_transaction_read_only = off; CREATE TEMPORARY TABLE mine (a int)",
        "SELECT symbol FROM staging.torn_bar",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/stolen'",
        "SELECT lo_import('/etc/passwd')",
        "SET ROLE gate_owner",
    ],
)
def test_reader_can_neither_wait_nor_write_nor_lift_its_bounds(market: Settings, role: str, statement: str) -> None:
    with (
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
        connect(market.dsn(role), autocommit=True) as connection,
    ):
        for each in statement.split("; "):
            connection.execute(each.encode())


@pytest.mark.parametrize("role", ["api_reader", "grafana_reader"])
def test_reader_is_bounded_from_its_first_statement_on(market: Settings, role: str) -> None:
    with connect(market.dsn(role)) as connection:
        names = ("default_transaction_read_only", "lock_timeout", "idle_in_transaction_session_timeout", "temp_file_limit")
        found = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in names]
    assert found == [("on",), ("2s",), ("30s",), ("256MB",)]


def test_dashboards_cannot_take_more_than_ten_connections(market: Settings) -> None:
    held: list[Connection] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            held.extend(psycopg.connect(market.dsn("grafana_reader")) for _ in range(11))
    finally:
        for connection in held:
            connection.close()
