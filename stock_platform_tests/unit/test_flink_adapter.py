"""The job's script is filled in whole, and what Flink says of a failure is read for what it is."""

from datetime import UTC, datetime

import pytest

from stock_platform.adapters.flink import is_unreadable_state
from stock_platform.adapters.flink_script import STREAM, fill_script, reading_from
from stock_platform.config import ROOT
from stock_platform.errors import SettingInvalid

VALUES = {
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "POSTGRES_URL": "jdbc:postgresql://127.0.0.1:15432/stock_platform",
    "POSTGRES_USER": "flink_writer",
    "POSTGRES_PASSWORD": "it's",
}


def test_script_has_tables_before_inserts_and_nothing_left_open() -> None:
    script = fill_script(ROOT / "flink" / "sql", STREAM, VALUES)
    assert "${" not in script.replace("${...}", "")
    assert script.index("CREATE TABLE staging_bar_1m") < script.index("INSERT INTO staging_bar_1m")


def test_quote_in_a_password_stays_inside_its_literal() -> None:
    assert "'password' = 'it''s'" in fill_script(ROOT / "flink" / "sql", STREAM, VALUES)


def test_value_that_nobody_gave_is_named() -> None:
    with pytest.raises(SettingInvalid, match="POSTGRES_URL"):
        fill_script(ROOT / "flink" / "sql", STREAM, {"KAFKA_BOOTSTRAP": "127.0.0.1:9092"})


def test_script_of_a_job_that_begins_at_an_instant_says_so_of_every_topic_that_it_reads() -> None:
    script = reading_from(fill_script(ROOT / "flink" / "sql", STREAM, VALUES), datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert "earliest-offset" not in script
    assert script.count("'scan.startup.mode' = 'timestamp',\n    'scan.startup.timestamp-millis' = '1795176000000',") == 1


# Lines as Flink 2.3.0 writes them; the first case is of a checkpoint whose files were cut off (test_flink_operations).
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (
                "java.lang.Exception: Exception while creating StreamOperatorStateContext.",
                "Caused by: org.apache.flink.util.FlinkException: Could not restore keyed state backend for "
                "KeyedMapBundleOperator_9a8e7a555e7da63d66bb76f57f06d60b_(1/1) from any of the 1 provided restore options.",
                "Caused by: org.apache.flink.runtime.state.BackendBuildingException: Failed when trying to restore heap backend",
                "Caused by: java.io.EOFException",
            ),
            True,
        ),
        (("Caused by: org.apache.flink.util.StateMigrationException: The new state serializer must not be incompatible.",), True),
        (
            (
                "java.io.IOException: unable to open JDBC writer",
                "Caused by: org.postgresql.util.PSQLException: Connection to 127.0.0.1:15432 refused.",
                "Caused by: java.net.ConnectException: Connection refused",
            ),
            False,
        ),
        (("Caused by: org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment.",), False),
        (("org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager is no longer reachable.",), False),
        ((), False),
    ],
)
def test_only_a_failed_restore_makes_a_state_unreadable(lines: tuple[str, ...], expected: bool) -> None:
    assert is_unreadable_state("\n".join(lines)) is expected
