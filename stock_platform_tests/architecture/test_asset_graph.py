"""The asset graph as a committed text: every key with what it depends on and how it is kept, every check, job, schedule and sensor.

After a wanted change: `UPDATE_SNAPSHOTS=1 make unit`."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.freshness import FreshnessPolicy, TimeWindowFreshnessPolicy

from stock_platform.config import Settings
from stock_platform.definitions import build

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def described() -> str:
    """The definitions of a fresh clone, as text."""
    definitions = build(Settings(_env_file=None))  # type: ignore[call-arg]
    graph = definitions.resolve_asset_graph()
    assets = [_asset(graph.get(key)) for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string())]
    checks = sorted(f"check {key.asset_key.to_user_string()} {key.name}" for key in graph.asset_check_keys)
    repository = definitions.get_repository_def()
    jobs = sorted(f"job {job.name}" for job in repository.get_all_jobs() if not job.name.startswith("__"))
    schedules = sorted(
        f"schedule {each.name} {each.cron_schedule} {each.execution_timezone} -> {each.job_name}"
        for each in repository.schedule_defs
    )
    sensors = sorted(f"sensor {sensor.name}" for sensor in repository.sensor_defs)
    return "\n".join([*assets, *checks, *jobs, *schedules, *sensors]) + "\n"


def _asset(node: AssetNode) -> str:
    """Two lines: what it depends on; group, kinds, partitions and policies."""
    upstream = ", ".join(sorted(key.to_user_string() for key in node.parent_keys)) or "-"
    kept = {
        "group": node.group_name,
        "kinds": " ".join(sorted(node.kinds)) or "-",
        "partitions": "session" if node.is_partitioned else "-",
        "freshness": _freshness(node.freshness_policy),
        "backfill": node.backfill_policy.policy_type.value if node.backfill_policy else "-",
    }
    return f"asset {node.key.to_user_string()} <- {upstream}\n    {', '.join(f'{name} {value}' for name, value in kept.items())}"


def _freshness(policy: FreshnessPolicy | None) -> str:
    """A window in hours; any other kind as Dagster writes it."""
    if isinstance(policy, TimeWindowFreshnessPolicy):
        return f"{policy.fail_window.to_timedelta() / timedelta(hours=1):g} h"
    return str(policy) if policy else "-"


@pytest.mark.filterwarnings("ignore")
def test_asset_graph_is_as_committed() -> None:
    text = described()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_every_schedule_and_sensor_says_what_it_does() -> None:
    repository = build(Settings(_env_file=None)).get_repository_def()  # type: ignore[call-arg]
    assert [each.name for each in (*repository.schedule_defs, *repository.sensor_defs) if not each.description] == []
