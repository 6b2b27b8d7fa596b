"""Errors of the quarantine desk: what a person asked for cannot be done with a refused bar. The rest of the platform's: errors."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from stock_platform.errors import PlatformError


def _bar(symbol: str, ts_start: datetime) -> str:
    return f"{symbol} {ts_start:%Y-%m-%dT%H:%MZ}"


def _broken(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({meaning.rstrip('.')})" for name, meaning in rules.items())


class BarNotQuarantined(PlatformError):
    """There is nothing to decide: the bar was never refused, or has left the quarantine."""

    def __init__(self, symbol: str, ts_start: datetime, last: str | None) -> None:
        before = f"; {last}" if last else ""
        super().__init__(
            f"{_bar(symbol, ts_start)} is not in quarantine{before}. `stock-platform quarantine list` shows what is; a bar "
            "leaves by itself when a newer version of it passes."
        )


class BarDiscarded(PlatformError):
    """The bar is discarded already."""

    def __init__(self, symbol: str, ts_start: datetime, last: str | None) -> None:
        before = f"; {last}" if last else ""
        super().__init__(
            f"{_bar(symbol, ts_start)} is discarded already{before}. Nothing is left to do, unless you want it released after all."
        )


class BarNotStaged(PlatformError):
    """A release promotes the bar as it is staged now, and staging has no such bar."""

    def __init__(self, symbol: str, ts_start: datetime) -> None:
        super().__init__(
            f"{_bar(symbol, ts_start)} cannot be released: staging.bar_1m does not have it, and a release promotes what is staged. "
            "Discard it."
        )


class BarStillBroken(PlatformError):
    """The bar was judged again and refused again.

    Args:
        rules: Names of the rules that refuse it, with their meaning.
    """

    def __init__(self, symbol: str, ts_start: datetime, rules: Mapping[str, str], *, next_step: str) -> None:
        super().__init__(f"{_bar(symbol, ts_start)} still breaks {_broken(rules)}, so it is not released. {next_step}")


class RuleNotOverridable(PlatformError):
    """Whatever a person says, the market tables do not take such a bar.

    Args:
        rules: Names of the rules that cannot be overruled, with their meaning.
    """

    def __init__(self, symbol: str, ts_start: datetime, rules: Mapping[str, str]) -> None:
        super().__init__(
            f"{_bar(symbol, ts_start)} breaks {_broken(rules)}; market.bar_1m cannot hold such a bar, so no override releases it. "
            "Mend what made it, or discard it."
        )


class ReasonMissing(PlatformError):
    """A decision without a reason, or without somebody who decided."""

    def __init__(self, symbol: str, ts_start: datetime, what: str) -> None:
        super().__init__(
            f"The decision on {_bar(symbol, ts_start)} has no {what}; expected some words, which its audit row keeps for good."
        )


class RuleUnknown(PlatformError):
    """No rule of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"No rule is named {name!r}; expected one of {', '.join(known)}.")


class DatabaseUnreachable(PlatformError):
    """Postgres does not take the connection."""

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"Postgres on {address} does not answer: {problem}. `make status` shows whether it runs.")


class SessionNotHeld(PlatformError):
    """There is no blocked batch to overrule."""

    def __init__(self, session_date: date) -> None:
        super().__init__(
            f"Session {session_date} is not held: no rule blocks its newest batch. `make status` names the sessions that are; "
            "single bars are released by `stock-platform quarantine release`."
        )
