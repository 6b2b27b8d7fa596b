"""The vendor's assets and the command `history` against the platform's own simulator, over Yahoo's default addresses."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.vendor import vendor_assets
from stock_platform.defs.world import World
from stock_platform.feed.corporate_actions import load_splits
from stock_platform.feed.splits import Split
from stock_platform.market.asked import Stretch
from stock_platform.repair.restating_from_vendor import restate_from_vendor
from stock_platform_tests.simulated_vendor import COMMAND, environment_of, simulated_vendor

WATCHLIST = """
instruments:
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo, simulator: {base_price: 200}}
  - {symbol: BTC-USD, name: Bitcoin, sector: Crypto, currency: USD, calendar: 24/7, provider: yahoo, simulator: {base_price: 90000}}
"""
SCENARIO = "faults:\n  - {kind: split, symbols: [AAPL], ratio: 10, start: 2025-06-10T13:30:00Z}\n"


@pytest.fixture(scope="module")
def simulated(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Settings of a profile whose vendor is a running simulator, and the environment of its commands."""
    with connect(database.dsn("admin")) as connection:
        connection.execute(
            "TRUNCATE staging.vendor_bar_1m, staging.vendor_bar_1d, reference.corporate_action, reference.vendor_instrument"
        )
    with simulated_vendor(database, tmp_path_factory.mktemp("simulated"), WATCHLIST, SCENARIO) as settings:
        names = ("simulator_port", "simulator_http_port", "simulator_proxy_port", "data_dir", "feed_watchlist", "simulator_hours")
        yield settings, {**os.environ, **environment_of({name: getattr(settings, name) for name in names})}


def materialize(settings: Settings, index: int, **options: Any) -> dict[str, Any]:
    """The metadata of one of the assets, materialized."""
    asset = vendor_assets(session_partitions(date(2025, 1, 1)))[index]
    world = dg.ResourceDefinition.hardcoded_resource(World(settings, SystemClock()))
    result = dg.materialize([asset], resources={"world": world}, **options)
    (event, *_) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_day_of_minutes_comes_from_the_simulator_and_again_changes_nothing(simulated: tuple[Settings, dict[str, str]]) -> None:
    settings, _ = simulated
    day = datetime.now(UTC).date() - timedelta(days=7)
    first = materialize(settings, 0, partition_key=day.isoformat())
    again = materialize(settings, 0, partition_key=day.isoformat())
    with connect(settings.dsn("admin")) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT ts_start), min(ts_start), max(ts_start), bool_and(high >= low), min(source) "
            "FROM staging.vendor_bar_1m WHERE symbol = 'BTC-USD' AND session_date = %s",
            (day,),
        ).fetchone()
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert rows is not None
    count, distinct, earliest, latest, is_ordered, source = rows
    assert (distinct, earliest, is_ordered, source) == (count, start, True, "simulator")
    assert 1430 <= count <= 1440, "a minute without a trade has no bar"
    assert latest >= start + timedelta(hours=23, minutes=50)
    assert (first["breaker"], first["refused"], first["held"]) == ("closed", {}, {})
    assert (again["dagster/row_count"], again["changed"]) == (first["dagster/row_count"], 0)


def test_gap_is_filled_from_the_simulator_through_the_same_code(simulated: tuple[Settings, dict[str, str]]) -> None:
    settings, _ = simulated
    day = datetime.now(UTC).date() - timedelta(days=5)
    start = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    with connect(settings.dsn("admin")) as connection:
        connection.execute(
            "TRUNCATE staging.bar_1m, market.bar_1m, market.bar_1m_revision, reference.instrument, reference.session"
        )
        connection.execute("INSERT INTO reference.instrument VALUES ('BTC-USD', 'Bitcoin', 'Crypto', 'USD', '24/7', 'yahoo')")
        midnight = start.replace(hour=0)
        hours = (midnight, midnight + timedelta(days=1), midnight, midnight + timedelta(days=1))
        connection.execute("INSERT INTO reference.session VALUES ('24/7', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (day, *hours))
    stretches = [Stretch("BTC-USD", start, start + timedelta(minutes=10))]
    facts: Any = {"closed_until": datetime.now(UTC), "code_version": "c0de"}
    first = restate_from_vendor(settings, SystemClock(), day, stretches, run_id="first", **facts)
    again = restate_from_vendor(settings, SystemClock(), day, stretches, run_id="again", **facts)
    assert first.done.ticks_from.startswith("simulator's 1m history, fetched at ")
    changes = first.outcome.difference.changes
    assert {each.change for each in changes} == {"added"}
    assert 8 <= len(changes) <= 10, "a minute without a trade has no bar"
    assert again.outcome.difference.changes == ()
    with connect(settings.dsn("admin")) as connection:
        bars = connection.execute(
            "SELECT bool_and(bar.close = said.close AND bar.volume = said.volume), min(bar.source), min(bar.verdict), count(*) "
            "FROM market.bar_1m AS bar JOIN staging.vendor_bar_1m AS said USING (symbol, ts_start)"
        ).fetchone()
    assert bars is not None
    assert (bars[0], bars[1], bars[3]) == (True, "simulator", len(changes))


def test_split_of_the_simulated_market_is_known_to_the_feed(simulated: tuple[Settings, dict[str, str]]) -> None:
    settings, _ = simulated
    month = {"dagster/asset_partition_range_start": "2025-05-20", "dagster/asset_partition_range_end": "2025-06-20"}
    metadata = materialize(settings, 1, tags=month)
    # 32 days of the coin and 22 sessions of the share, and what starts on the day before
    assert 50 <= metadata["fetched"] <= 60
    assert metadata["held"] == {}
    with connect(settings.dsn("feed_writer")) as connection:
        assert load_splits(connection, ["AAPL", "BTC-USD"]) == {"AAPL": [Split(date(2025, 6, 10), Decimal(10))]}


def test_simulated_instruments_agree_with_the_watchlist(simulated: tuple[Settings, dict[str, str]]) -> None:
    metadata = materialize(simulated[0], 2)
    assert (metadata["dagster/row_count"], metadata["unknown_to_vendor"], metadata["other_currency"]) == (2, [], [])


def history(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "history", *words], env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_command_prints_a_table_or_writes_parquet(simulated: tuple[Settings, dict[str, str]], tmp_path: Path) -> None:
    _, environment = simulated
    day = (datetime.now(UTC).date() - timedelta(days=3)).isoformat()
    printed = history(environment, "BTC-USD", "--from", day, "--to", day)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.split()[:8] == ["ts_start", "open", "high", "low", "close", "volume", "currency", day]

    file = tmp_path / "bars.parquet"
    assert history(environment, "BTC-USD", "--interval", "1m", "--from", day, "--to", day, "--out", str(file)).returncode == 0
    bars = pl.read_parquet(file)
    assert 1430 <= bars.height <= 1440
    assert bars.schema["open"] == pl.Decimal(18, 6)


def test_command_says_in_a_sentence_what_cannot_be_had(simulated: tuple[Settings, dict[str, str]]) -> None:
    _, environment = simulated
    today = datetime.now(UTC).date().isoformat()
    unknown = history(environment, "NOSUCH", "--from", today, "--to", today)
    too_old = history(environment, "AAPL", "--interval", "1m", "--from", "2025-01-06", "--to", "2025-01-07")
    assert (unknown.returncode, too_old.returncode) == (2, 2)
    assert "No 1d bars of NOSUCH: vendor_error, Not Found" in unknown.stderr
    assert "1m bars of AAPL from 2025-01-06 00:00Z are not kept by the vendor any more" in too_old.stderr
