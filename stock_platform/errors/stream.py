"""Errors of the topics' settings and of the stream job's state: what is refused instead of being lost in silence."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from stock_platform.errors import JobRefused, PlatformError

_STATE_CHOICES = (
    "`stock-platform up --rebuild-bars` starts without state and reads again from as far before the newest checkpoint as state "
    "lives (late limit and longest outage together; without a late limit, the whole topic): those bars come out the same, bit for "
    "bit. Sessions before that instant stay as they are; `stock-platform restate --session DATE` compares them"
)


class TopicSettingsRefused(PlatformError):
    """Topics cannot be given the settings that they must have."""

    def __init__(self, topics: Iterable[str], broker: str, problem: str) -> None:
        super().__init__(
            f"Settings of topics {', '.join(topics)} on {broker} cannot be brought up to date: {problem}. "
            "`stock-platform logs kafka` has more."
        )


class JobFailedAtStart(JobRefused):
    """Flink took the job, and it failed before any of its tasks ran."""


class SavepointFailed(PlatformError):
    """A job could not be stopped with a savepoint."""

    def __init__(self, job_id: str, problem: str) -> None:
        super().__init__(f"Flink wrote no savepoint of job {job_id}: {problem}. Its newest checkpoint remains.")


class StateRefused(PlatformError):
    """The stream job has state, and must not start with it or without it unless a person says so."""


class StateOfOtherPlan(StateRefused):
    """The job is not the one that wrote the state."""

    def __init__(self, path: Path, ts_written: datetime, changed: str) -> None:
        super().__init__(
            f"State {path} of {ts_written:%Y-%m-%d %H:%M:%S}Z does not fit the job: {changed} changed since. {_STATE_CHOICES}. Or "
            "go back to the version that wrote it."
        )


class StateLost(StateRefused):
    """The job is known to have had state, and it is not there any more."""

    def __init__(self, path: str, ts_written: datetime, folder: Path) -> None:
        super().__init__(
            f"The job's checkpoint {path} of {ts_written:%Y-%m-%d %H:%M:%S}Z is gone, and {folder} holds no other that is "
            f"complete. {_STATE_CHOICES}. Or bring the folder back."
        )


class StateUnreadable(StateRefused):
    """No state that fits can be restored."""

    def __init__(self, paths: Iterable[Path], problem: str) -> None:
        super().__init__(
            f"Flink restored none of {', '.join(map(str, paths))}: {problem}. `stock-platform logs flink-jobmanager` has more. "
            f"{_STATE_CHOICES}."
        )
