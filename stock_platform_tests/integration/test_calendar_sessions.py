"""Sessions in a real Postgres: loaded once and again, breaks kept out of the session, and the Dagster asset with its checks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.calendars import HORIZON, SESSIONS, reference_assets
from stock_platform.defs.world import World
from stock_platform.feed import reference
from stock_platform.feed.watchlist import Instrument
from stock_platform.gate.pending import pending_sessions

DAY = date(2026, 11, 20)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class _FixedClock:
    """A clock that stands still."""

    def __init__(self, ts: datetime) -> None:
        self._ts = ts

    def now(self) -> datetime:
        return self._ts

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError("nothing here waits")


def instrument(symbol: str, calendar: str) -> Instrument:
    return Instrument(symbol=symbol, name=symbol, sector="Technology", currency="JPY", calendar=calendar, provider="yahoo")


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """An empty market without instruments or sessions."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute("TRUNCATE staging.bar_1m, market.bar_1m, quality.quarantine, reference.instrument, reference.session")
        yield connection


def load(database: Settings, *instruments: Instrument) -> reference.Loaded:
    with connect(database.dsn("gate_owner")) as connection:
        return reference.load(connection, instruments, first=DAY, last=DAY + timedelta(days=4))


def stage(connection: Connection, symbol: str, ts_start: str) -> None:
    start = datetime.fromisoformat(ts_start).replace(tzinfo=UTC)
    connection.execute(
        "INSERT INTO staging.bar_1m (symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, "
        "source, kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous) "
        "VALUES (%s, %s, %s, 1, 1, 1, 1, 1, %s, %s, 'tape', 0, 0, 0, 'job', TRUE)",
        (symbol, start, start + timedelta(minutes=1), start, start),
    )


def test_loading_again_changes_nothing_and_forgets_what_is_no_longer_so(database: Settings, admin: Connection) -> None:
    # 2026-11-20 to 24: Tokyo has Friday and Tuesday (Monday is a holiday), the other market every day
    tokyo, coin = instrument("7203.T", "XTKS"), instrument("BTC-USD", "24/7")
    assert load(database, tokyo, coin) == reference.Loaded(2, 7, 7)
    assert load(database, tokyo, coin) == reference.Loaded(2, 7, 0)
    admin.execute(
        "INSERT INTO reference.session SELECT calendar, '2026-11-23', ts_open, ts_close, ts_pre, ts_post_end, NULL, NULL, FALSE "
        "FROM reference.session WHERE calendar = 'XTKS' AND session_date = %s",
        (DAY,),
    )
    assert load(database, tokyo) == reference.Loaded(1, 2, 1)
    days = admin.execute("SELECT session_date FROM reference.session WHERE calendar = 'XTKS' ORDER BY 1").fetchall()
    assert days == [(DAY,), (date(2026, 11, 24),)]
    assert admin.execute("SELECT symbol FROM reference.instrument").fetchall() == [("7203.T",)]


def test_bar_inside_the_lunch_break_is_outside_the_session(database: Settings, admin: Connection) -> None:
    """Tokyo: 11:30 to 12:30 is 02:30 to 03:30 UTC."""
    load(database, instrument("7203.T", "XTKS"))
    for ts_start in ("2026-11-20 02:29", "2026-11-20 02:30", "2026-11-20 03:29", "2026-11-20 03:30", "2026-11-20 06:30"):
        stage(admin, "7203.T", ts_start)
    rows = admin.execute(
        "SELECT to_char(ts_start, 'HH24:MI'), is_in_session, session_date FROM staging.bar_1m_sized ORDER BY ts_start"
    ).fetchall()
    assert rows == [("02:29", True, DAY), ("02:30", False, DAY), ("03:29", False, DAY), ("03:30", True, DAY), ("06:30", False, DAY)]
    assert [each.session_date for each in pending_sessions(admin, LONG_AGO)] == [DAY]


def test_bar_of_the_evening_before_belongs_to_the_trading_day(database: Settings, admin: Connection) -> None:
    """CME: Monday evening 17:00 Chicago, 23:00 UTC, is Tuesday's session; 16:30 is in the hour's stop."""
    load(database, instrument("ES=F", "CMES"))
    stage(admin, "ES=F", "2026-11-23 22:30")
    stage(admin, "ES=F", "2026-11-23 23:00")
    rows = admin.execute("SELECT is_in_session, session_date FROM staging.bar_1m_sized ORDER BY ts_start").fetchall()
    assert rows == [(False, date(2026, 11, 23)), (True, date(2026, 11, 24))]


def materialize(database: Settings, watchlist: str, now: datetime) -> dict[str, dg.AssetCheckEvaluation]:
    path = database.data_dir / "watched.yaml"
    path.write_text(watchlist)
    settings = database.model_copy(update={"feed_kind": "yahoo", "feed_watchlist": path, "sessions_first": DAY})
    world = World(settings, _FixedClock(now))
    result = dg.materialize([reference_assets()], resources={"world": world}, raise_on_error=True)
    assert result.success
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


_WATCHLIST = """instruments:
  - {symbol: RELIANCE.BO, name: Reliance, sector: Energy, currency: INR, calendar: XBOM, provider: yahoo}
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo}
"""


@pytest.mark.parametrize(
    ("today", "severity", "said"),
    [
        # the table of Mumbai ends with 2026-12-31: 56, 3 and -4 days from these days
        (datetime(2026, 11, 5, tzinfo=UTC), dg.AssetCheckSeverity.WARN, "XBOM ends with 2026-12-31, 56 days"),
        (datetime(2026, 12, 28, tzinfo=UTC), dg.AssetCheckSeverity.ERROR, "XBOM ends with 2026-12-31, 3 days"),
        (datetime(2027, 1, 4, tzinfo=UTC), dg.AssetCheckSeverity.ERROR, "hours are assumed: calendar XBOM ended"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_calendar_that_ends_soon_is_told_in_time(
    database: Settings, today: datetime, severity: dg.AssetCheckSeverity, said: str
) -> None:
    checks = materialize(database, _WATCHLIST, today)
    assert not checks[HORIZON].passed
    assert checks[HORIZON].severity is severity
    assert said in (checks[HORIZON].description or "")
    assert "stock_platform.calendars.export" in (checks[HORIZON].description or "")
    assert checks[SESSIONS].passed


def test_calendar_known_for_long_passes_and_a_year_of_sessions_is_there(database: Settings, admin: Connection) -> None:
    checks = materialize(database, "instruments:\n" + _WATCHLIST.splitlines()[2] + "\n", datetime(2026, 11, 22, tzinfo=UTC))
    assert checks[HORIZON].passed
    assert checks[SESSIONS].passed
    last = admin.execute("SELECT max(session_date) FROM reference.session WHERE calendar = 'XNYS'").fetchone()
    assert last == (date(2027, 11, 26),)  # 370 days ahead is a Saturday
