"""Why minutes are missing: classes and evidence by hand, and that nothing is lost or counted twice whatever is missing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.market.gaps.classes import Gap, classify
from stock_platform.market.gaps.rows import Look, Row, merged
from stock_platform.market.gaps.seen import Held, InTopic, Seen
from stock_platform.market.session_minutes import Hours, instant_of, minute_of, stretches, touched

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
M0 = minute_of(OPEN)
NOW = OPEN + timedelta(hours=2)
LOOK = Look(DAY, "run-2", NOW)


def seen(symbol: str = "A", *, ticks: int = 55, minutes: int = 60, missing: Any = (), **more: Any) -> Seen:
    """A symbol with the same number of ticks in each of its first minutes, but for the missing ones."""
    expected = [M0 + n for n in range(minutes)]
    bars = {M0 + n: ticks for n in range(minutes) if n not in set(missing)}
    return Seen(**{"symbol": symbol, "calendar": "XNYS", "expected": expected, "bars": bars, **more})


def peers(count: int = 28, *, missing: Any = ()) -> list[Seen]:
    return [seen(f"P{n}", missing=missing) for n in range(count)]


def only(gaps: list[Gap], symbol: str = "A") -> Gap:
    found = [gap for gap in gaps if gap.symbol == symbol]
    assert len(found) == 1, found
    return found[0]


def told(gap: Gap) -> tuple[int, int, GapClass, bool]:
    """First minute and count, class, and whether something is left to do."""
    return gap.minutes.start - M0, len(gap.minutes), gap.gap_class, gap.closing is None


def unheard(first: float, last: float) -> list[tuple[datetime, datetime]]:
    """In minutes from the open."""
    return [(OPEN + timedelta(minutes=first), OPEN + timedelta(minutes=last))]


def test_silence_of_a_busy_symbol_is_a_halt_while_peers_trade() -> None:
    """55 a minute for 4 min: exp(-220) is 10^-96."""
    gap = only(classify([seen(missing=range(40, 44)), *peers(27), seen("Q", missing=range(40, 44), ticks=0)]))
    assert told(gap) == (40, 4, GapClass.HALT, False)
    assert gap.evidence == (
        "No tick for 4 min at 55 a minute before, while 27 of 28 peers of XNYS traded: by chance that happens once in 10^96 times. "
        "A halt is inferred: the feed has no message for it."
    )


def test_silence_of_an_idle_symbol_is_nothing_unusual() -> None:
    """12 ticks in 30 minutes: 0.4 a minute; exp(-1.2) is 30 %."""
    bars = {M0 + n: 1 for n in range(60) if n not in (40, 41, 42)} | {M0 + n: 0 for n in range(10, 28)}
    gap = only(classify([seen(bars=bars), *peers()]))
    assert told(gap) == (40, 3, GapClass.NO_TRADE, False)
    assert gap.evidence == "0.4 ticks a minute before: by chance a silence of 3 min comes in 30 % of cases."


@pytest.mark.parametrize(("ticks", "length", "is_halt"), [(13, 1, False), (14, 1, True), (7, 2, True)])
def test_halt_begins_at_one_in_a_million(ticks: int, length: int, is_halt: bool) -> None:
    """ln(1,000,000) is 13.8 expected ticks."""
    found = only(classify([seen(ticks=ticks, missing=range(40, 40 + length)), *peers()]))
    assert found.gap_class is (GapClass.HALT if is_halt else GapClass.NO_TRADE)


def test_missing_minutes_before_count_as_no_ticks_and_unheard_ones_not_at_all() -> None:
    """Of 30 minutes before minute 40, 15 are missing: 7 a minute becomes 3.5, and 2 min of it 7 expected ticks."""
    apart = [*range(10, 40, 2), 40, 41]
    quiet = classify([seen(ticks=7, missing=apart), *peers()])
    assert [told(gap)[2] for gap in quiet if gap.minutes.start == M0 + 40] == [GapClass.NO_TRADE]
    heard = classify([seen(ticks=7, missing=[*range(10, 25), 40, 41], unheard=unheard(10, 25)), *peers()])
    assert [told(gap)[2] for gap in heard] == [GapClass.FEED_GAP, GapClass.HALT]


def test_first_minutes_of_a_session_are_measured_by_the_session_before() -> None:
    gap = only(classify([seen(missing=(0,), before=[20] * 30), *peers()]))
    assert gap.gap_class is GapClass.HALT
    assert "at 20 a minute before" in gap.evidence


def test_symbol_without_any_history_is_said_to_have_none() -> None:
    gap = only(classify([seen(missing=(0,)), *peers()]))
    assert told(gap) == (0, 1, GapClass.NO_TRADE, False)
    assert gap.evidence == "No tick for 1 min; there is no earlier minute of it that says how usual that is."


def test_market_that_is_silent_as_a_whole_is_closed() -> None:
    market = [seen(missing=range(30, 60)), *peers(2, missing=range(30, 60))]
    gaps = classify(market)
    assert [told(gap) for gap in gaps] == [(30, 30, GapClass.CLOSED, False)] * 3
    assert gaps[0].evidence == (
        "No instrument of XNYS had a regular tick from 15:00 to 15:30 UTC, while the feed was connected; "
        "some 4950 were to be expected at the rate before."
    )


def test_market_that_is_silent_for_four_minutes_has_not_closed() -> None:
    gaps = classify([seen(missing=range(30, 34)), *peers(2, missing=range(30, 34))])
    assert {gap.gap_class for gap in gaps} == {GapClass.NO_TRADE}
    assert gaps[0].evidence.endswith("none of 2 peers of XNYS traded: too short to say that the market was closed.")


def test_vendor_that_says_closed_is_believed_where_nobody_trades() -> None:
    says = {M0 + 30: InTopic(phases={"post": 2})}
    gaps = classify([seen(missing=(30, 31), topic=says), seen("B", missing=(30, 31))])
    assert {gap.gap_class for gap in gaps} == {GapClass.CLOSED}
    assert "the vendor's updates of that time say post" in gaps[0].evidence
    assert only(classify([seen(missing=(30, 31), topic=says), *peers()])).gap_class is GapClass.HALT


def test_other_markets_say_nothing() -> None:
    gap = only(classify([seen(missing=(40,)), seen("BTC-USD", calendar="24/7")]))
    assert gap.gap_class is GapClass.NO_TRADE
    assert "no other instrument of XNYS is watched" in gap.evidence


def test_minutes_that_an_unheard_stretch_touches_are_a_feed_gap() -> None:
    gap = only(classify([seen(missing=(39, 40, 41), unheard=unheard(39.5, 41.1)), *peers()]))
    assert told(gap) == (39, 3, GapClass.FEED_GAP, True)
    assert gap.evidence == "No feed line heard it from 15:09:30 to 15:11:06 UTC (96 s)."


def test_partly_heard_minute_with_a_bar_is_not_missing() -> None:
    assert classify([seen(unheard=unheard(39.5, 40.5)), *peers()]) == []


def test_ticks_without_a_bar_are_a_pipeline_gap_and_refused_ones_are_told() -> None:
    topic = {M0 + 40: InTopic(50, letters={"too_late": 3}), M0 + 41: InTopic(61)}
    gap = only(classify([seen(missing=(40, 41), topic=topic), *peers()]))
    assert told(gap) == (40, 2, GapClass.PIPELINE_GAP, True)
    assert gap.evidence == (
        "Kafka has 111 ticks of these 2 min, and no bar was made of them. Refused meanwhile, in market.ticks.dlq.v1: too_late 3."
    )


def test_symbol_whose_messages_were_refused_was_not_halted() -> None:
    gap = only(classify([seen(missing=(40,), topic={M0 + 40: InTopic(letters={"spike": 12})}), *peers()]))
    assert gap.gap_class is GapClass.NO_TRADE
    assert "so it was no halt. Refused meanwhile, in market.ticks.dlq.v1: spike 12." in gap.evidence


def test_topic_that_has_dropped_the_time_is_told() -> None:
    assert "Kafka no longer has all of that time" in only(classify([seen(missing=(40,), is_dropped=True), *peers()])).evidence


@pytest.mark.parametrize(
    ("held", "is_open", "sentence"),
    [
        (Held("refused", "collar,has_ticks"), True, "or a newer version passes: 1 bar that broke collar, has_ticks."),
        (Held("discarded", "collar"), False, "Discarded by a person: 1 bar that broke collar."),
        (Held("unjudged", ""), True, "Staged and not judged yet: 1 bar."),
        (Held("unjudged", "unique_key"), True, "; unique_key blocks the session's newest batch."),
    ],
)
def test_bar_that_the_gate_keeps_is_held(held: Held, is_open: bool, sentence: str) -> None:
    gap = only(classify([seen(missing=(40,), held={M0 + 40: held}), *peers()]))
    assert told(gap) == (40, 1, GapClass.HELD, is_open)
    assert sentence in gap.evidence


def test_neighbours_of_different_classes_are_different_gaps() -> None:
    held = {M0 + 40: Held("refused", "collar")}
    gaps = classify([seen(missing=range(40, 44), held=held, unheard=unheard(42, 43)), *peers()])
    assert [told(gap)[:3] for gap in gaps] == [
        (40, 1, GapClass.HELD),
        (41, 1, GapClass.HALT),
        (42, 1, GapClass.FEED_GAP),
        (43, 1, GapClass.HALT),
    ]


def test_lunch_break_is_not_expected_and_parts_two_gaps() -> None:
    hours = Hours(M0, M0 + 20, M0 + 8, M0 + 12)
    assert hours.minutes(since=M0 + 6, until=M0 + 14) == [M0 + 6, M0 + 7, M0 + 12, M0 + 13]
    assert stretches([M0 + 7, M0 + 12, M0 + 13]) == [range(M0 + 7, M0 + 8), range(M0 + 12, M0 + 14)]
    assert hours.minutes(since=M0 + 9, until=M0 + 11) == []
    assert hours.minutes(since=0, until=M0 + 99) == hours.minutes(since=M0, until=M0 + 20)


def test_unheard_stretch_touches_the_minutes_that_it_shares_time_with() -> None:
    assert touched(OPEN, OPEN + timedelta(minutes=1)) == range(M0, M0 + 1)
    assert touched(OPEN + timedelta(seconds=59), OPEN + timedelta(seconds=61)) == range(M0, M0 + 2)


def row(first: int, count: int, gap_class: GapClass = GapClass.NO_TRADE, **changes: Any) -> Row:
    """As an earlier run left it."""
    start, is_open = instant_of(M0 + first), changes.get("state") is GapState.OPEN
    values: dict[str, Any] = {
        "symbol": "A",
        "ts_start": start,
        "ts_end": start + timedelta(minutes=count),
        "session_date": DAY,
        "minute_count": count,
        "gap_class": gap_class,
        "evidence": "as it was",
        "state": GapState.EXPLAINED,
        "closed_by_run": None,
        "closed_reason": None if is_open else "as it was",
        "attempt_count": 1,
        "ts_found": OPEN,
        "ts_closed": None if is_open else OPEN,
        "dagster_run_id": "run-1",
    }
    return Row(**{**values, **changes})


def gap(first: int, count: int, gap_class: GapClass = GapClass.NO_TRADE, closing: str | None = "nothing to repair") -> Gap:
    return Gap("A", range(M0 + first, M0 + first + count), gap_class, "as it is", closing)


def test_row_that_would_say_the_same_stays_as_it_is() -> None:
    stored = [row(5, 2)]
    assert merged(stored, [gap(5, 2)], {}, look=LOOK) == stored


def test_gap_that_grows_extends_its_row_and_remembers_who_found_it() -> None:
    (found,) = merged([row(5, 2)], [gap(5, 3)], {}, look=LOOK)
    assert (found.minute_count, found.evidence, found.ts_found, found.dagster_run_id) == (3, "as it is", OPEN, "run-1")
    assert (found.attempt_count, found.ts_closed) == (1, NOW)


def test_minutes_that_got_bars_are_repaired_by_the_run_that_accepted_them() -> None:
    accepted = {("A", M0 + 6): "gate-7", ("A", M0 + 7): "gate-8"}
    found = merged([row(5, 4)], [gap(5, 1), gap(8, 1)], accepted, look=LOOK)
    assert [(each.minutes.start - M0, each.minute_count, each.state, each.closed_by_run) for each in found] == [
        (5, 1, GapState.EXPLAINED, None),
        (6, 2, GapState.REPAIRED, "gate-8"),
        (8, 1, GapState.EXPLAINED, None),
    ]
    assert found[1].closed_reason == "its 2 bars were accepted by run gate-8, the others by gate-7"


def test_repaired_row_stays_while_its_bars_do_and_shrinks_with_them() -> None:
    repaired = row(5, 3, state=GapState.REPAIRED, closed_by_run="gate-7")
    accepted = {("A", M0 + n): "gate-9" for n in (5, 6, 7)}
    assert merged([repaired], [], accepted, look=LOOK) == [repaired]
    del accepted["A", M0 + 5]
    found = merged([repaired], [gap(5, 1)], accepted, look=LOOK)
    assert [(each.minutes.start - M0, each.minute_count, each.state) for each in found] == [
        (5, 1, GapState.EXPLAINED),
        (6, 2, GapState.REPAIRED),
    ]


def test_what_a_repair_run_has_decided_is_kept() -> None:
    decided = [row(5, 2, closed_by_run="repair"), row(9, 1, GapClass.FEED_GAP, state=GapState.UNREPAIRABLE)]
    assert merged(decided, [], {}, look=LOOK) == decided


def test_evidence_that_comes_late_changes_the_class_and_opens_the_row() -> None:
    (found,) = merged([row(5, 2, GapClass.HALT)], [gap(5, 2, GapClass.FEED_GAP, None)], {}, look=LOOK)
    assert (found.gap_class, found.state, found.attempt_count, found.ts_closed) == (GapClass.FEED_GAP, GapState.OPEN, 0, None)


MINUTES = st.sets(st.integers(0, 39))


@given(
    missing=st.lists(MINUTES, min_size=1, max_size=3),
    late=MINUTES,
    held=MINUTES,
    in_topic=MINUTES,
    deaf=st.tuples(st.integers(0, 40), st.integers(0, 8)),
    rate=st.integers(0, 60),
)
def test_minutes_with_bars_and_minutes_of_the_ledger_are_the_expected_ones(
    missing: list[set[int]], late: set[int], held: set[int], in_topic: set[int], deaf: tuple[int, int], rate: int
) -> None:
    """After a first look, and after a second one that finds some bars that came meanwhile; a third changes nothing."""

    def session(gone: list[set[int]]) -> list[Seen]:
        facts: dict[str, Any] = {
            "held": {M0 + n: Held("refused", "collar") for n in held if n in gone[0]},
            "topic": {M0 + n: InTopic(3) for n in in_topic},
            "unheard": unheard(deaf[0], sum(deaf)) if deaf[1] else (),
        }
        return [seen(f"S{n}", ticks=rate, minutes=40, missing=each, **(facts if n == 0 else {})) for n, each in enumerate(gone)]

    rows: list[Row] = []
    for gone in (missing, [each - late for each in missing]):
        found = session(gone)
        accepted = {(each.symbol, minute): "gate" for each in found for minute in each.bars}
        rows = merged(rows, classify(found), accepted, look=LOOK)
        for each in found:
            in_ledger = [m for one in rows if one.symbol == each.symbol and one.state is not GapState.REPAIRED for m in one.minutes]
            assert sorted([*in_ledger, *each.bars]) == each.expected
            repaired = [m for one in rows if one.symbol == each.symbol and one.state is GapState.REPAIRED for m in one.minutes]
            assert set(repaired) <= each.bars.keys()
        assert len({(one.symbol, one.ts_start) for one in rows}) == len(rows)
        assert merged(rows, classify(found), accepted, look=Look(DAY, "run-3", NOW + timedelta(minutes=1))) == rows
