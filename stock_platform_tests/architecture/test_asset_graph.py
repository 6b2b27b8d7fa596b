"""The asset graph as a committed text: every key with what it depends on, every check, job and sensor.

After a wanted change: `UPDATE_SNAPSHOTS=1 make unit`."""

import os
from pathlib import Path

import pytest

from stock_platform.config import Settings
from stock_platform.definitions import build

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def described() -> str:
    """The definitions of a fresh clone, as text."""
    definitions = build(Settings(_env_file=None))  # type: ignore[call-arg]
    graph = definitions.resolve_asset_graph()
    assets = [
        f"asset {key.to_user_string()} <- {', '.join(sorted(each.to_user_string() for each in graph.get(key).parent_keys)) or '-'}"
        for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string())
    ]
    checks = sorted(f"check {key.asset_key.to_user_string()} {key.name}" for key in graph.asset_check_keys)
    repository = definitions.get_repository_def()
    jobs = sorted(f"job {job.name}" for job in repository.get_all_jobs() if not job.name.startswith("__"))
    sensors = sorted(f"sensor {sensor.name}" for sensor in repository.sensor_defs)
    return "\n".join([*assets, *checks, *jobs, *sensors]) + "\n"


@pytest.mark.filterwarnings("ignore")
def test_asset_graph_is_as_committed() -> None:
    text = described()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()
