"""Door to Dagster's webserver for commands that ask for a backfill: launch it, see how far it is. Over GraphQL.

Not here: single runs, and the request itself (dagster_api)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.dagster_api import ask, finished, granted

_NAME = "the backfill"
_PROBLEM_WITHIN = timedelta(seconds=10)
_LAUNCH = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
    ... on PartitionSetNotFoundError { message }
    ... on UnauthorizedError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_LOOK = """
query($id: String!, $filter: RunsFilter!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {
      status
      error { message }
      assetBackfillData {
        assetBackfillStatuses {
          ... on AssetPartitionsStatusCounts { numPartitionsTargeted numPartitionsMaterialized }
        }
      }
    }
  }
  runsOrError(filter: $filter) { ... on Runs { results { runId status } } }
}
"""


@dataclass(frozen=True)
class Backfill:
    """How far it is.

    Args:
        status: As Dagster names it.
        done: Partitions of all assets that are materialized, of so many that are targeted.
        runs: Ids of its runs, newest first; failed: of those that have failed.
        problem: Why the backfill itself failed.
    """

    status: str
    done: int
    targeted: int
    runs: tuple[str, ...]
    failed: tuple[str, ...]
    problem: str | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens."""
        return self.status in ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED")

    @property
    def is_done(self) -> bool:
        """Whether every partition was made."""
        return self.status == "COMPLETED_SUCCESS"


def launch_backfill(
    address: str, assets: Sequence[str], partitions: Sequence[str], *, config: Mapping[str, Any], tags: Mapping[str, str]
) -> str:
    """Ask for these partitions of these assets (addresses of tables); the backfill's id.

    Raises:
        RunNotGranted: Dagster does not answer, or refuses.
    """
    params = {
        "assetSelection": [{"path": asset.split(".")} for asset in assets],
        "partitionNames": list(partitions),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        **({"runConfigData": config} if config else {}),
    }
    answer = ask(address, _NAME, _LAUNCH, params=params)["launchPartitionBackfill"]
    return granted(address, _NAME, answer, "LaunchBackfillSuccess")["backfillId"]


def look(address: str, backfill_id: str) -> Backfill:
    """How far it is now.

    Raises:
        RunNotGranted: Dagster does not answer.
    """
    of_it = {"tags": [{"key": "dagster/backfill", "value": backfill_id}]}
    answer = ask(address, _NAME, _LOOK, id=backfill_id, filter=of_it)
    seen, runs = answer["partitionBackfillOrError"], answer["runsOrError"]["results"]
    data: Any = seen.get("assetBackfillData")
    counts: list[dict[str, int]] = data["assetBackfillStatuses"] if data else []
    return Backfill(
        status=seen["status"],
        done=sum(count.get("numPartitionsMaterialized", 0) for count in counts),
        targeted=sum(count.get("numPartitionsTargeted", 0) for count in counts),
        runs=tuple(run["runId"] for run in runs),
        failed=tuple(run["runId"] for run in runs if run["status"] == "FAILURE"),
        problem=seen["error"]["message"] if seen.get("error") else None,
    )


def problem_of(address: str, backfill: Backfill, clock: Clock) -> str:
    """Why it did not make everything, as its first failed run or it itself says."""
    for run_id in backfill.failed[-1:]:
        return finished(address, run_id, clock=clock, within=_PROBLEM_WITHIN).problem or f"run {run_id} failed"
    return backfill.problem or f"it ended as {backfill.status}"


def backfill_url(address: str, backfill_id: str) -> str:
    """Its page."""
    return f"{address}/runs/b/{backfill_id}"
