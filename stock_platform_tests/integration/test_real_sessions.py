"""Recorded sessions with a split, an early close, a clock change and a renaming, through the gate and its views.

The bars are of an independent source (../shared/data/SOURCES.md); expected numbers by hand, from those files and the exchange's
hours. A bar's tick count is not in the source: it is made up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from stock_platform.adapters.postgres import Connection, connect, read_frame
from stock_platform.config import Settings
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.jumps import jump_result
from stock_platform.defs.world import World
from stock_platform.feed import reference
from stock_platform.feed.watchlist import Instrument
from stock_platform.gate.batch import read_batch
from stock_platform.gate.judge import judge
from stock_platform.gate.pending import pending_sessions
from stock_platform.gate.promote import Promotion, promote
from stock_platform_tests.conftest import RECORDED

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_EMPTY = """
TRUNCATE staging.bar_1m, staging.torn_bar, market.bar_1m, market.bar_1m_revision, quality.quarantine, quality.check_result,
    quality.gate_run, quality.restatement, aggregates.bar_5m, aggregates.bar_15m, aggregates.bar_1h, aggregates.bar_1d,
    aggregates.session_stat, reference.instrument, reference.session, reference.vendor_instrument, reference.corporate_action
"""
_STAGE = """
INSERT INTO staging.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first, day_volume_last,
    price_first, notional_inside, source, kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous
) VALUES (%s, %s, %s, %s, %s, %s, %s, 4, %s, %s, %s, %s, %s, 0, 'tape', 0, %s, %s, 'job', TRUE)
"""


@dataclass(frozen=True)
class Day:
    """One session.

    Args:
        opens, closes: The exchange's regular hours, UTC.
        minutes: Between them.
        accepted: Symbol and the bars that the source has inside these hours; a minute without a trade has none.
        refused: Rule and the bars that it keeps out.
        suspects: Rule and the bars that it marks.
    """

    on: date
    opens: str
    closes: str
    minutes: int
    accepted: dict[str, int]
    refused: dict[str, int] = field(default_factory=dict[str, int])
    suspects: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Case:
    """A recording of Day after Day.

    Args:
        action: Corporate action that is known before the last day.
    """

    file: str
    days: tuple[Day, ...]
    action: str = ""

    @property
    def symbols(self) -> list[str]:
        """Those of all days."""
        return sorted({symbol for day in self.days for symbol in day.accepted})


SPLIT = Case(
    "split-aapl-2014-06",
    (
        Day(date(2014, 6, 5), "13:30", "20:00", 390, {"AAPL": 390, "TWX": 390}),
        Day(date(2014, 6, 6), "13:30", "20:00", 390, {"AAPL": 390, "TWX": 387}),
        Day(date(2014, 6, 9), "13:30", "20:00", 390, {"AAPL": 390, "TWX": 390}),
    ),
    "('AAPL', '2014-06-09', 'split', 7, NULL, 'USD', 'yahoo', '2014-06-09 07:30Z')",
)
EARLY_CLOSE = Case(
    "early-close-goog-2015-12",
    (
        Day(date(2015, 12, 23), "14:30", "21:00", 390, {"GOOG": 390}),
        # 224 minutes until 16:00 have trades, 14 of them from 13:00 on
        Day(date(2015, 12, 24), "14:30", "18:00", 210, {"GOOG": 210}, refused={"inside_session": 14}),
        Day(date(2015, 12, 28), "14:30", "21:00", 390, {"GOOG": 382}),
    ),
)
CLOCK_CHANGE = Case(
    "dst-shy-2008-03",
    (
        Day(date(2008, 3, 7), "14:30", "21:00", 390, {"SHY": 333}),
        Day(date(2008, 3, 10), "13:30", "20:00", 390, {"SHY": 313}),
    ),
)
RENAME = Case(
    "rename-nwsa-foxa-2013-06",
    (
        Day(date(2013, 6, 27), "13:30", "20:00", 390, {"NWSA": 390}),
        Day(date(2013, 7, 1), "13:30", "20:00", 390, {"FOXA": 390}),
        Day(date(2013, 7, 2), "13:30", "20:00", 390, {"FOXA": 390}),
    ),
)
CASES = (SPLIT, EARLY_CLOSE, CLOCK_CHANGE, RENAME)


class Evening:
    """Time stands, on a later day."""

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 22, tzinfo=UTC)

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError("nothing sleeps here")


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """A database without instruments, before and after."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(_EMPTY)
        yield connection
        connection.execute(_EMPTY)


