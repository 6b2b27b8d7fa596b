"""Markers by folder, and the recorded data where it is present."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from stock_platform.config import ROOT

# A slow machine is no wrong result: no example is timed.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

RECORDED = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make soak` gives the minutes."""
    parser.addoption("--soak-minutes", type=float, default=0, help="how long faults at random moments are injected")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test carries its folder's name as marker."""
    for item in items:
        item.add_marker(Path(item.path).relative_to(ROOT / "stock_platform_tests").parts[0])


@pytest.fixture(scope="session")
def recorded_tape() -> Path:
    """Every US trade of four symbols on 2013-10-07."""
    path = RECORDED / "tapes" / "us-2013-10-07.parquet"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    return path
