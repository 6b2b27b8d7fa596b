"""Errors of the whole platform: each takes facts and writes its own sentence - what, where, expected, next step.

Bad data is not an error: it goes to the dead-letter topic or into quarantine, with its reason."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path


class PlatformError(Exception):
    """The world is broken in a way that a person can mend; the message says how."""


class SettingInvalid(PlatformError):
    """A setting has a value that the platform cannot use."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"Setting {name} is {value!r}; expected {expected}. Correct it in the environment, see .env.example.")


class ToolMissing(PlatformError):
    """A program that a fresh machine must bring is not there."""

    def __init__(self, tool: str, expected: str, hint: str) -> None:
        super().__init__(f"{tool} not found; expected {expected}. {hint}")


class PortBusy(PlatformError):
    """Somebody else listens where one of our services must."""

    def __init__(self, service: str, port: int, owner: str, variable: str) -> None:
        super().__init__(
            f"Port {port} of {service} is taken by {owner}. Stop that program, or set {variable} to a free port and try again."
        )


class DiskFull(PlatformError):
    """Too little room for the stack's data."""

    def __init__(self, path: Path, free_mib: int, needed_mib: int) -> None:
        super().__init__(
            f"Only {free_mib} MiB free under {path}; expected at least {needed_mib} MiB. "
            "Free some room, or choose another place with --data-dir."
        )


class ServiceUnhealthy(PlatformError):
    """A service did not become healthy in time."""

    def __init__(self, service: str, waited_s: float, reason: str, log: Path) -> None:
        super().__init__(
            f"{service} is not healthy after {waited_s:.0f} s: {reason}. Its log is {log}; "
            f"`stock-platform logs {service}` shows the end of it."
        )


class InstallationIncomplete(PlatformError):
    """Something that `make install` builds is missing."""

    def __init__(self, missing: Iterable[Path]) -> None:
        names = ", ".join(str(path) for path in missing)
        super().__init__(f"Not installed, or only half: {names} is missing. Run `make install`, which finishes what is left.")


class TopicMissing(PlatformError):
    """A Kafka topic does not exist."""

    def __init__(self, topic: str, broker: str) -> None:
        super().__init__(
            f"Topic {topic} not found on {broker}; run `make up`, or see STOCK_PLATFORM_KAFKA_BOOTSTRAP in .env.example."
        )


class TapeUnreadable(PlatformError):
    """A tape is not a Parquet of trades."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"Tape {path} cannot be read: {problem}. Expected a Parquet file with at least the columns "
            "ts_event (UTC), symbol, price, size, sorted by ts_event."
        )


class WatchlistInvalid(PlatformError):
    """The watchlist's YAML says something that cannot be."""

    def __init__(self, path: Path, where: str, problem: str) -> None:
        super().__init__(f"Watchlist {path}, {where}: {problem}. See stock_platform/feed/watchlist.yaml for an example.")


class FeedUnreachable(PlatformError):
    """The vendor's stream cannot be opened."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"Feed {url} cannot be reached: {problem}. Check the network, or use --feed simulator.")


class JobRefused(PlatformError):
    """Flink does not take the job."""

    def __init__(self, job: str, address: str, problem: str) -> None:
        super().__init__(f"Flink at {address} refused job {job}: {problem}. `stock-platform logs flink-jobmanager` has more.")


class MigrationChanged(PlatformError):
    """An applied migration was edited afterwards."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Migration {name} was changed after it had been applied. Restore it and write a new migration instead; "
            "`make clean` forgets a local database."
        )


class CalendarUnknown(PlatformError):
    """An instrument names a calendar that the platform does not have."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"Calendar {name!r} is not known; expected one of {', '.join(known)}. Correct the watchlist.")


class CalendarHorizonPassed(PlatformError):
    """A calendar is asked about a day that its table does not reach."""

    def __init__(self, name: str, ts: datetime, first: date, last: date) -> None:
        super().__init__(
            f"Calendar {name} does not know {ts:%Y-%m-%d %H:%M}Z; its table holds {first} to {last}. "
            "Render a longer one with stock_platform/calendars/export.py."
        )


class StreamClosed(PlatformError):
    """The other side ended a stream."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Stream {url} was closed: {reason}. The line connects again by itself.")


class DeliveryFailed(PlatformError):
    """Kafka did not acknowledge a message in time; the line must start again from what it did acknowledge."""

    def __init__(self, topic: str, broker: str, problem: str) -> None:
        super().__init__(
            f"A message to {topic} on {broker} was not acknowledged: {problem}. The line ends and is started again; "
            "see `stock-platform logs kafka`."
        )


class TapeChanged(PlatformError):
    """A data folder belongs to one tape; another one must not mix with it."""

    def __init__(self, before: Path, now: Path, home: Path) -> None:
        super().__init__(
            f"{home} holds the data of tape {before}, not of {now}. Give another folder with --data-dir, or forget that data "
            "with `make clean`."
        )


class ServiceUnknown(PlatformError):
    """No service of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"No service is named {name}; expected one of {', '.join(known)}.")


class ServiceNotConfigured(PlatformError):
    """The running stack was started without this service."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The running stack knows no {name}: `make down`, then `make up`, which starts it with the others.")


class OtherProfileRuns(PlatformError):
    """Another feed's stack runs under the same data folder."""

    def __init__(self, running: str, wanted: str) -> None:
        super().__init__(f"The stack of profile {running} runs, so {wanted} cannot start beside it: `make down` first.")


class BrokerUnreachable(PlatformError):
    """Kafka does not answer as it should."""

    def __init__(self, broker: str, problem: str) -> None:
        super().__init__(f"Kafka on {broker} does not answer: {problem}. `make status` shows whether it runs.")


class CommandFailed(PlatformError):
    """A program that prepares the stack did not succeed."""

    def __init__(self, program: str, code: int, output: str) -> None:
        said = " / ".join(output.strip().splitlines()[-3:]) or "nothing"
        super().__init__(
            f"{program} ended with {code}, expected 0. It said: {said}. Mend that and run `make up` again; it goes on there."
        )