def recorded(case: Case) -> pl.DataFrame:
    """The source's bars, by symbol and time."""
    path = RECORDED / "bars_1m" / f"{case.file}.parquet"
    if not path.exists():
        pytest.skip(f"no recorded data: {path} is absent")
    return pl.read_parquet(path).sort("symbol", "ts_start")


def from_half_past_nine_to_four(bars: pl.DataFrame, day: date) -> pl.DataFrame:
    """Those of the day by New York's clock, as if each day were a full one."""
    local = pl.col("ts_start").dt.convert_time_zone("America/New_York")
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()
    return bars.filter(local.dt.date() == day, minute >= 9 * 60 + 30, minute < 16 * 60)


def watch(connection: Connection, case: Case) -> None:
    """The case's symbols, and the sessions that the platform's own calendar has."""
    names = [
        Instrument(symbol=symbol, name=symbol, sector="x", currency="USD", calendar="XNYS", provider="yahoo")
        for symbol in case.symbols
    ]
    reference.load(connection, names, first=case.days[0].on, last=case.days[-1].on)


def stage(connection: Connection, bars: pl.DataFrame) -> None:
    """As the stream job would leave them: all volume told with the first tick, at the open."""
    before: dict[tuple[str, date], int] = {}
    rows: list[tuple[object, ...]] = []
    for number, bar in enumerate(bars.iter_rows(named=True)):
        start, day = bar["ts_start"], (bar["symbol"], bar["ts_start"].date())
        before[day] = before.get(day, 0) + bar["volume"]
        prices = [bar[name] for name in ("open", "high", "low", "close")]
        ticks = (start, start + timedelta(seconds=59))
        rows.append((bar["symbol"], start, start + MINUTE, *prices, *ticks, before[day], before[day], prices[0], number, number))
    with connection.cursor() as cursor:
        cursor.executemany(_STAGE, rows)


def run_gate(database: Settings, day: date) -> Promotion:
    """A gate run over the whole day, and what is made of its bars."""
    now, run_id = Evening().now(), f"run-{day}"
    with connect(database.dsn("gate_owner")) as connection:
        judgement = judge(read_batch(connection, day, now))
        done = promote(connection, judgement, dagster_run_id=run_id, code_version="c0de", now=now)
    assert list(refreshed(World(database, Evening()), run_id, day))
    return done


def played(database: Settings, admin: Connection, case: Case) -> dict[date, Promotion]:
    """The case's days, one after the other."""
    bars = recorded(case)
    watch(admin, case)
    announce(admin, case)
    done: dict[date, Promotion] = {}
    for day in case.days:
        stage(admin, from_half_past_nine_to_four(bars, day.on))
        done[day.on] = run_gate(database, day.on)
    return done


def announce(connection: Connection, case: Case) -> None:
    """Make the case's action known."""
    if case.action:
        connection.execute(f"INSERT INTO reference.corporate_action VALUES {case.action}")


