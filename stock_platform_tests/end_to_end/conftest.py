"""The recorded half hour that several files look at, one after the other, in the order of their names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stock_platform_tests.running_stack import RunningStack, running_stack
from stock_platform_tests.tapes import cut


@pytest.fixture(scope="package")
def tape(recorded_tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From five minutes before the open to 25 minutes after it."""
    return cut(recorded_tape, tmp_path_factory.mktemp("tape"), start="2013-10-07T13:25:00+00:00", end="2013-10-07T13:55:00+00:00")


@pytest.fixture(scope="package")
def stack(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack after the tape has been played and judged."""
    data_dir = tmp_path_factory.mktemp("data")
    with running_stack(data_dir, "--feed", "tape", "--tape", str(tape), "--speed", "60", "--wait") as running:
        yield running
