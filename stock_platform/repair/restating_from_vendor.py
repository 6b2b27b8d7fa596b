"""A restatement from the vendor's history, where its stages are joined: the vendor asked, its minutes taken, judged, promoted.

The third source, after the topic and the archive. Same lock, same rules, same single transaction as any restatement (restating);
minutes of which the vendor has no usable bar stay as they are, and a repeat over the same answer gives an empty diff. Not here:
who asks for it."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypedDict

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.errors import HistoryTooOld
from stock_platform.errors.restatement import FeedUnheard, SessionTicksMissing, VendorHasNone, VendorNotAsked
from stock_platform.feed.yahoo.download import download_of, fetch_minutes
from stock_platform.gate import judge as judging
from stock_platform.market.asked import Asked, Stretch, read_asked, whole_session
from stock_platform.market.levels import certified_levels
from stock_platform.market.protection import require_unprotected
from stock_platform.market.restatement import Restated
from stock_platform.market.vendor_bars import restated_from_vendor
from stock_platform.repair.restating import Promoted, Promoter, restate_and_promote, settle


def restate_from_vendor(
    settings: Settings,
    clock: Clock,
    session_date: date,
    stretches: Sequence[Stretch],
    *,
    closed_until: datetime | None,
    run_id: str,
    code_version: str,
) -> Promoted:
    """Replace the closed minutes of these stretches by the vendor's bars, asked for now; no other minute is touched.

    Args:
        closed_until: Bars that end later are left to the stream. None: not known.
        run_id: Dagster run that does it; code_version: of what it runs.
    Raises:
        SessionProtected: nobody may.
        FeedUnheard: no bar is known to be closed.
        VendorNotAsked: this profile has no vendor.
        SessionUnknown, SymbolsUnknown: there is no such session.
        HistoryTooOld, VendorAnswerUnusable, VendorBlocked, VendorBudgetSpent, VendorUnreachable: the vendor did not give it.
        RestatementRunning: another restatement is under way.
        RestatementBlocked: the rules block the batch.
    """
    if closed_until is None:
        raise FeedUnheard(session_date)
    require_vendor(settings, session_date)
    with connect(settings.dsn("gate_owner")) as connection:
        require_unprotected(connection, session_date)
        asked = read_asked(connection, session_date, [each.symbol for each in stretches])
    fetch = partial(fetched, settings, clock, asked, stretches)
    return promote_vendor_bars(
        settings, clock, asked, stretches, fetch=fetch, closed_until=closed_until, run_id=run_id, code_version=code_version
    )


def promote_vendor_bars(
    settings: Settings,
    clock: Clock,
    asked: Asked,
    stretches: Sequence[Stretch],
    *,
    fetch: Callable[[], str],
    closed_until: datetime,
    run_id: str,
    code_version: str,
) -> Promoted:
    """Restate these stretches from the vendor's staged minutes, and promote what differs.

    Args:
        fetch: Brings the minutes to staging, where they are not; says where they come from.
        closed_until: Bars that end later are left to the stream.
    Raises:
        RestatementRunning: another restatement is under way.
        RestatementBlocked: the rules block the batch.
    """
    judging.warm_up()
    dsn = settings.dsn("gate_owner")
    with restated_from_vendor(dsn, clock, asked, stretches, fetch=fetch) as done:
        return settle(dsn, done, closed_until=closed_until, by=Promoter(run_id, code_version, clock.now()))


def restate_session(
    settings: Settings,
    clock: Clock,
    session_date: date,
    symbols: Sequence[str] = (),
    *,
    tape: str = "",
    from_vendor: bool = False,
    closed_until: datetime | None,
    run_id: str,
    code_version: str,
) -> Promoted:
    """Restate a session from the first source that has it: the topic, the archive, the vendor's history.

    Args:
        from_vendor: The vendor's at once, even where there are ticks.
    Raises:
        SessionTicksMissing: none has it; VendorHasNone: the vendor, asked alone, has not; and all of restate_and_promote and
            restate_from_vendor.
    """
    facts: _Facts = {"closed_until": closed_until, "run_id": run_id, "code_version": code_version}
    if from_vendor:
        return _whole(settings, clock, session_date, symbols, facts)
    try:
        return restate_and_promote(settings, clock, session_date, symbols, tape=tape, **facts)
    except SessionTicksMissing as missing:
        if tape:
            raise
        try:
            return _whole(settings, clock, session_date, symbols, facts)
        except (VendorNotAsked, VendorHasNone, HistoryTooOld) as problem:
            raise SessionTicksMissing(session_date, missing.in_topic, missing.archive, vendor=str(problem)) from problem


def compare_with_vendor(settings: Settings, clock: Clock, session_date: date, symbols: Sequence[str] = ()) -> Restated:
    """What a restatement from the vendor would change of staging; nothing is promoted.

    Raises:
        As restate_from_vendor.
    """
    require_vendor(settings, session_date)
    with connect(settings.dsn("gate_owner")) as connection:
        asked = read_asked(connection, session_date, symbols)
        stretches = whole_session(connection, asked)
    fetch = partial(fetched, settings, clock, asked, stretches)
    with restated_from_vendor(settings.dsn("gate_owner"), clock, asked, stretches, fetch=fetch) as done:
        return done


class _Facts(TypedDict):
    """What is handed through."""

    closed_until: datetime | None
    run_id: str
    code_version: str


def _whole(settings: Settings, clock: Clock, session_date: date, symbols: Sequence[str], facts: _Facts) -> Promoted:
    with connect(settings.dsn("gate_owner")) as connection:
        stretches = whole_session(connection, read_asked(connection, session_date, symbols))
    done = restate_from_vendor(settings, clock, session_date, stretches, **facts)
    if not done.done.counts.bar_count:
        raise VendorHasNone(session_date, settings.vendor)
    return done


def require_vendor(settings: Settings, session_date: date) -> None:
    """Stop here when nobody answers for the vendor in this profile.

    Raises:
        VendorNotAsked: it plays a tape.
    """
    if settings.feed_kind == "tape":
        raise VendorNotAsked(session_date, settings.profile)


def fetched(settings: Settings, clock: Clock, asked: Asked, stretches: Sequence[Stretch]) -> str:
    """Bring staging.vendor_bar_1m up to date for the symbols of the stretches; says where the bars come from."""
    with connect(settings.dsn("gate_owner")) as connection:
        levels = certified_levels(connection, until=asked.ts_until, now=clock.now())
    download = download_of(settings, clock, levels)
    fetch_minutes(download, [asked.session_date], {each.symbol for each in stretches})
    return f"{settings.vendor}'s 1m history, fetched at {clock.now():%Y-%m-%d %H:%M:%S}Z"
