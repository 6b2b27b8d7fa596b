"""A thousand looks of every sensor while nothing happens leave nothing behind."""

import pytest

from stock_platform_tests.broker import empty_topics, running_broker
from stock_platform_tests.dagster_instance import postgres_instance
from stock_platform_tests.database import migrated_database
from stock_platform_tests.idle_sensors import idle_settings
from stock_platform_tests.integration.test_idle_sensors import check_nothing_is_left


@pytest.mark.filterwarnings("ignore")
def test_thousand_looks_leave_nothing_behind(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("idle")
    with (
        migrated_database(folder / "database") as database,
        running_broker(folder / "kafka") as broker,
        empty_topics(broker.bootstrap),
    ):
        settings = idle_settings(database, folder, broker.bootstrap)
        with postgres_instance(settings) as instance:
            found = check_nothing_is_left(settings, instance, times=1_000)
    assert [each for each in found if each.runs or each.events or len(each.cursors) > 1] == []
