"""Latencies by hop, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stock_platform.contracts.slo import Hop
from stock_platform.market.latency import TimedBar, TimedTick, latencies, percentile

START = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


BAR = TimedBar(START, at(60), ts_last_tick=at(58), ts_landed=at(59.5), ts_accepted=at(65), ts_flink=at(59.25))


def hops(*bars: TimedBar) -> dict[Hop, float]:
    return {row.hop: row.max_ms for row in latencies(bars, [])}


def test_bar_is_measured_at_each_hop_of_its_way() -> None:
    assert hops(BAR) == {
        Hop.EVENT_TO_STAGING: 1_500,
        Hop.FLINK_TO_STAGING: 250,
        Hop.CLOSED_TO_CERTIFIED: 5_000,
        Hop.EVENT_TO_CERTIFIED: 5_000,
    }


def test_bar_that_landed_after_its_end_keeps_the_gate_waiting_from_then_on() -> None:
    found = hops(replace(BAR, ts_landed=at(63)))
    assert found[Hop.CLOSED_TO_CERTIFIED] == 2_000
    assert found[Hop.EVENT_TO_CERTIFIED] == 5_000


def test_bar_that_changed_after_its_certificate_says_nothing_of_staging() -> None:
    assert set(hops(replace(BAR, ts_landed=None))) == {Hop.EVENT_TO_CERTIFIED}


def test_ticks_are_counted_in_their_own_minute() -> None:
    ticks = [
        TimedTick("A", at(10), at(10.2), at(10.25)),
        TimedTick("A", at(59), at(60.1), at(60.4)),
        TimedTick("A", at(61), at(61.3), at(61.4)),
    ]
    rows = latencies([], ticks)
    assert [(row.ts_minute, row.hop, row.observation_count, row.p50_ms, row.max_ms) for row in rows] == [
        (START, Hop.EVENT_TO_RECEIVED, 2, 200, 1_100),
        (START, Hop.RECEIVED_TO_FLINK, 2, 50, 300),
        (at(60), Hop.EVENT_TO_RECEIVED, 1, 300, 300),
        (at(60), Hop.RECEIVED_TO_FLINK, 1, 100, 100),
    ]


def test_percentile_is_a_value_that_was_measured() -> None:
    hundred = [float(value) for value in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.5) == 7
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2
