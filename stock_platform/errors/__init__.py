"""Errors of the whole platform: each takes facts and writes its own sentence - what, where, expected, next step.

Bad data is not an error: it goes to the dead-letter topic or into quarantine, with its reason."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path


class PlatformError(Exception):
    """The world is broken in a way that a person can mend; the message says how."""


class SettingInvalid(PlatformError):
    """A setting has a value that the platform cannot use."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"Setting {name} is {value!r}; expected {expected}. Correct it in the environment, see .env.example.")


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


class SymbolUnwatched(PlatformError):
    """A symbol that is not on the watchlist."""

    def __init__(self, symbol: str, known: Iterable[str]) -> None:
        super().__init__(f"Symbol {symbol} is not watched; expected one of {', '.join(known)}.")


class FeedUnreachable(PlatformError):
    """The vendor's stream cannot be opened."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"Feed {url} cannot be reached: {problem}. Check the network, or use --feed simulator.")


class JobRefused(PlatformError):
    """Flink does not take the job."""

    def __init__(self, job: str, address: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"Flink at {address} refused job {job}: {problem}. `stock-platform logs flink-jobmanager` has more.")


class DeadLetterUnknown(PlatformError):
    """No dead letter of that name."""

    def __init__(self, letter_id: str, topic: str) -> None:
        super().__init__(
            f"{topic} holds no letter {letter_id!r}; expected PARTITION-OFFSET of one that is kept, e.g. 0-17. "
            "`stock-platform dead-letters list` shows the newest."
        )


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


class StreamSilent(PlatformError):
    """A stream is open but says nothing, or nothing of the symbol that never sleeps."""

    def __init__(self, url: str, limit: timedelta, what: str) -> None:
        super().__init__(f"Stream {url}: {what} came for {limit.total_seconds():.0f} s. The line connects again by itself.")


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


class ArchiveMissing(PlatformError):
    """No ticks of that session are archived."""

    def __init__(self, session: date, folder: Path, known: Iterable[str]) -> None:
        there = ", ".join(known) or "none"
        super().__init__(
            f"Session {session} is not archived under {folder}; there are: {there}. A session is archived when it is over and "
            "judged, or when its partition of archive/tick is materialised in Dagster."
        )


class BrokerUnreachable(PlatformError):
    """Kafka does not answer as it should."""

    def __init__(self, broker: str, problem: str) -> None:
        super().__init__(f"Kafka on {broker} does not answer: {problem}. `make status` shows whether it runs.")


class VendorBlocked(PlatformError):
    """The vendor refused requests of this machine; until the breaker closes none is sent."""

    def __init__(self, vendor: str, until: datetime) -> None:
        super().__init__(
            f"{vendor} answered 429 (too many requests), so nothing is asked of it before {until:%Y-%m-%d %H:%M:%S}Z. Asking "
            "earlier makes a block longer; lower STOCK_PLATFORM_VENDOR_REQUESTS_PER_MINUTE if it comes back."
        )


class VendorBudgetSpent(PlatformError):
    """This machine's requests are used up for the moment."""

    def __init__(self, vendor: str, until: datetime, per_minute: float) -> None:
        super().__init__(
            f"The budget of {per_minute:g} requests a minute to {vendor} is spent; the next turn comes at {until:%H:%M:%S}Z. "
            "Try again later, ask for less, or raise STOCK_PLATFORM_VENDOR_REQUESTS_PER_MINUTE."
        )


class VendorUnreachable(PlatformError):
    """No answer came."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url} does not answer: {problem}. Check the network and HTTPS_PROXY, then try again.")


class VendorAnswerUnusable(PlatformError):
    """An answer came, and it is not what was asked for."""

    def __init__(self, url: str, status: int, reason: str, detail: str) -> None:
        super().__init__(
            f"{url} answered with status {status}, which is {reason}: {detail}. Expected JSON with data. Try again later; the raw "
            "answer is kept under vendor/raw of the profile."
        )


class HistoryTooOld(PlatformError):
    """The vendor does not keep bars that long."""

    def __init__(self, symbol: str, interval: str, start: datetime, earliest: datetime) -> None:
        super().__init__(
            f"{interval} bars of {symbol} from {start:%Y-%m-%d %H:%M}Z are not kept by the vendor any more; expected a start at or "
            f"after {earliest:%Y-%m-%d %H:%M}Z. Ask for a later start, for 1d bars, or replay the session's archived ticks."
        )


class ScenarioInvalid(PlatformError):
    """A file of faults for the simulator cannot be used."""

    def __init__(self, path: Path, where: str, problem: str) -> None:
        super().__init__(f"Scenario {path}, {where}: {problem} See docs/simulator.md for the faults and their fields.")


class FaultNameTaken(PlatformError):
    """Two faults of the simulator would have one id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A fault named {name!r} is on the list already: remove it first, or give another id or none.")


class FaultUnknown(PlatformError):
    """The simulator has no fault of that id."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"No fault is named {name!r}; the list holds {', '.join(known) or 'none'}.")


class HistoryMissing(PlatformError):
    """The vendor has nothing of the symbol."""

    def __init__(self, symbol: str, interval: str, reason: str, detail: str) -> None:
        super().__init__(
            f"No {interval} bars of {symbol}: {reason}, {detail}. Check the symbol as the vendor writes it, and the dates."
        )
