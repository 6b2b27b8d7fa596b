"""Reconciliation end to end but for Flink: a server under Yahoo's names, real Postgres and Kafka, runs and sensors of Dagster."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.reconcile import ended_sessions_sensor, near_vendor, reconcile_job, reconciliation_asset
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.vendor import vendor_assets
from stock_platform.defs.world import World
from stock_platform.market.protection import protect
from stock_platform_tests.broker import Broker, empty_topics, running_broker
from stock_platform_tests.integration.test_yahoo_vendor import EVENING, StandingClock
from stock_platform_tests.staged import DAY, OPEN
from stock_platform_tests.vendor_history import MINUTE, History, certify, settings_over
from stock_platform_tests.vendor_server import vendor_server

PARTITIONS = session_partitions(DAY - timedelta(days=60), DAY)
OURS = (10.0, 11.0, 10.0, 11.0, 100)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as started, empty_topics(started.bootstrap):
        yield started


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Certified minutes, and a feed that has come to the evening."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        certify(connection, database)
        connection.execute("TRUNCATE ops.feed_line, aggregates.bar_1d")
        connection.execute(
            "INSERT INTO ops.feed_line (line, dagster_run_id, source, state, ts_started, ts_heartbeat, ts_clock, tick_count, "
            "reject_count) VALUES ('line-0a', 'run', 'yahoo', 'running', %(at)s, %(at)s, %(at)s, 0, 0)",
            {"at": EVENING},
        )
        connection.execute(
            "INSERT INTO aggregates.bar_1d SELECT symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, 1, "
            "session_date, dagster_run_id, ts_accepted FROM market.bar_1m WHERE ts_start = %s",
            (OPEN,),
        )
        yield connection
        connection.execute("TRUNCATE ops.feed_line, aggregates.bar_1d")


@pytest.fixture
def history() -> History:
    """Minute 0 is an edge, 1 equal, 2 other in open and volume and near in its high, 3 only theirs, 4 held, and 5 only ours."""
    history = History()
    history.minutes = {
        0: (10.0, 11.0, 10.0, 11.0, 0),
        1: OURS,
        2: (10.01, 11.0005, 10.0, 11.0, 90),
        3: (10.0, 11.0, 10.0, 10.5, 70),
        4: (10.0, 10.5, 10.0, 11.0, 200),
    }
    return history


class Platform:
    """The assets over one world."""

    def __init__(self, settings: Settings) -> None:
        self.world = World(settings, StandingClock(), "c0de")
        self.instance = dg.DagsterInstance.ephemeral()
        self.definitions = dg.Definitions(
            assets=[vendor_assets(PARTITIONS, retry_after_s=0.1)[0], reconciliation_asset(PARTITIONS)],
            asset_checks=[near_vendor],
            jobs=[reconcile_job(PARTITIONS)],
            resources={"world": dg.ResourceDefinition.hardcoded_resource(self.world)},
        )

    def reconcile(self) -> dict[str, Any]:
        """Run the job for the session; metadata of the difference."""
        job = self.definitions.resolve_job_def("reconcile_session")
        result = job.execute_in_process(partition_key=DAY.isoformat(), instance=self.instance)
        assert result.success
        (event,) = [
            event.materialization
            for event in result.get_asset_materialization_events()
            if event.materialization.asset_key == dg.AssetKey(["quality", "vendor_difference"])
        ]
        (check,) = result.get_asset_check_evaluations()
        return {**{name: each.value for name, each in event.metadata.items()}, "is_near": check.passed}

    def requested(self) -> list[str | None]:
        """Sessions that the sensor asks for now."""
        sensor = ended_sessions_sensor(reconcile_job(PARTITIONS), PARTITIONS, "yahoo")
        context = dg.build_sensor_context(instance=self.instance, resources={"world": self.world})
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        return [each.partition_key for each in result.run_requests or ()]


def platform(database: Settings, broker: Broker, folder: Path, *, policy: str = "report") -> Platform:
    settings = settings_over(database, folder, policy=policy)
    return Platform(settings.model_copy(update={"kafka_port": int(broker.bootstrap.rsplit(":")[-1])}))


def differences(connection: Connection) -> list[tuple[Any, ...]]:
    query = "SELECT ts_start, field, ours, vendor, round(difference_bps::numeric, 2) FROM quality.vendor_difference ORDER BY 1, 2"
    return [((row[0] - OPEN) // MINUTE, *row[1:]) for row in connection.execute(query).fetchall()]


ALONE = [(3, "only_vendor", None, Decimal("10.5"), None), (5, "only_ours", Decimal(11), None, None)]
DIFFERENT = [
    (2, "open", Decimal(10), Decimal("10.01"), Decimal("10.00")),
    (2, "volume", Decimal(100), Decimal(90), Decimal("-1000.00")),
]


def test_ended_session_is_requested_once_and_told_field_by_field(
    database: Settings, broker: Broker, admin: Connection, history: History, tmp_path: Path
) -> None:
    with vendor_server(history.answer, tmp_path):
        there = platform(database, broker, tmp_path)
        assert there.requested() == [DAY.isoformat()]
        found = there.reconcile()
        assert there.requested() == []
        assert (found["compared"], found["equal"], found["only_ours"], found["only_vendor"]) == (2, 1, 1, 1)
        assert (found["dagster/row_count"], found["corrected"], found["is_near"]) == (4, 0, True)
        assert "| open | 2 | 1 | 1 | 10.0 |" in found["summary"]
        assert differences(admin) == DIFFERENT + ALONE
        there.reconcile()
        assert differences(admin) == DIFFERENT + ALONE, "a repeat replaces the session's rows"
        history.minutes[2] = OURS
        there.reconcile()
        assert differences(admin) == ALONE
    assert admin.execute("SELECT DISTINCT verdict FROM market.bar_1m").fetchall() == [("passed",)]


def test_instrument_that_is_corrected_takes_the_vendors_prices_where_they_differ(
    database: Settings, broker: Broker, admin: Connection, history: History, tmp_path: Path
) -> None:
    with vendor_server(history.answer, tmp_path):
        there = platform(database, broker, tmp_path, policy="correct")
        found = there.reconcile()
        assert (found["corrected"], found["compared"]) == (1, 2)
        assert differences(admin) == ALONE
        assert there.reconcile()["corrected"] == 0, "what is the vendor's own is held against nothing"
    bars = admin.execute("SELECT ts_start, open, volume, verdict FROM market.bar_1m WHERE verdict <> 'passed'").fetchall()
    assert bars == [(OPEN + 2 * MINUTE, Decimal("10.01"), 90, "vendor")]
    refreshed = admin.execute("SELECT volume, bar_count FROM aggregates.bar_1d").fetchall()
    assert refreshed == [(100 + 100 + 90 + 200 + 100, 5)]


def test_protected_session_is_told_of_and_not_corrected(
    database: Settings, broker: Broker, admin: Connection, history: History, tmp_path: Path
) -> None:
    protect(admin, DAY, "audited", now=EVENING)
    with vendor_server(history.answer, tmp_path):
        assert platform(database, broker, tmp_path, policy="correct").reconcile()["corrected"] == 0
    assert differences(admin) == DIFFERENT + ALONE


def test_split_is_undone_before_bars_are_compared(
    database: Settings, broker: Broker, admin: Connection, history: History, tmp_path: Path
) -> None:
    """2:1 since: the vendor shows half the prices and twice the volume. The feed's own clock stays in the evening."""
    monday = DAY + timedelta(days=3)
    admin.execute(
        "INSERT INTO reference.corporate_action VALUES ('A', %s, 'split', 2, NULL, 'USD', 'yahoo', %s)", (monday, EVENING)
    )
    history.minutes = dict.fromkeys((0, 1, 2), (5.0, 5.5, 5.0, 5.5, 200))
    with vendor_server(history.answer, tmp_path):
        there = platform(database, broker, tmp_path)
        there.world.clock.sleep(timedelta(days=3))
        assert (there.reconcile()["equal"], differences(admin)) == (3, [(4, *ALONE[1][1:]), (5, *ALONE[1][1:])])
