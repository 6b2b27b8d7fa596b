"""Moves between sessions. Closes by hand; those of the recorded files were read off their last regular minutes."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from stock_platform.calendars import calendar
from stock_platform.market.jumps import Close, jumps, moves
from stock_platform_tests.conftest import RECORDED

FRIDAY, MONDAY = date(2014, 6, 6), date(2014, 6, 9)
SEVENTH = Decimal(1) / 7


def closes(*prices: str, factor: Decimal = Decimal(1)) -> list[Close]:
    """A Friday's close and the next Monday's; the factor is the Friday's."""
    before, after = map(Decimal, prices)
    return [Close("A", FRIDAY, before, factor), Close("A", MONDAY, after)]


@pytest.mark.parametrize(
    ("pair", "is_jump"),
    [
        (closes("100", "125"), False),
        (closes("100", "125.01"), True),
        (closes("100", "75"), False),
        (closes("100", "74.99"), True),
        # a 3:2 split without and with its factor
        (closes("90", "60"), True),
        (closes("90", "60", factor=Decimal(2) / 3), False),
        # a 1:10 reverse split
        (closes("1.20", "12.10"), True),
        (closes("1.20", "12.10", factor=Decimal(10)), False),
        # a split that the prices do not show
        (closes("100", "101", factor=SEVENTH), True),
        # a crash on the day of a 7:1 split: 100 to 70 in today's shares
        (closes("700", "70", factor=SEVENTH), True),
        # a special dividend of 40 on a close of 100
        (closes("100", "60", factor=Decimal("0.6")), False),
    ],
)
def test_move_is_a_jump_when_its_factor_leaves_more_than_a_quarter(pair: list[Close], is_jump: bool) -> None:
    assert bool(jumps(moves(pair))) == is_jump


def test_jump_names_symbol_days_and_move() -> None:
    (jump,) = jumps(moves(closes("645.57", "93.70")))
    # 93.70 / 645.57 - 1 = -0.85485...
    assert str(jump) == "A 2014-06-06 to 2014-06-09: 645.57 to 93.70, -85.5 % after known corporate actions"


def test_moves_are_of_one_symbol_and_over_no_gap() -> None:
    first = date(2026, 2, 11)  # Taiwan's last session before New Year; the next one is twelve days later
    days = [Close("A", first + timedelta(days=day), Decimal(10)) for day in (0, 12, 25)]
    other = Close("B", first + timedelta(days=26), Decimal(99))
    assert [(move.before, move.after) for move in moves([*days, other])] == [(days[0], days[1])]
    assert moves([]) == []


_RECORDED = {
    "split-aapl-2014-06.parquet": [
        ("AAPL", date(2014, 6, 5), "647.35"),
        ("AAPL", date(2014, 6, 6), "645.57"),
        ("AAPL", date(2014, 6, 9), "93.70"),
        ("TWX", date(2014, 6, 5), "70.88"),
        ("TWX", date(2014, 6, 6), "71.08"),
        ("TWX", date(2014, 6, 9), "68.99"),
    ],
    "early-close-goog-2015-12.parquet": [
        ("GOOG", date(2015, 12, 23), "750.31"),
        ("GOOG", date(2015, 12, 24), "748.40"),
        ("GOOG", date(2015, 12, 28), "762.51"),
    ],
    "dst-shy-2008-03.parquet": [("SHY", date(2008, 3, 7), "84.13"), ("SHY", date(2008, 3, 10), "84.26")],
    # News Corp was split up and became 21st Century Fox on 2013-07-01: another symbol, and no move from the old one to the new.
    "rename-nwsa-foxa-2013-06.parquet": [
        ("FOXA", date(2013, 7, 1), "29.40"),
        ("FOXA", date(2013, 7, 2), "29.21"),
        ("NWSA", date(2013, 6, 27), "32.69"),
    ],
}
"""Closes of the regular hours, read off the files: the last bar before 16:00 New York, on 2015-12-24 before 13:00."""


def recorded(file: str) -> pl.DataFrame:
    """Bars of regular hours with their session, by symbol and time."""
    path = RECORDED / "bars_1m" / file
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    hours = calendar("XNYS")
    instant = pl.col("ts_start")
    return (
        pl.read_parquet(path)
        .filter(instant.map_elements(lambda ts: hours.phase(ts) == "regular", return_dtype=pl.Boolean))
        .with_columns(session_date=instant.map_elements(hours.session_date, return_dtype=pl.Date))
        .sort("symbol", "ts_start")
    )


