"""A restatement from the vendor's history, where its stages are joined: the vendor asked, its minutes taken, judged, promoted.

The third source, after the topic and the archive. Same lock, same rules, same single transaction as any restatement (restating);
minutes of which the vendor has no usable bar stay as they are, and a repeat over the same answer gives an empty diff. Not here:
who asks for it."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.errors import HistoryTooOld
from stock_platform.errors.restatement import FeedUnheard, SessionTicksMissing, VendorHasNone, VendorNotAsked
from stock_platform.feed.yahoo.download import download_of, fetch_minutes
from stock_platform.gate import judge as judging
from stock_platform.market import shadow
from stock_platform.market.asked import Asked, Stretch, read_asked, whole_session
from stock_platform.market.levels import certified_levels
from stock_platform.market.restatement import Restated, restated
from stock_platform.market.tick_source import FromArchive
from stock_platform.market.vendor_bars import restated_from_vendor
from stock_platform.repair.restating import Promoted, Promoter, allowed, named_ticks, place_of, settle


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
    asked = allowed(settings, clock, session_date, [each.symbol for each in stretches], closed_until=closed_until)
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
    with shadow.only_restatement(dsn, asked, clock, dagster_run_id=run_id) as restatement_id:
        done = restated_from_vendor(dsn, clock, restatement_id, asked, stretches, fetch=fetch, closed_until=closed_until)
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
        tape: Path of a Parquet of trades to take instead.
        from_vendor: The vendor's at once, even where there are ticks.
        closed_until: Bars that end later are left to the stream; asked before the ticks are read. None: not known.
    Raises:
        FeedUnheard: no bar is known to be closed.
        TapeUnreadable: the tape is none.
        SessionTicksMissing: none has it; VendorNotAsked, VendorHasNone: the vendor, asked alone, has not.
        RestatementRunning: another one is under way.
        RestatementBlocked: the rules block the batch; and all of restating.allowed and of the sources.
    """
    if closed_until is None:
        raise FeedUnheard(session_date)
    if from_vendor:
        require_vendor(settings, session_date)
    asked = allowed(settings, clock, session_date, symbols, closed_until=closed_until)
    judging.warm_up()
    dsn = settings.dsn("gate_owner")
    with (
        named_ticks(settings, tape, clock) as ticks,
        shadow.only_restatement(dsn, asked, clock, dagster_run_id=run_id) as restatement_id,
    ):
        make = _whole if from_vendor else partial(_of_first, ticks=ticks)
        done = make(settings, clock, restatement_id, asked, closed_until=closed_until)
        return settle(dsn, done, closed_until=closed_until, by=Promoter(run_id, code_version, clock.now()))


def compare_with_vendor(
    settings: Settings, clock: Clock, session_date: date, symbols: Sequence[str] = (), *, closed_until: datetime
) -> Restated:
    """What a restatement from the vendor would change of staging; nothing is promoted.

    Args:
        closed_until: Bars that end later are not compared.
    Raises:
        VendorNotAsked, VendorHasNone: the vendor has no bar of it.
        SessionUnknown, SymbolsUnknown: there is no such session.
        RestatementRunning: another one is under way; and what the vendor's answer may be.
    """
    require_vendor(settings, session_date)
    with connect(settings.dsn("gate_owner")) as connection:
        asked = read_asked(connection, session_date, symbols)
    with shadow.only_restatement(settings.dsn("gate_owner"), asked, clock) as restatement_id:
        return _whole(settings, clock, restatement_id, asked, closed_until=closed_until)


def _of_first(
    settings: Settings, clock: Clock, restatement_id: int, asked: Asked, *, ticks: FromArchive | None, closed_until: datetime
) -> Restated:
    """From the session's ticks, or where there are none and no tape is named, from the vendor's history."""
    try:
        return restated(place_of(settings, clock), restatement_id, asked, ticks=ticks, closed_until=closed_until)
    except SessionTicksMissing as missing:
        if ticks:
            raise
        try:
            require_vendor(settings, asked.session_date)
            return _whole(settings, clock, restatement_id, asked, closed_until=closed_until)
        except (VendorNotAsked, VendorHasNone, HistoryTooOld) as problem:
            raise SessionTicksMissing(asked.session_date, missing.in_topic, missing.archive, vendor=str(problem)) from problem


def _whole(settings: Settings, clock: Clock, restatement_id: int, asked: Asked, *, closed_until: datetime) -> Restated:
    """All minutes that the vendor has, or an error: no bar at all is no restatement."""
    dsn = settings.dsn("gate_owner")
    with connect(dsn) as connection:
        stretches = whole_session(connection, asked)
    fetch = partial(fetched, settings, clock, asked, stretches)
    done = restated_from_vendor(dsn, clock, restatement_id, asked, stretches, fetch=fetch, closed_until=closed_until)
    if not done.counts.bar_count:
        raise VendorHasNone(asked.session_date, settings.vendor)
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
