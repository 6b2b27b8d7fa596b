"""Lists of the API over a real Postgres, as its read-only role: restatements, actions, refused bars, gaps, overview."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect, open_pool
from stock_platform.adapters.probe import free_port
from stock_platform.api.app import create_app
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.stream import Hub
from stock_platform.config import Settings

_TABLES = (
    "reference.instrument, reference.corporate_action, market.quote, ops.restatement, quality.restatement, quality.quarantine, "
    "quality.quarantine_decision, quality.gap, aggregates.mover, aggregates.sector_breadth, aggregates.indicator_1d, "
    "ops.slo_session, ops.latency_minute, quality.validation_page"
)
_EMPTY = f"TRUNCATE {_TABLES} RESTART IDENTITY"
_ROWS = """
INSERT INTO reference.instrument (symbol, name, sector, currency, calendar, provider) VALUES
('A', 'A Inc.', 'Technology', 'USD', 'XNYS', 'yahoo'), ('B', 'B Inc.', 'Energy', 'USD', 'XNYS', 'yahoo'),
('C', 'Coin', 'Crypto', 'USD', '24/7', 'yahoo');
INSERT INTO market.quote (symbol, price, change_pct, currency, session_phase, ts_event, ts_recv, source) VALUES
('A', 101.5, 1.5, 'USD', 'regular', '2014-06-09 15:00Z', '2014-06-09 15:00Z', 'tape');
INSERT INTO reference.corporate_action (symbol, ex_date, kind, ratio, amount, currency, source, ts_recv) VALUES
('A', '2014-06-09', 'split', 7, NULL, 'USD', 'yahoo', '2014-06-09 12:00Z'),
('A', '2014-05-08', 'dividend', NULL, 3.29, 'USD', 'yahoo', '2014-05-08 12:00Z');
INSERT INTO ops.restatement (session_date, symbols, ticks_from, state, is_promoted, ts_started, dagster_run_id) VALUES
('2014-06-06', 'A B', 'archive', 'finished', TRUE, '2014-06-07 10:00Z', 'run'),
('2014-06-09', NULL, NULL, 'failed', FALSE, '2014-06-10 10:00Z', 'run-2'),
('2014-06-09', NULL, 'topic', 'finished', FALSE, '2014-06-10 11:00Z', NULL);
INSERT INTO quality.restatement
(restatement_id, symbol, ts_start, session_date, change, bar_before, bar_after, dagster_run_id, ts_accepted)
SELECT 1, symbol, ts_start::timestamptz, '2014-06-06', change, before::jsonb, after::jsonb, 'run', '2014-06-07 10:05Z'
FROM (VALUES
    ('A', '2014-06-06 13:30Z', 'added', NULL, {bar}), ('A', '2014-06-06 13:31Z', 'changed', {bar}, {bar}),
    ('B', '2014-06-06 13:30Z', 'removed', {bar}, NULL)
) AS given (symbol, ts_start, change, before, after);
INSERT INTO quality.gap
(symbol, ts_start, ts_end, session_date, minute_count, gap_class, evidence, state, closed_reason, attempt_count, ts_found,
    ts_closed, closed_by_run, dagster_run_id) VALUES
('A', '2014-06-09 13:30Z', '2014-06-09 13:32Z', '2014-06-09', 2, 'feed_gap', 'x', 'open', NULL, 0, '2014-06-09 14:00Z', NULL,
    NULL, 'r'),
('B', '2014-06-09 13:30Z', '2014-06-09 13:31Z', '2014-06-09', 1, 'no_trade', 'x', 'explained', 'x', 0, '2014-06-09 14:00Z',
    '2014-06-09 14:00Z', NULL, 'r'),
('A', '2014-06-06 13:30Z', '2014-06-06 13:31Z', '2014-06-06', 1, 'halt', 'x', 'explained', 'x', 0, '2014-06-06 14:00Z',
    '2014-06-06 14:00Z', 'repair', 'r');
