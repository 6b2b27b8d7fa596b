"""Which errors a step is tried again after, run by Dagster itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
import yaml
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run

from stock_platform.config import ROOT
from stock_platform.contracts.runs import BACKFILL
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.errors import BrokerUnreachable, VendorUnreachable
from stock_platform.errors.restatement import SessionProtected

PROTECTED = SessionProtected(date(2026, 11, 20), "audited", datetime(2026, 11, 21, tzinfo=UTC))


def tries(error: Exception, *, failures: int = 2) -> tuple[bool, int]:
    """Whether the asset succeeds when its first tries raise the error, and how many tries there were."""
    count = 0

    @dg.asset(retry_policy=retry_policy(first_after_s=0.001))
    @retried_if_transient
    def table() -> None:
        nonlocal count
        count += 1
        if count <= failures:
            raise error

    done = dg.materialize([table], raise_on_error=False)
    return done.success, count


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError("server closed the connection"), BrokerUnreachable("a:1", "gone"), VendorUnreachable("u", "timeout")],
    ids=lambda error: type(error).__name__,
)
def test_what_heals_by_itself_is_tried_again(error: Exception) -> None:
    assert tries(error) == (True, 3)


def test_it_is_given_up_after_three_more_tries() -> None:
    assert tries(psycopg.OperationalError("gone"), failures=9) == (False, 4)


@pytest.mark.parametrize(
    "error",
    [
        PROTECTED,
        psycopg.errors.CheckViolation("low above high"),
        ValueError("negative size"),
        dg.Failure("the session is held", allow_retries=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_would_say_the_same_again_fails_at_once(error: Exception) -> None:
    assert tries(error, failures=1) == (False, 1)


def test_step_that_yields_keeps_its_results_and_its_sentence() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], retry_policy=retry_policy(first_after_s=0.001))
    @retried_if_transient
    def both(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        yield dg.MaterializeResult(asset_key="one")
        assert context.op_execution_context.op.name == "both"
        raise PROTECTED

    done = dg.materialize([both], raise_on_error=False)
    (failure,) = done.get_step_failure_events()
    assert "SessionProtected: Session 2026-11-20 is protected" in str(failure.step_failure_data.error_display_string)
    assert len(done.asset_materializations_for_node("both")) == 1


@pytest.mark.parametrize(
    ("tags", "reason", "is_retried"),
    [
        (BACKFILL, None, True),
        (BACKFILL, RunFailureReason.STEP_FAILURE, False),
        ({}, None, False),
    ],
    ids=["a backfill whose process is gone", "a backfill whose step failed", "any other run, as a feed line's"],
)
@pytest.mark.filterwarnings("ignore")
def test_only_a_backfill_is_made_again_when_its_process_is_gone(
    tags: dict[str, str], reason: RunFailureReason | None, is_retried: bool
) -> None:
    """By the instance's own settings; Dagster's daemon asks this very question."""
    ours = yaml.safe_load((ROOT / "dagster.yaml").read_text())["run_retries"]
    with dg.instance_for_test(overrides={"run_retries": ours}) as instance:
        run = dg.DagsterRun(job_name="any", run_id=str(uuid4()), status=dg.DagsterRunStatus.FAILURE, tags=tags)
        instance.add_run(run)
        assert auto_reexecution_should_retry_run(instance, run, reason) is is_retried