def verdict_of(connection: Connection, symbol: str, minute: str) -> str | None:
    query = "SELECT verdict FROM market.bar_1m WHERE symbol = %s AND ts_start = %s"
    row = connection.execute(query, (symbol, f"{minute}Z")).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_every_bar_of_a_real_session_is_accepted_and_none_outside_of_it(database: Settings, admin: Connection, case: Case) -> None:
    done = played(database, admin, case)
    counts = "SELECT symbol, count(*) FROM market.bar_1m WHERE session_date = %s GROUP BY symbol"
    refusals = "SELECT rules, count(*) FROM quality.quarantine WHERE session_date = %s GROUP BY rules"
    for day in case.days:
        refused = sum(day.refused.values())
        assert done[day.on] == Promotion(sum(day.accepted.values()), 0, refused), day
        assert dict(admin.execute(counts, (day.on,)).fetchall()) == day.accepted
        assert dict(admin.execute(refusals, (day.on,)).fetchall()) == day.refused
    assert pending_sessions(admin, LONG_AGO) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_bars_that_a_rule_marks_are_those_counted_by_hand(database: Settings, admin: Connection, case: Case) -> None:
    played(database, admin, case)
    query = "SELECT failed_count FROM quality.check_result WHERE session_date = %s AND check_name = %s"
    for day in case.days:
        for rule in ("collar", "boundary_known"):
            assert admin.execute(query, (day.on, rule)).fetchall() == [(day.suspects.get(rule, 0),)], (day.on, rule)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_calendar_expects_the_minutes_that_the_exchange_was_open(admin: Connection, case: Case) -> None:
    watch(admin, case)
    query = (
        "SELECT session_date, to_char(ts_open AT TIME ZONE 'UTC', 'HH24:MI'), to_char(ts_close AT TIME ZONE 'UTC', 'HH24:MI'), "
        "(extract(epoch FROM ts_close - ts_open) / 60)::int FROM reference.session WHERE session_date = ANY(%s) ORDER BY 1"
    )
    rows = admin.execute(query, ([day.on for day in case.days],)).fetchall()
    assert rows == [(day.on, day.opens, day.closes, day.minutes) for day in case.days]


def test_weekend_of_the_clock_change_and_christmas_have_no_session(admin: Connection) -> None:
    query = "SELECT session_date FROM reference.session ORDER BY 1"
    for case in (EARLY_CLOSE, CLOCK_CHANGE):
        watch(admin, case)
        assert [day for (day,) in admin.execute(query).fetchall()] == [day.on for day in case.days]
        admin.execute("TRUNCATE reference.session")


def test_split_leaves_raw_bars_as_they_were_traded_and_a_continuous_adjusted_series(database: Settings, admin: Connection) -> None:
    played(database, admin, SPLIT)
    admin.execute("TRUNCATE reference.corporate_action")
    result = jump_result(admin)
    assert not result.passed
    assert result.description == "AAPL 2014-06-06 to 2014-06-09: 645.570000 to 93.700000, -85.5 % after known corporate actions"
    raw = read_frame(admin, "SELECT *, xmin::text FROM market.bar_1m ORDER BY symbol, ts_start")
    assert widest_move_pct(admin, "market.bar_1m", "close") > 85

    announce(admin, SPLIT)

    assert jump_result(admin).passed
    assert read_frame(admin, "SELECT *, xmin::text FROM market.bar_1m ORDER BY symbol, ts_start").equals(raw)
    edges = (
        "SELECT open_split_adjusted::text, close_split_adjusted::text FROM market.bar_1m_adjusted "
        "WHERE symbol = 'AAPL' AND ts_start IN ('2014-06-06 19:59Z', '2014-06-09 13:30Z') ORDER BY ts_start"
    )
    # 645.43 / 7 and 645.57 / 7, then as it was traded; between 92.224286 and 92.72 lie 0.54 %
    assert admin.execute(edges).fetchall() == [("92.204286", "92.224286"), ("92.690000", "92.720000")]
    assert widest_move_pct(admin, "market.bar_1m_adjusted", "close_split_adjusted") < 1
    days = (
        "SELECT session_date, close_split_adjusted::text, volume_split_adjusted "
        "FROM aggregates.bar_1d_adjusted WHERE symbol = 'AAPL' ORDER BY session_date"
    )
    # 647.35 / 7 and 7 x 10,445,282; 645.57 / 7 and 7 x 12,116,671
    assert admin.execute(days).fetchall() == [
        (date(2014, 6, 5), "92.478571", 73_116_974),
        (date(2014, 6, 6), "92.224286", 84_816_697),
        (date(2014, 6, 9), "93.700000", 72_875_948),
    ]


