"""Sensors that find nothing to do leave nothing behind; a thousand looks of each are in soak/test_idle_sensors.py."""

from collections.abc import Iterator

import dagster as dg
import pytest

from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform_tests.broker import empty_topics, running_broker
from stock_platform_tests.dagster_instance import postgres_instance
from stock_platform_tests.idle_sensors import Looked, idle_settings, looked, sensors_of
from stock_platform_tests.staged import empty_market

TIMES = 4
_NOTHING = "TRUNCATE quality.gap, quality.gate_run, ops.feed_gap, ops.feed_line, ops.flink_job, aggregates.bar_1d, staging.torn_bar"


@pytest.fixture(scope="module")
def idle(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("idle")
    with running_broker(folder / "kafka") as broker, empty_topics(broker.bootstrap):
        yield idle_settings(database, folder, broker.bootstrap)


@pytest.fixture(scope="module")
def instance(idle: Settings) -> Iterator[dg.DagsterInstance]:
    with postgres_instance(idle) as instance:
        yield instance


def check_nothing_is_left(settings: Settings, instance: dg.DagsterInstance, *, times: int) -> list[Looked]:
    """Look with every sensor; neither Dagster's storage nor a cursor has changed afterwards. What each one said."""
    with connect(settings.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute(_NOTHING)
    found = [looked(sensor, instance, settings, times=times) for sensor in sensors_of(settings)]
    with connect(settings.dsn("dagster", "dagster")) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("runs", "event_logs", "asset_check_executions", "asset_keys")
        ]
    assert counts == [(0,)] * 4
    return found


@pytest.mark.filterwarnings("ignore")
def test_sensor_that_finds_nothing_leaves_nothing_and_says_why(idle: Settings, instance: dg.DagsterInstance) -> None:
    found = check_nothing_is_left(idle, instance, times=TIMES)
    assert {each.sensor for each in found} >= {
        "closed_bars",
        "feed_supervisor",
        "flink_supervisor",
        "gap_repair",
        "session_freshness",
    }
    for each in found:
        if each.sensor == "flink_supervisor":  # here it does find something: there is no Flink
            assert any("Flink does not answer" in reason for reason in each.reasons)
        assert (each.sensor, each.runs, each.events) == (each.sensor, 0, 0)
        assert len(each.cursors) == 1, each
        for reason in each.reasons:
            assert reason[:1].isupper(), each
            assert reason.endswith("."), each
            assert len(reason.split()) >= 4, each
