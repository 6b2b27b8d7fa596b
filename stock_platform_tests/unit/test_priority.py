"""Which runs yield the processor: those that nothing live waits for."""

import dagster as dg
import pytest

from stock_platform.config import Settings
from stock_platform.contracts.runs import BACKFILL
from stock_platform.definitions import build
from stock_platform.defs.certify import JOB as CERTIFY
from stock_platform.defs.priority import is_behind


@pytest.mark.parametrize(
    ("tags", "yields"),
    [
        ({"dagster/backfill": "xlwxqtmi"}, True),  # started on Dagster's page: no priority
        (BACKFILL, True),
        ({"dagster/priority": "-5"}, True),
        ({"dagster/priority": "5", "dagster/backfill": "xlwxqtmi"}, False),
        ({"dagster/priority": "10"}, False),
    ],
)
def test_run_yields_unless_its_priority_is_above_zero(tags: dict[str, str], yields: bool) -> None:
    assert is_behind(dg.DagsterRun(job_name="__ASSET_JOB", tags=tags)) is yields


def test_gate_run_does_not_yield() -> None:
    job = build(Settings(_env_file=None)).get_job_def(CERTIFY)  # type: ignore[call-arg]
    assert not is_behind(dg.DagsterRun(job_name=CERTIFY, tags=job.tags))
