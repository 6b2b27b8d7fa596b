"""The job's script is filled in whole, and the newest finished checkpoint is found."""

import os
from pathlib import Path

import pytest

from stock_platform.adapters.flink import newest_checkpoint
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


def _checkpoint(folder: Path, job: str, number: int, *, age_s: int, files: tuple[str, ...] = ("_metadata",)) -> Path:
    path = folder / job / f"chk-{number}"
    path.mkdir(parents=True)
    for file in files:
        (path / file).touch()
        os.utime(path / file, (1_000_000 - age_s, 1_000_000 - age_s))
    return path


def test_newest_checkpoint_is_of_the_newest_job_not_of_the_highest_number(tmp_path: Path) -> None:
    _checkpoint(tmp_path, "first", 99, age_s=60)
    newest = _checkpoint(tmp_path, "second", 3, age_s=5)
    _checkpoint(tmp_path, "second", 2, age_s=10)
    assert newest_checkpoint(tmp_path) == newest


def test_checkpoint_without_metadata_was_not_finished(tmp_path: Path) -> None:
    finished = _checkpoint(tmp_path, "job", 1, age_s=10)
    _checkpoint(tmp_path, "job", 2, age_s=0, files=("state",))
    assert newest_checkpoint(tmp_path) == finished


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent") is None
