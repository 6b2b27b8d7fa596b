"""The job's script is filled in whole."""

import pytest

from stock_platform.adapters.flink_script import STREAM, fill_script
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