INSERT INTO aggregates.sector_breadth
(session_date, sector, symbol_count, advancing_count, declining_count, unchanged_count, dagster_run_id, ts_updated) VALUES
('2014-06-09', 'Technology', 1, 1, 0, 0, 'r', '2014-06-09 20:00Z'), ('2014-06-09', 'ALL', 2, 1, 1, 0, 'r', '2014-06-09 20:00Z'),
('2014-06-10', 'ALL', 1, 0, 1, 0, 'r', '2014-06-10 01:00Z');
INSERT INTO aggregates.mover (session_date, direction, rank, symbol, previous_close, close, change_pct, dagster_run_id, ts_updated)
VALUES ('2014-06-09', 'top', 1, 'A', 100, 101.5, 1.5, 'r', '2014-06-09 20:00Z'),
('2014-06-09', 'bottom', 1, 'B', 100, 99, -1, 'r', '2014-06-09 20:00Z'),
('2014-06-10', 'top', 1, 'C', 100, 99, -1, 'r', '2014-06-10 01:00Z');
INSERT INTO aggregates.indicator_1d (symbol, session_date, close, session_count, sma_20, dagster_run_id, ts_updated) VALUES
('A', '2014-06-06', 90, 20, 88.5, 'r', '2014-06-06 20:00Z'), ('A', '2014-06-09', 91, 21, 89.25, 'r', '2014-06-09 20:00Z');
INSERT INTO ops.slo_session
(session_date, symbol, calendar, session_minute_count, excused_minute_count, good_minute_count, dagster_run_id, ts_updated) VALUES
('2014-06-09', 'A', 'XNYS', 1010, 10, 999, 'r', '2014-06-09 20:00Z'),
('2014-06-09', 'C', '24/7', 1000, 0, 1000, 'r', '2014-06-09 20:00Z');
INSERT INTO ops.latency_minute
(ts_minute, hop, observation_count, p50_ms, p95_ms, p99_ms, max_ms, dagster_run_id, ts_updated) VALUES
('2014-06-09 13:30Z', 'event_to_received', 9, 1, 2, 3, 4, 'r', '2014-06-09 20:00Z'),
('2014-06-09 13:30Z', 'event_to_staging', 9, 2, 3, 4, 5, 'r', '2014-06-09 20:00Z'),
('2014-06-09 13:31Z', 'event_to_staging', 9, 3, 4, 5, 6.5, 'r', '2014-06-09 20:00Z');
INSERT INTO quality.validation_page (dagster_run_id, session_date, page, ts_rendered) VALUES
('0f3c5a8e-7d21-4c6b-9a53-b1f0e2d4c687', '2014-06-09', '<!DOCTYPE html><title>Data Docs</title>', '2014-06-09 20:00Z');
"""
_BAR = (
    '\'{"open": "1.500000", "high": "2", "low": "1", "close": "2", "volume": 5, "vwap": "1.75", "tick_count": 3, '
    '"ts_first_tick": "2014-06-06T13:30:00Z", "revision": 1, "verdict": "passed"}\''
)
_REFUSED_COLUMNS = (
    "open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, is_continuous, session_date, rules"
)
_REFUSED_VALUES = "9, 9, 9, 9, 1, 9, 1, '2014-06-09 13:30Z', '2014-06-09 13:30Z', TRUE, '2014-06-09', 'collar,tick_size'"
_REFUSED = f"""
INSERT INTO quality.quarantine (symbol, ts_start, ts_end, {_REFUSED_COLUMNS}, source, kafka_partition, kafka_offset_first,
    kafka_offset_last, flink_job_id, dagster_run_id, ts_quarantined, state) VALUES
