"""Token bucket and breaker as pure rules, with times by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.adapters.vendor_budget import Limits, NotBefore, State, VendorBudget, answered, ask, given_up, refused
from stock_platform.errors import VendorBlocked, VendorBudgetSpent

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = Limits(per_minute=60, burst=3)
MINUTE = timedelta(minutes=1)


class TurnedClock:
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration


def taken(state: State, count: int, *, now: datetime) -> State:
    for _ in range(count):
        state, held = ask(state, LIMITS, by="a", now=now)
        assert held is None
    return state


def test_bucket_gives_its_burst_and_then_one_a_second() -> None:
    state = taken(State(3, NOON), 3, now=NOON)
    assert ask(state, LIMITS, by="a", now=NOON)[1] == NotBefore(NOON + timedelta(seconds=1), is_blocked=False)
    later = NOON + timedelta(seconds=1.5)
    state = taken(state, 1, now=later)
    assert ask(state, LIMITS, by="a", now=later)[1] == NotBefore(later + timedelta(seconds=0.5), is_blocked=False)


def test_bucket_never_holds_more_than_its_burst() -> None:
    state = taken(State(3, NOON), 3, now=NOON + timedelta(hours=9))
    assert ask(state, LIMITS, by="a", now=NOON + timedelta(hours=9))[1] is not None


def test_clock_that_goes_back_gives_nothing_away() -> None:
    state = taken(State(3, NOON), 3, now=NOON)
    assert ask(state, LIMITS, by="a", now=NOON - timedelta(hours=1))[1] is not None


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_stretch_of_time_holds_more_than_burst_and_rate(pauses: list[float]) -> None:
    state, now, granted = State(3, NOON), NOON, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        state, held = ask(state, LIMITS, by="a", now=now)
        granted += [] if held else [now]
    for first, start in enumerate(granted):
        for last in range(first, len(granted)):
            assert last - first + 1 <= 3 + (granted[last] - start).total_seconds() + 1e-6


@pytest.mark.parametrize(("blocks_before", "minutes"), [(0, 15), (1, 30), (2, 60), (5, 480), (6, 960), (7, 1440), (40, 1440)])
def test_each_refusal_in_a_row_doubles_the_pause_up_to_a_day(blocks_before: int, minutes: int) -> None:
    before = State(1, NOON, blocks_before, NOON - MINUTE, "a", NOON - MINUTE) if blocks_before else State(1, NOON)
    after = refused(before, by="a", now=NOON, retry_after=None)
    assert (after.blocked_until, after.blocks, after.breaker(NOON)) == (NOON + minutes * MINUTE, blocks_before + 1, "open")


def test_vendors_own_pause_is_kept_up_to_a_day() -> None:
    assert refused(State(1, NOON), by="a", now=NOON, retry_after=7 * MINUTE).blocked_until == NOON + 7 * MINUTE
    assert refused(State(1, NOON), by="a", now=NOON, retry_after=timedelta(days=9)).blocked_until == NOON + timedelta(days=1)


def test_refusals_of_requests_that_were_under_way_together_count_once() -> None:
    state = refused(State(1, NOON), by="a", now=NOON, retry_after=None)
    state = refused(state, by="b", now=NOON, retry_after=None)
    assert (state.blocks, state.blocked_until) == (1, NOON + 15 * MINUTE)


def test_open_breaker_lets_nobody_through_and_then_one_who_tries() -> None:
    state, until = refused(State(3, NOON), by="a", now=NOON, retry_after=None), NOON + 15 * MINUTE
    assert ask(state, LIMITS, by="a", now=until - timedelta(seconds=1))[1] == NotBefore(until, is_blocked=True)

    state, held = ask(state, LIMITS, by="b", now=until)
    assert held is None
    assert ask(state, LIMITS, by="a", now=until)[1] == NotBefore(until + MINUTE, is_blocked=True)
    assert ask(state, LIMITS, by="b", now=until)[1] is None, "the one who tries may need a cookie first"


def trial() -> tuple[State, datetime]:
    until = NOON + 15 * MINUTE
    state, _ = ask(refused(State(3, NOON), by="a", now=NOON, retry_after=None), LIMITS, by="b", now=until)
    return state, until


def test_trial_with_an_answer_closes_the_breaker_for_all() -> None:
    state, now = trial()
    state = answered(state, by="b", now=now)
    assert (state.breaker(now), state.blocks, ask(state, LIMITS, by="a", now=now)[1]) == ("closed", 0, None)


def test_trial_that_is_refused_opens_it_for_twice_as_long() -> None:
    state, now = trial()
    assert refused(state, by="b", now=now, retry_after=None).blocked_until == now + 30 * MINUTE


def test_late_answer_of_somebody_else_does_not_close_it() -> None:
    state, now = trial()
    assert answered(state, by="a", now=now) == state


def test_trial_without_an_answer_lets_another_try() -> None:
    state, now = trial()
    assert ask(given_up(state, by="b"), LIMITS, by="a", now=now)[1] is None


def test_trial_of_a_dead_process_lets_another_try_after_a_minute() -> None:
    state, now = trial()
    state, held = ask(state, LIMITS, by="a", now=now + MINUTE)
    assert held is None
    assert state.trial_by == "a"


def test_take_waits_for_its_turn_and_says_when_it_does_not_come(tmp_path: Path) -> None:
    clock = TurnedClock()
    budget = VendorBudget(tmp_path / "vendor" / "yahoo.json", LIMITS, clock, vendor="yahoo")
    for _ in range(5):
        budget.take(within=timedelta(seconds=2))
    assert clock.at == NOON + timedelta(seconds=2)
    with pytest.raises(VendorBudgetSpent, match="60 requests a minute to yahoo is spent; the next turn comes at 12:00:03Z"):
        budget.take(within=timedelta(seconds=0.5))


def test_breaker_is_seen_by_every_caller_and_can_be_read(tmp_path: Path) -> None:
    clock, path = TurnedClock(), tmp_path / "yahoo.json"
    one, other = (VendorBudget(path, LIMITS, clock, vendor="yahoo") for _ in range(2))
    one.refused(None)
    with pytest.raises(VendorBlocked, match="nothing is asked of it before 2026-11-20 12:15:00Z"):
        other.take(within=MINUTE)
    assert other.state().breaker(clock.at) == "open"


def test_unreadable_state_is_an_empty_bucket_and_not_a_crash(tmp_path: Path) -> None:
    clock, path = TurnedClock(), tmp_path / "yahoo.json"
    path.write_text('{"tokens": "many')
    VendorBudget(path, LIMITS, clock, vendor="yahoo").take(within=MINUTE)
    assert clock.at == NOON + timedelta(seconds=1)
