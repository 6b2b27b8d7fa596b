"""Errors of a passport: there is no certified bar, or its ticks cannot be read again. The rest of the platform's: errors."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from stock_platform.errors import PlatformError

_AT = "%Y-%m-%d %H:%M"


class BarStartUnusable(PlatformError):
    """What was given is not the start of a bar."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(
            f"The instant {text!r} {problem}; expected the start of a minute with its zone. Write it as 2013-10-07T14:30Z, or as "
            "2013-10-07T10:30-04:00."
        )


class BarNotCertified(PlatformError):
    """No certified bar is there, so there is no passport; the message says where the bar is instead."""


class BarQuarantined(BarNotCertified):
    """The gate refused every version of the bar.

    Args:
        decision: What a person decided of the newest one; None while it waits.
    """

    def __init__(
        self,
        symbol: str,
        ts_start: datetime,
        *,
        rules: Iterable[str],
        dagster_run_id: str,
        ts_quarantined: datetime,
        decision: str | None,
    ) -> None:
        decided = f" It was {decision}." if decision else ""
        super().__init__(
            f"The bar {symbol} {ts_start:{_AT}}Z is in quarantine, not certified: run {dagster_run_id} refused it at "
            f"{ts_quarantined:{_AT}}Z, because it broke {', '.join(rules)}.{decided} `stock-platform quarantine show {symbol} "
            f"{ts_start:%Y-%m-%dT%H:%MZ}` says what the rules mean, and the next step."
        )


class BarProvisional(BarNotCertified):
    """The gate has not judged the bar yet."""

    def __init__(self, symbol: str, ts_start: datetime, *, tick_count: int, ts_landed: datetime) -> None:
        super().__init__(
            f"The bar {symbol} {ts_start:{_AT}}Z is only staged, with {tick_count} ticks since {ts_landed:{_AT}}Z; expected a "
            "certified one. The gate judges it once it is closed; `stock-platform status` shows how far it is."
        )


class BarWithdrawn(BarNotCertified):
    """A restatement found no tick of the bar."""

    def __init__(self, symbol: str, ts_start: datetime, *, revision: int, ts_valid_to: datetime) -> None:
        super().__init__(
            f"The bar {symbol} {ts_start:{_AT}}Z was certified in {revision} revisions until {ts_valid_to:{_AT}}Z; then a "
            "restatement found no tick of it, and it is no bar any more. Quality on the page has what it was before; so has "
            f"/stocks/{symbol}/restatements; /stocks/{symbol}/bars?as_of=… answers as of that time."
        )


class BarUnknown(BarNotCertified):
    """There is no trace of such a bar.

    Args:
        first: Start of the symbol's first certified bar, if there is one.
    """

    def __init__(self, symbol: str, ts_start: datetime, *, first: datetime | None, last: datetime | None) -> None:
        known = f"its certified bars go from {first:{_AT}}Z to {last:{_AT}}Z" if first else "no bar of it is certified"
        super().__init__(
            f"There is no bar {symbol} {ts_start:{_AT}}Z, neither certified nor in quarantine nor staged; {known}. "
            "Expected the start of a minute with a tick in regular hours. Minutes of the first day from before watching began have "
            f"no bar; why one since then has none is in the gap ledger: Quality on the page, /stocks/{symbol}/gaps, or "
            f"`stock-platform gaps --symbol {symbol} --all`."
        )


class TicksNotKept(PlatformError):
    """Kafka does not have all the offsets any more that a bar was made of.

    Args:
        offsets: First and last of the bar.
        kept: [start, end) that the partition has.
        archive: Of the bar's session; None where there is none.
    """

    def __init__(
        self, topic: str, partition: int, *, offsets: tuple[int, int], kept: tuple[int, int], session: date, archive: Path | None
    ) -> None:
        first, last = offsets
        there = f"it has {kept[0]} to {kept[1] - 1}" if kept[0] < kept[1] else "it has none"
        way = (
            f"They are archived in {archive}: `stock-platform restate --session {session}` computes the session's bars from there"
            if archive
            else f"Session {session} is not archived either, so nobody can recompute the bar"
        )
        super().__init__(
            f"The bar cannot be verified: offsets {first} to {last} of {topic}, partition {partition}, are not all kept in Kafka "
            f"any more; {there}. {way}."
        )


class AnswerNotKept(PlatformError):
    """The vendor's answer that a bar was taken from is gone."""

    def __init__(self, symbol: str, ts_start: datetime, path: str) -> None:
        super().__init__(
            f"The bar {symbol} {ts_start:{_AT}}Z cannot be verified: the vendor's answer {path} is not kept any more, and "
            "staging.vendor_bar_1m has the minute from a later answer, or holds it. STOCK_PLATFORM_VENDOR_RAW_DAYS says how long "
            "answers are kept; `stock-platform history` asks the vendor again."
        )


class BarNotOfTicks(PlatformError):
    """The bar was not made of ticks in Kafka."""

    def __init__(self, symbol: str, ts_start: datetime, verdict: str) -> None:
        origin = (
            "it comes from the vendor's history, which staging.vendor_bar_1m has"
            if verdict == "vendor"
            else "it was restated from a tape, which ops.restatement names"
        )
        super().__init__(
            f"The bar {symbol} {ts_start:{_AT}}Z has the verdict {verdict}: {origin}. Its ticks are not in Kafka, so "
            "nothing can be recomputed."
        )
