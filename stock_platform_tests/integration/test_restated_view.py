"""Restated bars are closed at their boundaries as staged ones are: the two views on the same rows, and each restatement apart."""

import random
from datetime import UTC, date, datetime, timedelta

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.market.asked import Asked
from stock_platform.market.shadow import begin

DAY = date(2026, 11, 20)
OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSE = OPEN + timedelta(hours=6, minutes=30)
_SHARED = (
    "symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source, "
    "kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, is_in_session, ts_landed"
)
_STAGED = f"SELECT {_SHARED} FROM staging.bar_1m_sized ORDER BY symbol, ts_start"
_RESTATED = f"SELECT {_SHARED} FROM staging.bar_1m_restated_sized WHERE restatement_id = %s ORDER BY symbol, ts_start"


def test_restated_bars_are_sized_as_staged_ones(database: Settings) -> None:
    """Two days with a lunch break, bars outside of hours, of an unknown symbol, without volume, after gaps."""
    with connect(database.dsn("admin")) as connection:
        fill(connection)
        staged = connection.execute(_STAGED.encode()).fetchall()
        for number in (1, 2):
            restated = connection.execute(_RESTATED.encode(), (number,)).fetchall()
            assert restated == staged
        connection.rollback()
    assert len({row[18] for row in staged}) > 2
    assert {row[19] for row in staged} == {True, False}


def test_beginning_forgets_the_sessions_earlier_shadow_and_all_that_ended_a_week_ago(database: Settings) -> None:
    now = CLOSE + timedelta(days=30)
    with connect(database.dsn("admin")) as connection:
        fill(connection)
        connection.execute("DELETE FROM staging.bar_1m_restated")
        stale, recent, same = (
            restatement(connection, DAY + timedelta(days=day), ts_ended=now - age)
            for day, age in ((1, timedelta(days=7, seconds=1)), (2, timedelta(days=6)), (0, timedelta(days=1)))
        )
        begin(connection, Asked(DAY, (), OPEN, CLOSE), now=now)
        left = connection.execute("SELECT DISTINCT restatement_id FROM staging.bar_1m_restated").fetchall()
        states = connection.execute("SELECT DISTINCT state, is_promoted FROM ops.restatement WHERE ts_ended IS NOT NULL").fetchall()
        connection.rollback()
    assert (recent,) in left
    assert not {(stale,), (same,)} & set(left)
    assert states == [("finished", True)], "what was promoted stays so"


def restatement(connection: Connection, day: date, *, ts_ended: datetime) -> int:
    """A finished one, with bars."""
    row = connection.execute(
        "INSERT INTO ops.restatement (session_date, ticks_from, state, is_promoted, ts_ended) "
        "VALUES (%s, 'a test', 'finished', TRUE, %s) "
        "RETURNING restatement_id",
        (day, ts_ended),
    ).fetchone()
    assert row is not None
    copy_staged(connection, row[0])
    return row[0]


def fill(connection: Connection) -> None:
    connection.execute(
        "TRUNCATE staging.bar_1m, staging.bar_1m_restated, reference.instrument, reference.session, reference.vendor_instrument"
    )
    connection.execute(
        "INSERT INTO reference.instrument VALUES ('A', 'A', 'x', 'USD', 'XNYS', 'y'), ('B', 'B', 'x', 'USD', 'XNYS', 'y')"
    )
    for shift in (timedelta(), timedelta(days=1)):
        lunch = OPEN + shift + timedelta(hours=2)
        connection.execute(
            "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, %s, %s, FALSE)",
            (DAY + shift, OPEN + shift, CLOSE + shift, OPEN + shift, CLOSE + shift, lunch, lunch + timedelta(hours=1)),
        )
    rng = random.Random(3)
    for symbol in ("A", "B", "UNKNOWN"):
        stage_day(connection, symbol, rng)
    for number in (1, 2):
        copy_staged(connection, number)


def copy_staged(connection: Connection, number: int) -> None:
    """What is staged, as the bars of a restatement."""
    connection.execute("SELECT set_config('stock_platform.restatement_id', %s, TRUE)", (str(number),))
    names = [name for (name,) in connection.execute(_COLUMNS).fetchall()]
    listed = ", ".join(names)
    connection.execute(f"INSERT INTO staging.bar_1m_restated ({listed}) SELECT {listed} FROM staging.bar_1m".encode())


_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'staging' AND table_name = 'bar_1m' AND column_name <> 'restatement_id'
"""


def stage_day(connection: Connection, symbol: str, rng: random.Random) -> None:
    volume = 0
    for step in range(170):
        start = OPEN - timedelta(hours=1) + step * timedelta(minutes=17)
        first, volume = volume + rng.choice((0, 100)), volume + rng.choice((100, 300))
        sizes = (None, None, None, None) if symbol == "B" and step % 3 == 0 else (first, volume, 10, 11 * (volume - first))
        connection.execute(
            "INSERT INTO staging.bar_1m VALUES (%s, %s, %s, 10, 11, 9, 10, 5, %s, %s, %s, %s, %s, %s, 'tape', 0, 1, 2, 'job', %s)",
            (symbol, start, start + timedelta(minutes=1), start, start, *sizes, rng.random() > 0.2),
        )
