"""Whether a run's process still works, with processes that are started and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import pytest
import yaml
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from stock_platform.config import ROOT
from stock_platform.defs.run_launcher import WatchedRunLauncher, living

_HOUR = 3600


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that works until it is killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_run_whose_process_outlives_its_code_server_works_and_one_whose_process_is_killed_does_not(
    process: subprocess.Popen[bytes],
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = WatchedRunLauncher()
        launcher.register_instance(instance)
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(process.pid))
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING

        process.kill()
        process.wait()
        gone = launcher.check_run_worker_health(run)
        assert (gone.status, gone.msg) == (
            WorkerStatus.NOT_FOUND,
            "The run's process is gone, and so is the code server that started it.",
        )


@pytest.mark.parametrize("is_frozen", [True, False])
def test_frozen_process_of_a_run_is_killed_and_any_other_is_asked_to_end(process: subprocess.Popen[bytes], is_frozen: bool) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = WatchedRunLauncher()
        launcher.register_instance(instance)
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(process.pid))
        if is_frozen:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

        assert launcher.terminate(run.run_id) is is_frozen  # there is no code server to ask

        assert (process.wait(10) if is_frozen else process.poll()) == (-signal.SIGKILL if is_frozen else None)


def test_killed_process_that_nobody_has_waited_for_does_not_work(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert living(process.pid, since=time.time()) is None


def test_younger_process_with_the_same_number_is_another(process: subprocess.Popen[bytes]) -> None:
    assert living(process.pid, since=time.time() + 1)
    assert living(process.pid, since=time.time() - _HOUR) is None


def test_instance_launches_its_runs_with_it() -> None:
    named = yaml.safe_load((ROOT / "dagster.yaml").read_text())["run_launcher"]
    assert (named["module"], named["class"]) == (WatchedRunLauncher.__module__, WatchedRunLauncher.__name__)
