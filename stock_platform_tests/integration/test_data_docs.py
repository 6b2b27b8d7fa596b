"""A gate run in Dagster over a real Postgres: its page of Data Docs, read as the API's role, and the links that lead there.

Not here: what is on a page (unit/test_data_docs), when bars are closed (test_lateness)."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import pytest
from fastapi.testclient import TestClient

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect, open_pool
from stock_platform.api.app import create_app
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.stream import Hub
from stock_platform.config import Settings
from stock_platform.defs import certify
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.world import World
from stock_platform.gate.rules import RULES
from stock_platform.market.passport import read_passport
from stock_platform_tests.staged import DAY, EVENING, empty_market, stage


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE quality.validation_page, ops.alert")
        yield connection


@pytest.fixture
def api(database: Settings) -> Iterator[TestClient]:
    """The API as its read-only role."""
    with open_pool(database.dsn("api_reader"), size=1) as pool:
        read = partial(read_passport, dagster_address="http://dagster")
        store = PostgresStore(pool, feed_kind="tape", dagster_page="http://dagster", read_passport=read)
        yield TestClient(create_app(store, Hub(lambda _: iter(())), SystemClock()))


@pytest.fixture
def gate(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run of the gate; every bar is closed."""
    monkeypatch.setattr(certify, "_closed_until", lambda *_: EVENING)

    def run() -> dg.ExecuteInProcessResult:
        world: Any = dg.ResourceDefinition.hardcoded_resource(World(database, SystemClock(), "c0de"))
        assets = [certify.gate_assets(session_partitions(DAY))]
        return dg.materialize(assets, partition_key=DAY.isoformat(), resources={"world": world}, raise_on_error=False)

    return run


def stage_minutes(admin: Connection, count: int, *, bad: int) -> None:
    """So many bars, the first ones without a tick."""
    for minute in range(count):
        stage(admin, minute, first=100 * minute + 50, last=100 * minute + 100, tick_count=0 if minute < bad else 2)


def links(done: dg.ExecuteInProcessResult) -> list[Any]:
    """Where the events of the staged bars and of their checks lead."""
    (staged,) = (
        event for event in done.asset_materializations_for_node("certify") if event.asset_key == dg.AssetKey(["staging", "bar_1m"])
    )
    told = [staged.metadata, *(each.metadata for each in done.get_asset_check_evaluations())]
    return [metadata["Data Docs"].value if "Data Docs" in metadata else None for metadata in told]


def test_events_of_a_gate_run_and_a_bars_passport_lead_to_its_page(gate: Any, admin: Connection, api: TestClient) -> None:
    stage_minutes(admin, 4, bad=1)

    done = gate()

    path = f"/data-docs/{done.run_id}"
    assert links(done) == [f"http://localhost:5000{path}"] * (1 + len(RULES) + 1)
    assert api.get("/stocks/A/bars/2026-11-20T14:31:00Z/passport").json()["gate_run"]["data_docs_url"] == path
    answer = api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for fact in (done.run_id, "c0de", "3 of 4 bars certified, 1 refused.", "A 2026-11-20T14:30Z"):
        assert fact in answer.text
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    assert "immutable" in answer.headers["cache-control"]
    assert api.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_gate_run_tells_how_many_bars_the_session_has_and_how_many_it_wrote(gate: Any, admin: Connection) -> None:
    stage_minutes(admin, 4, bad=1)
    gate()
    stage(admin, 4, first=450, last=500)
    events = gate().asset_materializations_for_node("certify")
    told = {each.asset_key.path[-1]: {name: value.value for name, value in each.metadata.items()} for each in events}
    assert told["bar_1m"] == {"dagster/row_count": 4, "rows_written": 1, "inserted": 1, "revised": 0}
    assert told["quarantine"] == {"dagster/row_count": 1, "rows_written": 0}


def test_blocked_batch_has_its_page(gate: Any, admin: Connection, api: TestClient) -> None:
    stage_minutes(admin, 20, bad=8)
    done = gate()
    assert not done.success
    assert admin.execute("SELECT count(*) FROM market.bar_1m").fetchone() == (0,)
    assert set(links(done)) == {f"http://localhost:5000/data-docs/{done.run_id}"}
    assert "Blocked by quarantine_share: none of 20 bars moved." in api.get(f"/data-docs/{done.run_id}").text


def test_run_that_judged_no_bar_has_none_and_the_answer_says_so(gate: Any, admin: Connection, api: TestClient) -> None:
    done = gate()
    assert set(links(done)) == {None}
    answer = api.get(f"/data-docs/{done.run_id}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "it judged no bar" in answer.json()["detail"]


def test_page_that_cannot_be_kept_fails_nothing(gate: Any, admin: Connection) -> None:
    stage_minutes(admin, 2, bad=0)
    admin.execute("REVOKE INSERT ON quality.validation_page FROM gate_owner")
    try:
        done = gate()
    finally:
        admin.execute("GRANT INSERT ON quality.validation_page TO gate_owner")
    assert done.success
    assert admin.execute("SELECT count(*) FROM market.bar_1m").fetchone() == (2,)
    assert admin.execute("SELECT count(*) FROM quality.validation_page").fetchone() == (0,)


def test_passport_leads_to_no_page_of_another_session_and_to_none_that_is_forgotten(
    gate: Any, admin: Connection, api: TestClient
) -> None:
    stage_minutes(admin, 2, bad=0)
    gate()
    passport = "/stocks/A/bars/2026-11-20T14:31:00Z/passport"
    admin.execute("UPDATE quality.validation_page SET session_date = session_date - 1")
    assert api.get(passport).json()["gate_run"]["data_docs_url"] is None
    admin.execute("TRUNCATE quality.validation_page")
    assert api.get(passport).json()["gate_run"]["data_docs_url"] is None
