"""The tape: what is said of a wrong one, its pace, and the recorded day as a whole."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time

import polars as pl
import pytest

from stock_platform.adapters.kafka import partition_of
from stock_platform.adapters.kafka_progress import LinePosition
from stock_platform.config import ROOT
from stock_platform.errors import TapeUnreadable
from stock_platform.feed.publisher import Acknowledged
from stock_platform.feed.tape import Tape, TapeSource
from stock_platform.feed.tick import Candidate, Tick, epoch_ms
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import instruments_of_tape

_RECORDED = ROOT.parent / "shared" / "data" / "tapes" / "us-2013-10-07.parquet"
_START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
_NOW = datetime(2026, 11, 22, 19, 0, 20, tzinfo=UTC)


class _TurnedClock:
    """A clock that only moves when told, or slept on."""

    def __init__(self) -> None:
        self.ts = _NOW

    def now(self) -> datetime:
        return self.ts

    def sleep(self, duration: timedelta) -> None:
        self.ts += duration


def _recorded() -> Tape:
    if not _RECORDED.exists():
        pytest.skip("recorded tape is not here: ../shared/data/tapes/us-2013-10-07.parquet")
    return Tape(_RECORDED)


def _write(path: Path, seconds: list[float], **changes: pl.Series) -> Path:
    columns = {
        "ts_event": pl.Series([_START + timedelta(seconds=s) for s in seconds], dtype=pl.Datetime("ms", "UTC")),
        "symbol": pl.Series(["A"] * len(seconds), dtype=pl.String),
        "price": pl.Series([Decimal("1.50")] * len(seconds), dtype=pl.Decimal(18, 4)),
        "size": pl.Series([100] * len(seconds), dtype=pl.Int64),
    }
    pl.DataFrame(columns | changes).write_parquet(path)
    return path


def _source(
    tape: Tape,
    clock: _TurnedClock,
    *,
    speed: float = 1,
    is_as_live: bool = False,
    acknowledged: Acknowledged | None = None,
) -> TapeSource:
    return TapeSource(tape, speed=speed, is_as_live=is_as_live, acknowledged=acknowledged or Acknowledged(), clock=clock)


def _play(source: TapeSource) -> list[Candidate]:
    played: list[Candidate] = []
    while not source.is_over:
        played += source.read(timedelta(seconds=1))
    return played


def test_tape_that_is_no_parquet_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "tape.parquet"
    path.write_text("rubbish")
    with pytest.raises(TapeUnreadable, match="cannot be read"):
        Tape(path)
    with pytest.raises(TapeUnreadable, match="No such file"):
        Tape(tmp_path / "nowhere.parquet")


@pytest.mark.parametrize(
    ("seconds", "changes", "problem"),
    [
        ([1, 0], {}, "not sorted"),
        ([], {}, "no rows"),
        ([0], {"size": pl.Series([1.5])}, "size is Float64"),
        ([0], {"ts_event": pl.Series([_START.replace(tzinfo=None)])}, "not a UTC timestamp"),
    ],
)
def test_wrong_tape_is_unreadable(tmp_path: Path, seconds: list[float], changes: dict[str, pl.Series], problem: str) -> None:
    with pytest.raises(TapeUnreadable, match=problem):
        Tape(_write(tmp_path / "tape.parquet", seconds, **changes))


def test_tape_without_a_column_is_unreadable(tmp_path: Path) -> None:
    pl.DataFrame({"ts_event": [_START], "symbol": ["A"]}).write_parquet(tmp_path / "tape.parquet")
    with pytest.raises(TapeUnreadable, match="no column price, size"):
        Tape(tmp_path / "tape.parquet")


def test_rows_come_when_they_are_due(tmp_path: Path) -> None:
    clock = _TurnedClock()
    source = _source(Tape(_write(tmp_path / "t.parquet", [0, 0, 30, 90])), clock, speed=30)
    arrivals = [(len(source.read(timedelta(minutes=1))), clock.now() - _NOW) for _ in range(5)]
    assert arrivals == [
        (2, timedelta(0)),
        (0, timedelta(seconds=1)),
        (1, timedelta(seconds=1)),
        (0, timedelta(seconds=3)),
        (1, timedelta(seconds=3)),
    ]
    assert source.is_over


def test_tape_as_live_is_shifted_by_whole_minutes_to_now(tmp_path: Path) -> None:
    tape = Tape(_write(tmp_path / "t.parquet", [0.123, 30]))
    played = _play(_source(tape, _TurnedClock(), is_as_live=True))
    assert [each.ts_event for each in played] == [
        datetime(2026, 11, 22, 19, 0, 0, 123_000, tzinfo=UTC),
        datetime(2026, 11, 22, 19, 0, 30, tzinfo=UTC),
    ]


def test_restarted_tape_plays_what_is_published_at_once_and_keeps_its_shift(tmp_path: Path) -> None:
    tape = Tape(_write(tmp_path / "t.parquet", [0, 600, 601]))
    shift = timedelta(days=4_000)
    position = LinePosition(line_seq=1, ts_event_ms=epoch_ms(_START + timedelta(seconds=600) + shift))
    acknowledged = Acknowledged(partition_count=4, ticks={partition_of("A", 4): position})
    clock = _TurnedClock()
    played = _play(_source(tape, clock, speed=2, is_as_live=True, acknowledged=acknowledged))
    assert [each.is_published for each in played] == [True, True, False]
    assert played[2].ts_event == _START + timedelta(seconds=601) + shift
    assert clock.now() == _NOW


def test_price_that_is_no_number_reaches_validation_as_such(tmp_path: Path) -> None:
    tape = Tape(_write(tmp_path / "t.parquet", [0, 0], price=pl.Series(["1.5", "much"])))
    played = _play(_source(tape, _TurnedClock()))
    assert [str(each.price) for each in played] == ["1.5", "NaN"]
    assert b'"price":"much"' in played[1].payload()


def test_recorded_day_is_judged_as_counted_by_hand() -> None:
    """Counts and volumes of the regular session: polars straight over the file."""
    tape = _recorded()
    assert (tape.row_count, tape.symbols) == (388_417, ("AIG", "BAC", "IBM", "SPY"))
    validator = Validator(line="tape", source="tape", instruments=instruments_of_tape(tape.symbols))
    phases: Counter[str] = Counter()
    volumes: dict[str, int] = {}
    started = process_time()
    for candidate in _play(_source(tape, _TurnedClock(), speed=1e9)):
        verdict = validator.judge(candidate)
        if not isinstance(verdict, Tick):
            continue
        phases[verdict.session_phase] += 1
        if verdict.day_volume is not None:
            volumes[verdict.symbol] = verdict.day_volume
    rows_per_s = tape.row_count / (process_time() - started)
    # One of them in regular hours: its shares count, its price does not. The others are post-market prints a third of a per
    # cent and more off the market: crosses of blocks at the day's average price, and the like.
    assert validator.counts.rejects == {"spike": 17}
    assert phases == {"pre": 4_317, "regular": 377_302 - 1, "post": 6_798 - 16}
    assert volumes == {"SPY": 81_975_673, "BAC": 60_286_316, "AIG": 4_984_309, "IBM": 3_753_440}
    assert rows_per_s > 20_000, "a restart would take longer than 20 s to come back to where it was"
