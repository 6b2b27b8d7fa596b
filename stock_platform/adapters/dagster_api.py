"""Door to Dagster's webserver for commands: ask for a run of a job, wait for its end. Over GraphQL; no import of Dagster."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stock_platform.adapters.clock import Clock, wait_until
from stock_platform.adapters.http import HttpServer
from stock_platform.errors.restatement import RunNotGranted
from stock_platform.errors.stack import ServerSilent

_SELECTOR = {"repositoryLocationName": "stock_platform", "repositoryName": "__repository__"}
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_ANSWER_WITHIN_S = 30.0
_OUR_CLASS, _OTHER_CLASS = re.compile(r"^stock_platform\.[\w.]+: "), re.compile(r"^(?:\w+\.)+(\w+): ")
_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PipelineNotFoundError { message }
    ... on UnauthorizedError { message }
  }
}
"""
_LOOK = """
query($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      eventConnection(limit: 1000) {
        events {
          ... on ExecutionStepFailureEvent { error { message cause { message } } }
          ... on RunFailureEvent { message }
        }
      }
    }
  }
}
"""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Args:
        status: SUCCESS, FAILURE or CANCELED.
        problem: What its failed step said, in plain words.
    """

    status: str
    problem: str | None


def launch(address: str, job: str, *, config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Ask for a run; its id. A partition is the tag `dagster/partition`.

    Raises:
        RunNotGranted: Dagster does not answer, or refuses.
    """
    params = {
        "selector": {**_SELECTOR, "jobName": job},
        "runConfigData": config,
        "mode": "default",
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    answer = ask(address, job, _LAUNCH, params=params)["launchRun"]
    return granted(address, job, answer, "LaunchRunSuccess")["run"]["runId"]


def granted(address: str, job: str, answer: dict[str, Any], wanted: str) -> dict[str, Any]:
    """The answer of a mutation.

    Args:
        wanted: Its type where it did what was asked.
    Raises:
        RunNotGranted: it is of another type.
    """
    if answer["__typename"] != wanted:
        said = answer.get("message") or "; ".join(error["message"] for error in answer.get("errors", ()))
        raise RunNotGranted(job, address, plain(said) or answer["__typename"])
    return answer


def finished(address: str, run_id: str, *, clock: Clock, within: timedelta) -> RunEnd:
    """Wait for the end of a run; a webserver that is away meanwhile is waited for.

    Raises:
        RunNotGranted: the run goes on for longer.
    """
    seen: dict[str, Any] = {"status": "unknown"}

    def has_ended() -> bool:
        with suppress(RunNotGranted):
            seen.update(ask(address, f"run {run_id}", _LOOK, id=run_id)["runOrError"])
        return seen["status"] in _ENDED

    if not wait_until(has_ended, clock, within=within, every=timedelta(seconds=1)):
        raise RunNotGranted(f"run {run_id}", address, f"it is {seen['status']} after {within}, and goes on")
    return RunEnd(seen["status"], _problem(seen["eventConnection"]["events"]))


def run_url(address: str, run_id: str) -> str:
    """Its page."""
    return f"{address}/runs/{run_id}"


def _problem(events: list[dict[str, Any]]) -> str | None:
    errors = [event["error"] for event in events if event.get("error")]
    if not errors:
        return next((event["message"] for event in events if event.get("message")), None)
    innermost = errors[0].get("cause") or errors[0]
    return plain(innermost["message"])


def plain(message: str) -> str:
    """What an error says, without the way to its class; our own errors are sentences, of others the class is named."""
    return _OTHER_CLASS.sub(r"\1: ", _OUR_CLASS.sub("", message.strip()))


def ask(address: str, job: str, query: str, **variables: Any) -> dict[str, Any]:
    """The data of one GraphQL answer.

    Args:
        job: What it is for, as an error names it.
    Raises:
        RunNotGranted: Dagster does not answer, or answers with an error.
    """
    try:
        asked = {"query": query, "variables": variables}
        answer = HttpServer(address, within_s=_ANSWER_WITHIN_S).ask("POST", "/graphql", json=asked).json()
    except (ServerSilent, ValueError) as error:
        problem = error.problem if isinstance(error, ServerSilent) else type(error).__name__
        raise RunNotGranted(job, address, f"no answer ({problem})") from error
    if "errors" in answer:
        raise RunNotGranted(job, address, plain(answer["errors"][0]["message"]))
    return answer["data"]
