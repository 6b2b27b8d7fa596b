"""Dagster's storage with a kept connection: how many it opens, and what happens when Postgres cuts it."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest
import yaml

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import ROOT, Settings
from stock_platform.defs.instance_storage import KeptConnectionStorage
from stock_platform_tests.dagster_history import BAR
from stock_platform_tests.dagster_instance import postgres_instance

_EVENTS = 20
_OURS = "FROM pg_stat_activity WHERE datname = 'dagster' AND usename = 'dagster' AND pid <> pg_backend_pid()"


@pytest.fixture
def instance(database: Settings) -> Iterator[dg.DagsterInstance]:
    with postgres_instance(database) as instance:
        yield instance


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        yield connection


def backends(admin: Connection) -> set[int]:
    return {int(pid) for (pid,) in admin.execute("SELECT pid " + _OURS).fetchall()}


def test_events_are_written_over_one_connection(instance: dg.DagsterInstance, admin: Connection) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(BAR))
    (kept,) = backends(admin)
    for _ in range(_EVENTS):
        instance.report_runless_asset_event(dg.AssetMaterialization(BAR))
        assert backends(admin) == {kept}
    assert len(instance.fetch_materializations(BAR, limit=2 * _EVENTS).records) == _EVENTS + 1


def test_connection_that_postgres_cuts_is_opened_anew_and_no_event_is_lost(instance: dg.DagsterInstance, admin: Connection) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(BAR))
    cut = backends(admin)
    assert admin.execute("SELECT bool_and(pg_terminate_backend(pid, 5000)) " + _OURS).fetchone() == (True,)
    instance.report_runless_asset_event(dg.AssetMaterialization(BAR))
    assert len(instance.fetch_materializations(BAR, limit=10).records) == 2
    assert not cut & backends(admin)


def test_instance_that_is_done_leaves_no_connection(database: Settings, admin: Connection) -> None:
    with postgres_instance(database) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(BAR))
        assert backends(admin)
    assert wait_until(lambda: not backends(admin), SystemClock(), within=timedelta(seconds=10))


def test_the_stack_has_it() -> None:
    named = yaml.safe_load((ROOT / "dagster.yaml").read_text())["storage"]["custom"]
    assert (named["module"], named["class"]) == (KeptConnectionStorage.__module__, KeptConnectionStorage.__name__)
