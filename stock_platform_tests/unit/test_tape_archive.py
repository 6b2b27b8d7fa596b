"""Tapes that carry more than trades: a vendor's cumulative volume, and archived sessions; and which file `replay` plays."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stock_platform.adapters.kafka import partition_of
from stock_platform.adapters.kafka_progress import LinePosition
from stock_platform.adapters.parquet import write_pieces
from stock_platform.commands.profile import tape_to_replay
from stock_platform.errors import ArchiveMissing, SettingInvalid
from stock_platform.feed.archive_file import COLUMNS, archive_path
from stock_platform.feed.choice import tape_sessions
from stock_platform.feed.plan import TapePlan
from stock_platform.feed.publisher import Acknowledged
from stock_platform.feed.tape import Tape, TapeSource
from stock_platform.feed.tick import Candidate, Tick

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 19, 0, 20, tzinfo=UTC)


class _StandingClock:
    """A clock that only moves when slept on."""

    def __init__(self) -> None:
        self.ts = NOW

    def now(self) -> datetime:
        return self.ts

    def sleep(self, duration: timedelta) -> None:
        self.ts += duration


def archive(path: Path, *rows: dict[str, Any]) -> Path:
    """An archived session of these ticks."""
    right = {
        "symbol": "A",
        "price": Decimal("10"),
        "size": 5,
        "day_volume": 100,
        "previous_close": Decimal("9.5"),
        "session_phase": "regular",
        "currency": "USD",
        "calendar": "XNYS",
        "source": "yahoo",
        "line": "line-0",
        "is_suspect": False,
        "is_continuous": True,
        "tick_id": "0",
        "kafka_partition": 0,
        "kafka_offset": 0,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame([{**right, **row} for row in rows], schema_overrides=COLUMNS).select(*COLUMNS)
    write_pieces(path, iter([frame]))
    return path


def play(path: Path, acknowledged: Acknowledged | None = None) -> list[Candidate | Tick]:
    source = TapeSource(
        Tape(path), speed=1e9, is_as_live=False, acknowledged=acknowledged or Acknowledged(), clock=_StandingClock()
    )
    played: list[Candidate | Tick] = []
    while not source.is_over:
        played += source.read(timedelta(seconds=1))
    return played


def test_cumulative_volume_and_previous_close_of_a_tape_reach_the_candidate(tmp_path: Path) -> None:
    path = tmp_path / "tape.parquet"
    prices, sizes = [Decimal("1.5"), Decimal("1.6")], pl.Series([None, 7], dtype=pl.Int64)
    closes, stamps = [Decimal("1.25"), None], pl.Series([OPEN, OPEN]).dt.cast_time_unit("ms")
    columns = {"ts_event": stamps, "symbol": ["A", "A"], "price": prices, "size": sizes, "day_volume": [700, None]}
    pl.DataFrame({**columns, "previous_close": closes}).write_parquet(path)
    first, second = play(path)
    assert isinstance(first, Candidate)
    assert (first.day_volume, first.size, first.previous_close) == (700, None, Decimal("1.25"))
    assert (second.day_volume, second.size, second.previous_close) == (None, 7, None)


def test_archived_ticks_are_played_as_they_were_judged(tmp_path: Path) -> None:
    """A price 40 % away that was let through as a new level's third print would be refused by a filter that begins anew."""
    later = OPEN + timedelta(seconds=1)
    rows = (
        {"ts_event": OPEN},
        {"ts_event": later, "price": Decimal("14"), "is_suspect": True, "is_continuous": False, "size": None},
    )
    _, jump = play(archive(tmp_path / "a.parquet", *rows))
    assert isinstance(jump, Tick)
    assert (jump.price, jump.is_suspect, jump.is_continuous, jump.size, jump.day_volume) == (Decimal("14"), True, False, None, 100)
    assert (jump.source, jump.line, jump.line_seq, jump.ts_event) == ("tape", "tape", 1, later)


def test_restarted_archive_leaves_out_what_kafka_has(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.parquet", *({"ts_event": OPEN + timedelta(seconds=n), "day_volume": n} for n in range(4)))
    has = Acknowledged(partition_count=4, ticks={partition_of("A", 4): LinePosition(line_seq=1, ts_event_ms=0)})
    assert [each.line_seq for each in play(path, has)] == [2, 3]


def test_archive_is_played_on_the_calendars_it_was_made_on(tmp_path: Path) -> None:
    """Saturday 2026-11-21 is no session of New York, but one of a market that never closes."""
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    path = archive(tmp_path / "a.parquet", {"ts_event": saturday, "symbol": "AAPL", "calendar": "24/7"})
    (instrument,) = TapePlan("tape", path).instruments(Tape(path))
    assert instrument.calendar == "24/7"
    assert tape_sessions(path) == (date(2026, 11, 21), date(2026, 11, 21))


def test_replay_of_a_session_takes_the_archive_of_the_current_profile(tmp_path: Path) -> None:
    path = archive(archive_path(tmp_path / "simulator", date(2026, 11, 20)), {"ts_event": OPEN})
    assert tape_to_replay(None, "2026-11-20", data_dir=tmp_path) == path.resolve()
    with pytest.raises(ArchiveMissing, match=r"2026-11-21 is not archived .* there are: 2026-11-20"):
        tape_to_replay(None, "2026-11-21", data_dir=tmp_path)


@pytest.mark.parametrize(("tape", "session"), [(None, None), (Path("a"), "2026-11-20"), (None, "yesterday")])
def test_replay_of_nothing_or_of_two_things_is_refused(tmp_path: Path, tape: Path | None, session: str | None) -> None:
    with pytest.raises(SettingInvalid):
        tape_to_replay(tape, session, data_dir=tmp_path)
