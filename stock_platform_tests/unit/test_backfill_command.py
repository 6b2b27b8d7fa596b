"""The command `backfill`: what it asks of Dagster, and what it says when it cannot."""

from datetime import date
from pathlib import Path

import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.commands.backfill import AGGREGATES, Range, told
from stock_platform.config import Settings
from stock_platform.defs.aggregate_registry import EVERY_ONE
from stock_platform.errors.restatement import StackNotRunning


def test_command_asks_for_every_aggregate() -> None:
    assert set(AGGREGATES) == {aggregate.record.address for aggregate in EVERY_ONE}


def test_without_a_stack_it_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    with pytest.raises(StackNotRunning, match="a backfill needs it: `make up` first"):
        list(told(settings, SystemClock(), Range(date(2026, 1, 1), date(2026, 1, 2))))
