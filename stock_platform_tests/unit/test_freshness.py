"""When an asset of a session is stale: a session, its evening, a weekend and a holiday, by hand."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, event

from stock_platform.config import Settings
from stock_platform.defs.freshness import OF_SESSION, Due, due_now, last_made, session_freshness_checks, verdict
from stock_platform.defs.open_markets import Hours, Market, told_of_stale
from stock_platform.defs.world import World
from stock_platform_tests.idle_sensors import SATURDAY, StoppedClock

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
NEXT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
NEW_YORK = Hours(FRIDAY, OPEN, CLOSE)
TOKYO = Hours(
    FRIDAY,
    datetime(2026, 11, 20, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 20, 6, 0, tzinfo=UTC),
    datetime(2026, 11, 20, 2, 30, tzinfo=UTC),
    datetime(2026, 11, 20, 3, 30, tzinfo=UTC),
)
LONG_AGO = OPEN - timedelta(days=9)


def judged(now: datetime, made: datetime | None, *, started: datetime | None = LONG_AGO) -> tuple[bool, str]:
    return verdict(due_now([NEW_YORK], now, started=started, next_open=NEXT), made, now)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("now", "made", "is_fresh"),
    [
        (OPEN + minutes(60), OPEN + minutes(59), True),
        (OPEN + minutes(60), OPEN + minutes(50), True),
        (OPEN + minutes(60), OPEN + minutes(49), False),
        (OPEN + minutes(60), None, False),
        (OPEN + minutes(9), None, True),
        (CLOSE + minutes(30), CLOSE + minutes(1), True),
        (CLOSE + timedelta(hours=60), CLOSE + minutes(1), True),
        (CLOSE + timedelta(hours=60), CLOSE - minutes(11), False),
        (CLOSE + timedelta(hours=60), None, False),
    ],
)
def test_asset_is_held_to_what_its_market_has_traded(now: datetime, made: datetime | None, is_fresh: bool) -> None:
    assert judged(now, made)[0] is is_fresh


def test_weekend_is_told_as_such() -> None:
    sunday = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    said = judged(sunday, CLOSE + minutes(1))[1]
    assert said == (
        "No watched market is open since 2026-11-20 21:00Z; the next one opens at 2026-11-23 14:30Z. "
        "It was last made of session 2026-11-20 at 2026-11-20 21:01Z."
    )


def test_platform_that_has_just_started_is_given_time() -> None:
    now = OPEN + minutes(60)
    assert judged(now, None, started=now - minutes(9))[0]
    assert not judged(now, None, started=now - minutes(11))[0]
    assert judged(CLOSE + minutes(60), None, started=CLOSE + minutes(30))[0]
    assert judged(now, None, started=None) == (True, "No watched market has opened since the platform was started.")


def test_lunch_break_is_no_staleness() -> None:
    in_break = datetime(2026, 11, 20, 3, 29, tzinfo=UTC)
    due = due_now([TOKYO], in_break, started=LONG_AGO, next_open=OPEN)
    assert due == Due(FRIDAY, TOKYO.opens, datetime(2026, 11, 20, 2, 30, tzinfo=UTC), OPEN)
    assert verdict(due, datetime(2026, 11, 20, 2, 31, tzinfo=UTC), in_break)[0]


def test_market_that_opens_again_after_its_break_is_given_time() -> None:
    opened_again = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
    made = datetime(2026, 11, 20, 2, 31, tzinfo=UTC)

    def is_fresh(now: datetime) -> bool:
        return verdict(due_now([TOKYO], now, started=LONG_AGO, next_open=OPEN), made, now)[0]

    assert is_fresh(opened_again + minutes(9))
    assert not is_fresh(opened_again + minutes(10))


COIN = Hours(FRIDAY, datetime(2026, 11, 20, 0, 0, tzinfo=UTC), datetime(2026, 11, 21, 0, 0, tzinfo=UTC))


def test_dead_market_is_named_although_another_goes_on() -> None:
    now = OPEN + minutes(60)
    markets = [Market("24/7", COIN, now - minutes(1)), Market("XNYS", NEW_YORK, now - minutes(11))]
    assert told_of_stale(markets, now, started=LONG_AGO) == (
        "1 of 2 open markets are stale. The stalest is XNYS: of its session 2026-11-20 its newest bar ends at 2026-11-20 15:19Z; "
        "at most 10 min may pass."
    )
    silent = [Market("24/7", COIN, now - minutes(12)), Market("XNYS", NEW_YORK, now - minutes(11))]
    assert str(told_of_stale(silent, now, started=LONG_AGO)).startswith("2 of 2 open markets are stale. The stalest is 24/7: ")
    assert told_of_stale(silent, now, started=None) is None


@pytest.mark.parametrize(
    ("hours", "now", "newest", "delay", "is_stale"),
    [
        (NEW_YORK, OPEN + minutes(60), OPEN + minutes(50), 0, False),
        (NEW_YORK, OPEN + minutes(60), OPEN + minutes(49), 0, True),
        (NEW_YORK, OPEN + minutes(9), None, 0, False),
        (NEW_YORK, OPEN + minutes(10), None, 0, True),
        # Prices that the vendor shows 15 minutes late.
        (NEW_YORK, OPEN + minutes(24), None, 15, False),
        (NEW_YORK, OPEN + minutes(25), None, 15, True),
        (NEW_YORK, OPEN + minutes(60), OPEN + minutes(35), 15, False),
        (NEW_YORK, OPEN + minutes(60), OPEN + minutes(34), 15, True),
        # Tokyo at lunch, 02:30 to 03:30, and just after it; it opened at 00:00.
        (TOKYO, TOKYO.opens + minutes(209), TOKYO.opens + minutes(150), 0, False),
        (TOKYO, TOKYO.opens + minutes(219), TOKYO.opens + minutes(150), 0, False),
        (TOKYO, TOKYO.opens + minutes(220), TOKYO.opens + minutes(150), 0, True),
    ],
)
def test_open_market_is_stale_once_no_bar_has_come_for_ten_minutes_of_trading(
    hours: Hours, now: datetime, newest: datetime | None, delay: float, is_stale: bool
) -> None:
    assert Market("any", hours, newest, minutes(delay)).is_stale(now, started=LONG_AGO) is is_stale


def test_open_market_is_not_stale_before_the_feed_has_listened_for_ten_minutes() -> None:
    now, market = OPEN + minutes(60), Market("XNYS", NEW_YORK, None)
    assert not market.is_stale(now, started=now - minutes(9))
    assert market.is_stale(now, started=now - minutes(10))


def test_market_that_is_open_counts_before_one_that_has_closed() -> None:
    now = OPEN + minutes(60)
    due = due_now([TOKYO, NEW_YORK], now, started=LONG_AGO, next_open=None)
    assert due is not None
    assert (due.session_date, due.since, due.until) == (FRIDAY, OPEN, now)


@pytest.mark.filterwarnings("ignore")
def test_one_asset_can_be_looked_at_alone_and_a_replay_is_never_stale() -> None:
    settings = Settings(_env_file=None, feed_kind="tape")  # type: ignore[call-arg]
    key = dg.AssetCheckKey(dg.AssetKey(["quality", "gap"]), "fresh_in_session")
    done = dg.materialize(
        [session_freshness_checks],
        selection=dg.AssetSelection.checks(key),
        resources={"world": World(settings, StoppedClock(SATURDAY))},
    )
    (only,) = done.get_asset_check_evaluations()
    assert (only.asset_check_key, only.passed, only.description) == (key, True, "A replay is not held to the clock.")


def made_of(instance: dg.DagsterInstance, session_date: date, keys: Iterable[dg.AssetKey]) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=session_date.isoformat()))


@contextmanager
def counted_queries() -> Generator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_look_at_all_assets_costs_as_many_queries_as_at_one() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        made_of(instance, FRIDAY, OF_SESSION)
        with counted_queries() as of_one:
            last_made(instance, OF_SESSION[:1], FRIDAY)
        with counted_queries() as of_all:
            found = last_made(instance, OF_SESSION, FRIDAY)
    assert set(found) == set(OF_SESSION)
    assert 0 < len(of_all) == len(of_one)


def test_later_backfill_of_another_session_hides_nothing() -> None:
    backfilled, untouched, never = OF_SESSION[:3]
    with dg.DagsterInstance.ephemeral() as instance:
        made_of(instance, MONDAY, [backfilled, untouched])
        before = last_made(instance, OF_SESSION, MONDAY)
        made_of(instance, FRIDAY, [backfilled, never])
        assert last_made(instance, OF_SESSION, MONDAY) == before
    assert set(before) == {backfilled, untouched}


def test_backfill_of_some_symbols_makes_nothing_look_new() -> None:
    key = OF_SESSION[-1]
    with dg.DagsterInstance.ephemeral() as instance:

        def made(symbols: list[str]) -> None:
            event = dg.AssetMaterialization(key, partition=FRIDAY.isoformat(), metadata={"symbols": symbols})
            instance.report_runless_asset_event(event)

        made(["AAPL"])
        assert last_made(instance, [key], FRIDAY) == {}
        made([])
        before = last_made(instance, [key], FRIDAY)
        made(["AAPL"])
        made(["AAPL", "XOM"])
        assert last_made(instance, [key], FRIDAY) == before
    assert set(before) == {key}