def recorded_closes(file: str, factors: dict[tuple[str, date], Decimal]) -> list[Close]:
    last = recorded(file).group_by("symbol", "session_date", maintain_order=True).agg(pl.col("close").last())
    return [Close(symbol, day, price, factors.get((symbol, day), Decimal(1))) for symbol, day, price in last.iter_rows()]


_MOVES = {
    "split-aapl-2014-06.parquet": 4,
    "early-close-goog-2015-12.parquet": 2,
    "dst-shy-2008-03.parquet": 1,
    "rename-nwsa-foxa-2013-06.parquet": 1,
}


@pytest.mark.parametrize("file", _RECORDED)
def test_recorded_sessions_close_without_a_false_jump(file: str) -> None:
    before_split = {("AAPL", date(2014, 6, day)): SEVENTH for day in (5, 6)}
    found = recorded_closes(file, before_split)
    expected = [(symbol, day, Decimal(price)) for symbol, day, price in _RECORDED[file]]
    assert [(each.symbol, each.session_date, each.price) for each in found] == expected
    assert len(moves(found)) == _MOVES[file]
    assert jumps(moves(found)) == []


def test_recorded_split_without_its_factor_is_a_jump_of_that_symbol_alone() -> None:
    (jump,) = jumps(moves(recorded_closes("split-aapl-2014-06.parquet", {})))
    assert str(jump).startswith("AAPL 2014-06-06 to 2014-06-09: ")


def test_recorded_split_leaves_a_continuous_series() -> None:
    """645.57 / 7 = 92.224286: the first minute after it closes at 92.72, 0.54 % above; its open is 92.69, 0.51 % above."""
    bars = recorded("split-aapl-2014-06.parquet").filter(pl.col("symbol") == "AAPL")
    first = bars.filter(pl.col("session_date") == MONDAY).row(0, named=True)
    last = bars.filter(pl.col("session_date") == FRIDAY).row(-1, named=True)
    assert (last["close"], first["open"], first["close"]) == (Decimal("645.57"), Decimal("92.69"), Decimal("92.72"))
    assert abs(first["close"] / (last["close"] * SEVENTH) - 1) < Decimal("0.006")
    # The pre-market bar in which both scales are mixed is in no session bar.
    assert bars.filter(pl.col("session_date") == MONDAY)["high"].max() < 100


@pytest.mark.parametrize(
    ("day", "ts_open", "ts_close", "minutes"),
    [
        # winter time, New York is UTC-5
        (date(2015, 12, 23), "2015-12-23T09:30:00-05:00", "2015-12-23T16:00:00-05:00", 390),
        (date(2015, 12, 24), "2015-12-24T09:30:00-05:00", "2015-12-24T13:00:00-05:00", 210),
        (date(2015, 12, 28), "2015-12-28T09:30:00-05:00", "2015-12-28T16:00:00-05:00", 390),
        # clocks go forward on Sunday 2008-03-09: UTC-4 from then on
        (date(2008, 3, 7), "2008-03-07T09:30:00-05:00", "2008-03-07T16:00:00-05:00", 390),
        (date(2008, 3, 10), "2008-03-10T09:30:00-04:00", "2008-03-10T16:00:00-04:00", 390),
        (date(2014, 6, 9), "2014-06-09T09:30:00-04:00", "2014-06-09T16:00:00-04:00", 390),
        (date(2013, 7, 1), "2013-07-01T09:30:00-04:00", "2013-07-01T16:00:00-04:00", 390),
    ],
)
def test_session_has_the_minutes_between_its_hours(day: date, ts_open: str, ts_close: str, minutes: int) -> None:
    (session,) = calendar("XNYS").sessions(day, day + timedelta(days=1))
    assert (session.ts_open, session.ts_close) == (datetime.fromisoformat(ts_open), datetime.fromisoformat(ts_close))
    assert (session.ts_close - session.ts_open) // timedelta(minutes=1) == minutes
    assert (session.ts_break_start, session.ts_break_end) == (None, None)