('A', '2014-06-09 13:30Z', '2014-06-09 13:31Z', {_REFUSED_VALUES}, 'tape', 0, 0, 0, 'j', 'gate', '2014-06-09 13:32Z', 'open'),
('B', '2014-06-09 13:30Z', '2014-06-09 13:31Z', {_REFUSED_VALUES}, 'tape', 0, 0, 0, 'j', 'gate', '2014-06-09 13:32Z', 'discarded');
INSERT INTO quality.quarantine_decision
(symbol, ts_start, {_REFUSED_COLUMNS}, decision, reason, decided_by, dagster_run_id, ts_decided) VALUES
('B', '2014-06-09 13:30Z', {_REFUSED_VALUES}, 'discarded', 'a typing error', 'ann', 'desk', '2014-06-09 14:00Z'),
('A', '2014-06-09 13:40Z', {_REFUSED_VALUES}, 'released', 'a true move', 'ann', 'desk', '2014-06-09 14:00Z');
"""


@pytest.fixture(scope="module")
def api(database: Settings) -> Iterator[TestClient]:
    """The API as its read-only role, over some rows of every list."""
    with listing_app(database) as app:
        yield TestClient(app)


@contextmanager
def listing_app(database: Settings) -> Generator[FastAPI]:
    """The application over some rows of every list; gone afterwards."""
    with connect(database.dsn("admin"), autocommit=True) as admin:
        for statement in (_EMPTY, _ROWS.replace("{bar}", _BAR), _REFUSED):
            admin.execute(statement)
        with open_pool(database.dsn("api_reader"), size=2) as pool:
            store = PostgresStore(pool, feed_kind="tape", dagster_page="http://dagster", read_passport=lambda *_: None)
            yield create_app(
                store, Hub(lambda should_stop: iter(())), SystemClock(), requests_per_s=1_000_000, rules=("tick_size", "tick")
            )
        admin.execute(_EMPTY)


@pytest.fixture
def reader(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("api_reader")) as connection:
        yield connection


def asked(api: TestClient, path: str, **parameters: Any) -> dict[str, Any]:
    answer = api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_overview_is_of_the_newest_session_that_half_of_the_watchlist_traded_in(api: TestClient) -> None:
    found = asked(api, "/market/overview")
    assert found["session_date"] == "2014-06-09"
    assert [(each["symbol"], each["change_pct"]) for each in found["top"] + found["bottom"]] == [("A", "1.5"), ("B", "-1")]
    assert [each["sector"] for each in found["breadth"]] == ["ALL", "Technology"]
    assert [(each["symbol"], each["sector"], each["change_pct"]) for each in found["symbols"]] == [
        ("A", "Technology", "1.5"),
        ("B", "Energy", None),
        ("C", "Crypto", None),
    ]


def test_restatements_say_how_many_bars_they_changed_and_how(api: TestClient) -> None:
    compared, failed, finished = asked(api, "/restatements")["items"]
    assert (compared["state"], compared["is_promoted"], compared["dagster_run_id"]) == ("finished", False, None)
    assert (failed["state"], failed["symbols"], failed["ticks_from"], failed["changed_count"]) == ("failed", None, None, 0)
    assert (failed["dagster_run_id"], finished["is_promoted"]) == ("run-2", True)
    assert finished["symbols"] == ["A", "B"]
    assert [finished[f"{change}_count"] for change in ("added", "removed", "changed")] == [1, 1, 1]


def test_restated_bars_have_what_they_said_before_and_after(api: TestClient) -> None:
    changed, added = asked(api, "/stocks/A/restatements")["items"]
    assert (added["change"], added["before"], changed["change"]) == ("added", None, "changed")
    assert (added["after"]["open"], added["after"]["vwap"], added["after"]["volume"]) == ("1.5", "1.75", 5)


def test_actions_are_newest_first_and_of_a_range(api: TestClient) -> None:
    items = asked(api, "/stocks/a/actions")["items"]
    assert [(each["kind"], each["ratio"], each["amount"]) for each in items] == [("split", "7", None), ("dividend", None, "3.29")]
    assert asked(api, "/stocks/A/actions", end="2014-06-09")["items"] == items[1:]


def test_indicators_are_oldest_first(api: TestClient) -> None:
    items = asked(api, "/stocks/A/indicators")["items"]
    assert [(each["session_date"], each["sma_20"], each["sma_50"]) for each in items] == [
        ("2014-06-06", 88.5, None),
        ("2014-06-09", 89.25, None),
    ]
    assert asked(api, "/stocks/A/indicators", limit=1)["items"] == items[1:]
    assert asked(api, "/stocks/A/indicators", limit=1, start="2014-06-01")["items"] == items[:1]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["A released", "B discarded", "A open"]),
        ({"state": "open"}, ["A open"]),
        ({"state": "decided"}, ["A released", "B discarded"]),
        ({"state": "discarded"}, ["B discarded"]),
        ({"symbol": "a"}, ["A released", "A open"]),
        ({"rule": "tick_size", "state": "open"}, ["A open"]),
        ({"rule": "tick", "state": "open"}, []),
        ({"end": "2014-06-09"}, []),
    ],
)
def test_refused_bars_wait_or_have_their_decision(api: TestClient, parameters: dict[str, str], found: list[str]) -> None:
    answer = asked(api, "/quality/quarantine", **parameters)
    assert [f"{each['symbol']} {each['state']}" for each in answer["items"]] == found
    assert answer["open_count"] == 1


def test_decision_says_who_and_why(api: TestClient) -> None:
    (discarded,) = asked(api, "/quality/quarantine", state="discarded")["items"]
    assert discarded["rules"] == ["collar", "tick_size"]
    assert discarded["decision"] == {
        "reason": "a typing error",
        "decided_by": "ann",
        "dagster_run_id": "desk",
        "ts_decided": "2014-06-09T14:00:00Z",
    }


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["B no_trade", "A feed_gap", "A halt"]),
        ({"state": "open"}, ["A feed_gap"]),
        ({"gap_class": "halt"}, ["A halt"]),
        ({"symbol": "B"}, ["B no_trade"]),
        ({"start": "2014-06-09"}, ["B no_trade", "A feed_gap"]),
        ({"end": "2014-06-09"}, ["A halt"]),
    ],
)
def test_gaps_of_all_symbols_are_filtered_and_newest_first(api: TestClient, parameters: dict[str, str], found: list[str]) -> None:
    items = asked(api, "/quality/gaps", **parameters)["items"]
    assert [f"{each['symbol']} {each['gap_class']}" for each in items] == found


def test_service_levels_say_what_is_left_of_the_budget(api: TestClient) -> None:
    levels = asked(api, "/quality/slo")["items"]
    assert [(each["session_date"], each["calendar"]) for each in levels] == [
        ("2014-06-09", "XNYS"),
        ("2014-06-09", "ALL"),
        ("2014-06-09", "24/7"),
    ]
    xnys, overall, _ = levels
    assert (xnys["counted_minute_count"], xnys["spent_minute_count"]) == (1000, 1)
    assert (overall["counted_minute_count"], overall["spent_minute_count"]) == (2000, 1)
    # of 2,000 minutes 0.1 % may be missed: two; one is
    assert overall["good_ratio"] == pytest.approx(0.9995)
    assert overall["budget_30_minutes"] == pytest.approx(2)
    assert overall["budget_left_ratio"] == pytest.approx(0.5)
    assert asked(api, "/quality/slo", calendar="ALL")["items"] == [overall]


def test_latency_is_oldest_first_and_the_newest_without_a_start(api: TestClient) -> None:
    items = asked(api, "/quality/latency")["items"]
    assert [(each["ts_minute"], each["hop"]) for each in items] == [
        ("2014-06-09T13:30:00Z", "event_to_received"),
        ("2014-06-09T13:30:00Z", "event_to_staging"),
        ("2014-06-09T13:31:00Z", "event_to_staging"),
    ]
    assert items[2]["max_ms"] == 6.5
    assert asked(api, "/quality/latency", limit=1)["items"] == items[2:]
    assert asked(api, "/quality/latency", hop="event_to_received")["items"] == items[:1]
    assert asked(api, "/quality/latency", start="2014-06-09T13:30:00Z", end="2014-06-09T13:31:00Z")["items"] == items[:2]


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("/quality/quarantine", "dagster_run_id"),
        ("/quality/gaps", "closed_by_run"),
        ("/stocks/A/gaps", "closed_by_run"),
        ("/restatements", "dagster_run_id"),
        ("/stocks/A/restatements", "dagster_run_id"),
    ],
)
def test_run_of_a_row_has_its_page_and_no_run_has_none(api: TestClient, path: str, run: str) -> None:
    items = asked(api, path)["items"]
    assert any(each[run] for each in items)
    assert [each[f"{run}_url".replace("_id", "")] for each in items] == [
        each[run] and f"http://dagster/runs/{each[run]}" for each in items
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/stocks",
        "/quality/slo",
        "/quality/gaps",
        "/quality/quarantine",
        "/restatements",
        "/stocks/A/restatements",
        "/stocks/A/actions",
    ],
)
def test_pages_of_one_row_together_are_the_whole_list(api: TestClient, path: str) -> None:
    whole, found, cursor = asked(api, path)["items"], list[Any](), ""
    while cursor is not None:
        page = asked(api, path, limit=1, cursor=cursor)
        found += page["items"]
        cursor = page["next_cursor"]
    assert len(whole) > 1
    assert found == whole


@pytest.mark.parametrize(
    "statement", ["INSERT INTO market.quote (symbol) VALUES ('Z')", "DELETE FROM quality.gap", "DROP TABLE ops.alert"]
)
def test_reader_cannot_write_even_where_it_says_that_it_will(reader: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute(statement)  # type: ignore[arg-type]
    reader.rollback()
    reader.execute("SET TRANSACTION READ WRITE")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement)  # type: ignore[arg-type]


def test_reader_does_not_see_what_the_gate_has_not_judged(reader: Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema staging"):
        reader.execute("SELECT count(*) FROM staging.bar_1m")


def test_database_that_is_away_is_told_in_time_and_without_its_address(database: Settings) -> None:
    away = database.model_copy(update={"postgres_port": free_port()})
    with open_pool(away.dsn("api_reader"), size=1) as pool:
        store = PostgresStore(pool, feed_kind="tape", dagster_page="http://dagster", read_passport=lambda *_: None)
        answer = TestClient(create_app(store, Hub(lambda should_stop: iter(())), SystemClock())).get("/restatements")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"].startswith("The store does not answer at the moment")
    assert str(away.postgres_port) not in answer.text
