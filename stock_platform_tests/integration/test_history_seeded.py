"""A new platform gets its history from the simulator, run by run, as its sensor asks for them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.calendars import calendar
from stock_platform.commands.startup import load_reference
from stock_platform.config import Settings
from stock_platform.definitions import build
from stock_platform.defs.world import World
from stock_platform_tests.simulated_vendor import simulated_vendor

WATCHLIST = """
instruments:
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo, simulator: {base_price: 200}}
  - {symbol: MSFT, name: MSFT, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo, simulator: {base_price: 400}}
"""


class Later(SystemClock):
    """The system's clock, put forward."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Platform:
    """Its definitions over a real database, an instance of Dagster, and the sensor's memory."""

    def __init__(self, settings: Settings) -> None:
        self.clock = Later()
        self.world = World(settings, self.clock, "c0de")
        self.definitions = build(settings)
        self.repository = self.definitions.get_repository_def()
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def asked(self) -> Any:
        """What the sensor says now: a request, or the sentence why there is none."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, resources={"world": self.world})
        tick = self.repository.get_sensor_def("history_seeded").evaluate_tick(context)
        self.cursor = tick.cursor
        return tick.run_requests[0] if tick.run_requests else tick.skip_message

    def run(self, request: Any) -> bool:
        """Whether that run succeeds."""
        job = self.repository.get_job(request.job_name)
        config, tags = request.run_config, dict(request.tags)
        return job.execute_in_process(run_config=config, tags=tags, instance=self.instance, raise_on_error=False).success


@pytest.fixture(scope="module")
def seeded(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A simulated vendor; ten days of daily bars and five of minutes are wanted."""
    with simulated_vendor(database, tmp_path_factory.mktemp("seeded"), WATCHLIST) as settings:
        yield settings.model_copy(update={"seed_daily_days": 10, "seed_minute_days": 5})


@pytest.fixture
def admin(seeded: Settings) -> Iterator[Connection]:
    with connect(seeded.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE staging.bar_1m, staging.vendor_bar_1m, staging.vendor_bar_1d, market.bar_1m, market.bar_1m_revision, "
            "aggregates.bar_1d, aggregates.bar_5m, quality.quarantine, reference.instrument, reference.session, ops.touched_bar, "
            "ops.protected_session, ops.alert"
        )
        load_reference(seeded, SystemClock())
        yield connection


def test_history_comes_piece_by_piece_and_what_failed_is_asked_for_again(seeded: Settings, admin: Connection) -> None:
    platform = Platform(seeded)
    today = datetime.now(UTC).date()
    days = [session.session_date for session in calendar("XNYS").sessions(today - timedelta(days=5), today)]
    assert len(days) >= 2

    for job in ("vendor_daily_job", "vendor_minutes_job"):
        request = platform.asked()
        assert request.job_name == job
        assert request.tags["dagster/priority"] == "-10"
        assert platform.run(request)

    admin.execute("INSERT INTO ops.protected_session VALUES (%s, 'audited', now())", (days[0],))
    request = platform.asked()
    assert request.run_config == {"ops": {"certify_history": {"config": {"sessions": [day.isoformat() for day in days]}}}}
    assert not platform.run(request)
    assert certified(admin) == days[1:]

    admin.execute("DELETE FROM ops.protected_session")
    assert "the next try comes at" in platform.asked()
    platform.clock.ahead = timedelta(minutes=31)
    request = platform.asked()
    assert request.run_config["ops"]["certify_history"]["config"]["sessions"] == [days[0].isoformat()]
    assert platform.run(request)

    assert certified(admin) == days
    assert platform.asked().startswith("The history before")
    assert_certified_as_the_vendor_says(admin, bars_at_least=2 * 200 * len(days))


def certified(admin: Connection) -> list[date]:
    return [day for (day,) in admin.execute("SELECT DISTINCT session_date FROM market.bar_1m ORDER BY 1").fetchall()]


def assert_certified_as_the_vendor_says(admin: Connection, *, bars_at_least: int) -> None:
    """Every usable bar of the vendor, with its prices, and a day of each symbol and session made of them.

    Args:
        bars_at_least: Half a session of each, as on the day after Thanksgiving."""
    vendor = admin.execute(
        "SELECT count(*), count(bar.symbol), "
        "count(*) FILTER (WHERE bar.close = said.close AND bar.verdict IN ('vendor', 'suspect')) "
        "FROM staging.vendor_bar_1m_raw AS said LEFT JOIN market.bar_1m AS bar USING (symbol, ts_start)"
    ).fetchone()
    assert vendor is not None
    assert vendor[0] >= bars_at_least
    assert vendor[0] == vendor[1] == vendor[2]
    made = admin.execute(
        "SELECT count(*), sum(bar_count)::bigint = (SELECT count(*) FROM market.bar_1m) FROM aggregates.bar_1d"
    ).fetchone()
    sessions = admin.execute("SELECT count(DISTINCT (symbol, session_date)) FROM market.bar_1m").fetchone()
    assert made is not None
    assert sessions == (made[0],)
    assert made[1]
    assert admin.execute("SELECT count(*) FROM ops.touched_bar").fetchone() == (0,)
