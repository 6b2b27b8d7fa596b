"""Which days have a partition: those on which some watched market trades."""

from datetime import date

from stock_platform.defs.sessions import session_partitions

THANKSGIVING = "2025-11-27"
NEW_YEAR = "2026-01-01"


def keys(*calendars: str, first: date = date(2025, 11, 24), last: date = date(2026, 1, 5)) -> list[str]:
    return list(session_partitions(first, last, calendars=calendars).get_partition_keys())


def test_weekends_and_holidays_of_the_only_exchange_are_no_partitions() -> None:
    found = keys("XNYS", last=date(2025, 12, 2))
    assert found == ["2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28", "2025-12-01", "2025-12-02"]


def test_day_on_which_one_of_two_exchanges_trades_is_a_partition() -> None:
    """London trades on Thanksgiving; on New Year's Day neither does."""
    found = keys("XNYS", "XLON")
    assert THANKSGIVING in found
    assert NEW_YEAR not in found


def test_market_that_never_closes_makes_every_day_a_partition() -> None:
    assert len(keys("XNYS", "24/7", last=date(2025, 12, 7))) == 14


def test_going_on_there_are_partitions_until_tomorrow() -> None:
    assert session_partitions(date(2025, 1, 1), calendars=["24/7"]).end_offset == 2