def test_day_of_a_split_that_is_not_known_is_held_until_it_is(database: Settings, admin: Connection) -> None:
    """All of AAPL's bars are out of scale, which is more than a fifth of the batch."""
    watch(admin, SPLIT)
    bars = recorded(SPLIT)
    for day in SPLIT.days:
        stage(admin, from_half_past_nine_to_four(bars, day.on))
        done = run_gate(database, day.on)
    assert done == Promotion(0, 0, 0)
    blocked = "SELECT check_name, failed_count FROM quality.check_result WHERE NOT is_passed AND severity <> 'suspect' ORDER BY 1"
    assert admin.execute(blocked).fetchall() == [("price_scale", 390), ("quarantine_share", 0)]

    announce(admin, SPLIT)

    assert run_gate(database, SPLIT.days[-1].on) == Promotion(780, 0, 0)
    verdicts = "SELECT DISTINCT verdict FROM market.bar_1m WHERE session_date = '2014-06-09'"
    assert admin.execute(verdicts).fetchall() == [("passed",)]


def widest_move_pct(connection: Connection, table: str, column: str) -> float:
    """Between two closes of AAPL that follow each other."""
    closes = read_frame(connection, f"SELECT {column} AS close FROM {table} WHERE symbol = 'AAPL' ORDER BY ts_start")["close"]
    return float((closes.cast(pl.Float64).pct_change().abs() * 100).max())  # type: ignore[arg-type]


def test_bars_beside_the_split_keep_their_verdicts(database: Settings, admin: Connection) -> None:
    played(database, admin, SPLIT)
    # an hour into the new scale, and the other symbol of that day, whose price fell by 4 % over the weekend
    for symbol, minute in (("AAPL", "2014-06-06 19:59"), ("AAPL", "2014-06-09 14:30"), ("TWX", "2014-06-09 13:30")):
        assert verdict_of(admin, symbol, minute) == "passed", (symbol, minute)


def test_first_bar_of_the_split_which_mixes_both_scales_is_kept_out(database: Settings, admin: Connection) -> None:
    """04:00 New York: open 645.57, low 92.23. It is before the session, as the stream job's bars never are."""
    mixed = datetime(2014, 6, 9, 8, tzinfo=UTC)
    bars, day = recorded(SPLIT), SPLIT.days[-1]
    watch(admin, SPLIT)
    announce(admin, SPLIT)
    stage(
        admin,
        pl.concat(
            [bars.filter(pl.col("symbol") == "AAPL", pl.col("ts_start") == mixed), from_half_past_nine_to_four(bars, day.on)]
        ),
    )
    assert run_gate(database, day.on) == Promotion(780, 0, 1)
    (rules,) = admin.execute("SELECT rules FROM quality.quarantine WHERE ts_start = %s", (mixed,)).fetchall()[0]
    assert "inside_session" in rules.split(",")
    assert admin.execute("SELECT open::text, high::text FROM aggregates.bar_1d WHERE symbol = 'AAPL'").fetchall() == [
        ("92.690000", "93.880000")
    ]


def test_renamed_symbol_is_two_series_without_a_jump_between_them_and_without_a_gap(database: Settings, admin: Connection) -> None:
    played(database, admin, RENAME)
    query = "SELECT symbol, min(session_date), max(session_date), count(*) FROM aggregates.bar_1d GROUP BY symbol ORDER BY symbol"
    assert admin.execute(query).fetchall() == [
        ("FOXA", date(2013, 7, 1), date(2013, 7, 2), 2),
        ("NWSA", date(2013, 6, 27), date(2013, 6, 27), 1),
    ]
    # 32.69 to 29.40: over the weekend the newspapers went to a company of their own. Not one series, therefore no jump.
    result = jump_result(admin)
    assert (result.passed, result.metadata["observed"].value) == (True, 1)
    assert admin.execute("SELECT count(*) FROM ops.symbol_gap WHERE symbol IN ('NWSA', 'FOXA')").fetchone() == (0,)
