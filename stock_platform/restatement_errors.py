"""Errors of a restatement: what was asked for cannot be restated, or its job failed. The rest of the platform's: errors."""

from collections.abc import Iterable
from datetime import date, timedelta

from stock_platform.errors import PlatformError


class StackNotRunning(PlatformError):
    """A command needs the running stack."""

    def __init__(self, profile: str, needed_for: str) -> None:
        super().__init__(f"The stack of profile {profile} does not run, and {needed_for} needs it: `make up` first.")


class SessionUnknown(PlatformError):
    """No watched instrument has a session on that day."""

    def __init__(self, session: date, first: date | None, last: date | None) -> None:
        known = f"known sessions go from {first} to {last}" if first else "no session is known"
        super().__init__(f"No watched instrument has a session on {session}; {known}, without weekends and holidays.")


class SymbolsUnknown(PlatformError):
    """Symbols that are not watched, or have no session that day."""

    def __init__(self, symbols: Iterable[str], session: date, known: Iterable[str]) -> None:
        super().__init__(
            f"No session on {session} is known of {', '.join(symbols)}; expected some of {', '.join(known)}. Correct --symbols."
        )


class RestatementRunning(PlatformError):
    """One restatement at a time: Flink has room for one beside the stream."""

    def __init__(self, session: date, running: str) -> None:
        super().__init__(f"Session {session} cannot be restated now, because {running}. Try again when it is over.")


class SessionTicksMissing(PlatformError):
    """Neither the topic nor the archive has the session's ticks."""

    def __init__(self, session: date, in_topic: str, archive: str) -> None:
        super().__init__(
            f"Session {session} cannot be restated: {in_topic}, and {archive}. Bars made of some of its ticks would be wrong; "
            "staging keeps what it has."
        )


class JobFailed(PlatformError):
    """A bounded Flink job did not finish."""

    def __init__(self, job: str, address: str, problem: str) -> None:
        super().__init__(
            f"Job {job} in Flink at {address} failed: {problem}. Nothing but its own shadow rows was touched; run it again. "
            "`stock-platform logs flink-taskmanager` has more."
        )


class JobTooSlow(PlatformError):
    """A bounded Flink job was cancelled because its time was up."""

    def __init__(self, job: str, within: timedelta, state: str) -> None:
        super().__init__(
            f"Job {job} was {state} after {within.total_seconds():.0f} s and has been cancelled. Look at Flink's page for what it "
            "waited for: a free slot, or the machine."
        )
