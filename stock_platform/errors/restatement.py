"""Errors of a restatement: what was asked for cannot be restated, or its job failed. The rest of the platform's: errors."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

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


class SessionNotBegun(PlatformError):
    """Nothing of the session can have happened yet."""

    def __init__(self, session: date, ts_from: datetime) -> None:
        super().__init__(
            f"Session {session} cannot be restated: it begins at {ts_from:%Y-%m-%d %H:%M}Z. Choose one that has begun, or wait."
        )


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
    """Neither the topic nor the archive has the session's ticks.

    Args:
        vendor: Why the vendor's history does not stand in; empty while it was not asked.
    """

    def __init__(self, session: date, in_topic: str, archive: str, *, vendor: str = "") -> None:
        self.session, self.in_topic, self.archive = session, in_topic, archive
        super().__init__(
            f"Session {session} cannot be restated: {in_topic}, and {archive}. Bars made of some of its ticks would be wrong; "
            f"staging keeps what it has.{f' The vendor does not stand in: {vendor}' if vendor else ''}"
        )


class VendorNotAsked(PlatformError):
    """The profile has no vendor."""

    def __init__(self, session: date, profile: str) -> None:
        super().__init__(
            f"Session {session} cannot be taken from the vendor's history: profile {profile} plays a tape, and no vendor knows its "
            "time. `restate --tape` takes another tape's ticks."
        )


class VendorHasNone(PlatformError):
    """The vendor was asked for a session, and gave no bar that can be used."""

    def __init__(self, session: date, vendor: str) -> None:
        super().__init__(
            f"Session {session} cannot be taken from {vendor}'s history: it has no usable 1-minute bar of it. Rows that rules hold "
            "are in staging.vendor_bar_1m with their names; staging.bar_1m and certified bars stay as they are."
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


class SessionProtected(PlatformError):
    """Somebody wants the session to stay as it is."""

    def __init__(self, session: date, reason: str, since: datetime) -> None:
        super().__init__(
            f"Session {session} is protected from restatement since {since:%Y-%m-%d %H:%M}Z: {reason}. "
            f"`stock-platform protect --session {session} --lift` gives it free; `restate --compare-only` is always allowed."
        )


class RestatementBlocked(PlatformError):
    """The gate's rules block the restated batch as a whole."""

    def __init__(self, session: date, checks: Iterable[str]) -> None:
        super().__init__(
            f"The restatement of {session} is not promoted, because {', '.join(checks)} did not hold for it. Staging and certified "
            "bars stay as they are; the run's checks say what was seen, its bars are in staging.bar_1m_restated."
        )


class FeedUnheard(PlatformError):
    """It is not known which bars are closed."""

    def __init__(self, session: date) -> None:
        super().__init__(
            f"Session {session} cannot be restated yet: no feed line has said how far it is, so no bar is known to be closed. "
            "`make status` shows the feed; try again when it runs."
        )


class RunNotGranted(PlatformError):
    """Dagster did not take, or has not finished in time, a run that a command asked for."""

    def __init__(self, job: str, address: str, problem: str) -> None:
        said = problem.rstrip(".")
        super().__init__(f"Dagster at {address} did not run {job}: {said}. `make status` shows whether it is healthy.")


class RunFailed(PlatformError):
    """Dagster did what a command asked for, and that ended without success."""

    def __init__(self, job: str, url: str, problem: str) -> None:
        super().__init__(f"The run of {job} failed: {problem.rstrip('.')}. Its page has more: {url}")


class NothingToBackfill(PlatformError):
    """No session of the range has certified bars."""

    def __init__(self, first: date, last: date, known: tuple[date | None, date | None]) -> None:
        there = f"there are certified bars from {known[0]} to {known[1]}" if known[0] else "there is no certified bar at all"
        super().__init__(f"No session from {first} to {last} has certified bars; {there}. Correct --from and --to.")


class SymbolsUnwatched(PlatformError):
    """Symbols that are not on the watchlist."""

    def __init__(self, symbols: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(f"Not watched: {', '.join(symbols)}; expected some of {', '.join(sorted(known))}. Correct --symbols.")
