"""What verbs answer that need no server for it: days the wrong way round, an empty log."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stock_platform.cli import app


@pytest.mark.parametrize("words", [["history", "AAPL"], ["backfill"]], ids=["history", "backfill"])
def test_days_the_wrong_way_round_are_refused(tmp_path: Path, words: list[str]) -> None:
    days = ["--from", "2026-11-20", "--to", "2026-11-18", "--data-dir", str(tmp_path)]
    done = CliRunner().invoke(app, [*words, *days], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "Invalid value for --from: 2026-11-20 is after --to 2026-11-18" in done.output


def test_empty_log_is_said_to_be_empty(tmp_path: Path) -> None:
    log = tmp_path / "simulator" / "logs" / "api.log"
    log.parent.mkdir(parents=True)
    log.touch()
    done = CliRunner().invoke(app, ["logs", "api", "--data-dir", str(tmp_path)], env={"STOCK_PLATFORM_PROFILE": "simulator"})
    assert (done.exit_code, done.output) == (0, f"api has logged nothing: {log} is empty\n")
