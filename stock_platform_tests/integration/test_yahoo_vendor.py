"""The vendor's assets end to end: a server under Yahoo's names, a real Postgres, runs of Dagster."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.jumps import no_jump_without_factor
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.vendor import daily_job, recent_sessions, vendor_assets, vendor_schedule
from stock_platform.defs.world import World
from stock_platform.feed.corporate_actions import load_splits
from stock_platform.feed.splits import Split
from stock_platform_tests.vendor_server import Asked, Reply, VendorServer, vendor_server

FRIDAY = date(2026, 11, 20)
OPEN, CLOSE = 1_795_185_000, 1_795_208_400  # 2026-11-20, 09:30 and 16:00 New York
EVENING = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
WATCHLIST = """
instruments:
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: ^OCDO, name: Ocado, sector: Retail, currency: GBP, calendar: XNYS, provider: yahoo}
  - {symbol: GONE, name: Gone, sector: Retail, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: TAPE, name: Tape, sector: Unknown, currency: USD, calendar: XNYS, provider: tape}
"""


class StandingClock(SystemClock):
    """Friday evening; only the budget's own waiting moves it."""

    def __init__(self) -> None:
        self.at = EVENING

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration


def chart(symbol: str, times: list[int], interval: str, events: Any = None) -> Reply:
    meta = {
        "symbol": symbol,
        "currency": "GBp" if symbol == "^OCDO" else "USD",
        "dataGranularity": interval,
        "exchangeTimezoneName": "America/New_York",
    }
    quote: dict[str, list[Any]] = {name: [10.5] * len(times) for name in ("open", "high", "low", "close")}
    quote["volume"] = [0, *[7] * (len(times) - 2), 0]
    result = {"meta": meta, "timestamp": times, "indicators": {"quote": [quote]}, "events": events}
    return Reply(200, json.dumps({"chart": {"result": [result], "error": None}}).encode())


SPLIT = {"splits": {"1": {"date": OPEN, "numerator": 7, "denominator": 1}}, "dividends": {"1": {"date": OPEN, "amount": 0.47}}}
NOT_FOUND = Reply(
    404, b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
)
QUOTES = [
    {
        "symbol": "AAPL",
        "quoteType": "EQUITY",
        "currency": "USD",
        "exchange": "NMS",
        "longName": "Apple Inc.",
        "exchangeDataDelayedBy": 0,
    },
    {"symbol": "^OCDO", "quoteType": "EQUITY", "currency": "GBp", "exchange": "LSE", "exchangeDataDelayedBy": 15},
]


def answer(asked: Asked) -> Reply:
    symbol = asked.path.rsplit("/", 1)[1]
    if symbol == "quote":
        return Reply(200, json.dumps({"quoteResponse": {"result": QUOTES, "error": None}}).encode())
    if "chart" not in asked.path:
        return Reply()
    if symbol == "GONE":
        return NOT_FOUND
    if asked.query["interval"] == "1d":
        return chart(symbol, [OPEN - 86_400, OPEN], "1d", SPLIT if symbol == "AAPL" else None)
    return chart(symbol, [*range(OPEN, CLOSE + 1, 60)], "1m")


class Vendor:
    """The platform's side: assets over a real database, a server that answers, a clock."""

    def __init__(self, settings: Settings, server: VendorServer) -> None:
        self.server = server
        self.world = World(settings, StandingClock())
        self.minutes, self.daily, self.instruments = vendor_assets(session_partitions(date(2025, 1, 1)), retry_after_s=0.1)

    def materialize(self, asset: dg.AssetsDefinition, **options: Any) -> dg.ExecuteInProcessResult:
        resource = dg.ResourceDefinition.hardcoded_resource(self.world)
        return dg.materialize([asset], resources={"world": resource}, raise_on_error=False, **options)


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE staging.vendor_bar_1m, staging.vendor_bar_1d, reference.corporate_action, reference.vendor_instrument"
        )
        yield connection


def vendor_over(database: Settings, folder: Path, server: VendorServer, **changes: Any) -> Vendor:
    watchlist = folder / "watchlist.yaml"
    watchlist.write_text(WATCHLIST)
    changed = {"data_dir": folder, "profile": "live", "feed_kind": "yahoo", "feed_watchlist": watchlist, **changes}
    return Vendor(database.model_copy(update=changed), server)


@pytest.fixture
def vendor(database: Settings, admin: Connection, tmp_path: Path) -> Iterator[Vendor]:
    with vendor_server(answer, tmp_path) as server:
        yield vendor_over(database, tmp_path, server)


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.get_asset_materialization_events()[:1]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_session_of_minutes_is_staged_with_its_edges_and_where_it_came_from(vendor: Vendor, admin: Connection) -> None:
    result = vendor.materialize(vendor.minutes, partition_key=FRIDAY.isoformat())
    assert result.success

    rows = admin.execute(
        "SELECT symbol, count(*), min(ts_start), max(ts_start), count(*) FILTER (WHERE is_edge), min(currency), min(source), "
        "min(session_date), sum(volume) FROM staging.vendor_bar_1m GROUP BY symbol ORDER BY symbol"
    ).fetchall()
    first, last = datetime.fromtimestamp(OPEN, UTC), datetime.fromtimestamp(CLOSE, UTC)
    # 390 minutes and the closing auction's own; the two at the edges have no volume.
    assert rows == [
        ("AAPL", 391, first, last, 2, "USD", "yahoo", FRIDAY, 389 * 7),
        ("^OCDO", 391, first, last, 2, "GBp", "yahoo", FRIDAY, 389 * 7),
    ]
    metadata = metadata_of(result)
    counts = [metadata[name] for name in ("dagster/row_count", "fetched", "changed", "requests")]
    assert counts == [782, 782, 782, 5]
    assert metadata["refused"] == {"GONE": "vendor_error: Not Found: No data found, symbol may be delisted"}
    assert metadata["breaker"] == "closed"
    home = vendor.world.settings.home
    assert metadata["raw_answers"] == [str(home / "vendor" / "raw" / "2026-11-20")]
    paths = admin.execute("SELECT DISTINCT response_path FROM staging.vendor_bar_1m").fetchall()
    assert len(paths) == 2
    assert all((home / path).is_file() for (path,) in paths)


def test_second_run_asks_again_and_changes_nothing(vendor: Vendor, admin: Connection) -> None:
    before: list[Any] = []
    for changed in ((782, 2, 2, 2), (0, 0, 0, 0)):
        minutes = vendor.materialize(vendor.minutes, partition_key=FRIDAY.isoformat())
        daily = vendor.materialize(vendor.daily, partition_key=FRIDAY.isoformat())
        events = daily.get_asset_materialization_events()
        counts = [event.materialization.metadata["changed"].value for event in events]
        instruments = vendor.materialize(vendor.instruments)
        assert (metadata_of(minutes)["changed"], *counts, metadata_of(instruments)["changed"]) == changed
        now = admin.execute("SELECT * FROM staging.vendor_bar_1m ORDER BY symbol, ts_start").fetchall()
        assert not before or now == before, "not even the time of receipt"
        before = now


def test_daily_bars_come_with_splits_that_the_feed_can_load(vendor: Vendor, admin: Connection, database: Settings) -> None:
    assert vendor.materialize(vendor.daily, partition_key=FRIDAY.isoformat()).success
    bars = admin.execute("SELECT symbol, session_date, close FROM staging.vendor_bar_1d ORDER BY symbol, session_date").fetchall()
    # Thursday's bar; Friday's is not final before the end of New York's day, as this answer does not tell the session's close.
    thursday = date(2026, 11, 19)
    assert bars == [("AAPL", thursday, Decimal("10.5")), ("^OCDO", thursday, Decimal("10.5"))]
    actions = admin.execute(
        "SELECT symbol, ex_date, kind, ratio, amount, currency FROM reference.corporate_action ORDER BY kind"
    ).fetchall()
    assert actions == [
        ("AAPL", FRIDAY, "dividend", None, Decimal("0.47"), "USD"),
        ("AAPL", FRIDAY, "split", Decimal(7), None, "USD"),
    ]
    with connect(database.dsn("feed_writer")) as connection:
        assert load_splits(connection, ["AAPL", "^OCDO"]) == {"AAPL": [Split(FRIDAY, Decimal(7))]}


def test_instrument_data_shows_where_the_watchlist_is_wrong(vendor: Vendor, admin: Connection) -> None:
    result = vendor.materialize(vendor.instruments)
    metadata = metadata_of(result)
    assert metadata["unknown_to_vendor"] == ["GONE"]
    assert metadata["other_currency"] == ["^OCDO: GBP, vendor GBp"]
    rows = admin.execute(
        "SELECT symbol, name, instrument_type, exchange, delay_s FROM reference.vendor_instrument ORDER BY 1"
    ).fetchall()
    assert rows == [("AAPL", "Apple Inc.", "EQUITY", "NMS", 0), ("^OCDO", None, "EQUITY", "LSE", 900)]


def test_backfill_of_days_is_one_run_with_one_request_a_symbol(vendor: Vendor) -> None:
    tags = {"dagster/asset_partition_range_start": "2026-11-16", "dagster/asset_partition_range_end": "2026-11-20"}
    assert vendor.materialize(vendor.minutes, tags=tags).success
    asked = [(each.path.rsplit("/", 1)[1], int(each.query["period1"])) for each in vendor.server.data_requests()]
    assert asked == [(symbol, OPEN - 4 * 86_400) for symbol in ("AAPL", "^OCDO", "GONE")]


def test_sessions_of_one_run_tell_their_own_rows(vendor: Vendor, admin: Connection) -> None:
    """The answer has Thursday's daily bars only, and Friday's two actions; a bar that was there before counts, too."""
    admin.execute(
        "INSERT INTO staging.vendor_bar_1d (symbol, ts_start, open, high, low, close, volume, session_date, currency, source, "
        "response_path, ts_recv) VALUES ('OLD', '2026-11-18T14:30Z', 1, 1, 1, 1, 1, '2026-11-18', 'USD', 'yahoo', 'x', now())"
    )
    tags = {"dagster/asset_partition_range_start": "2026-11-18", "dagster/asset_partition_range_end": "2026-11-20"}
    result = vendor.materialize(vendor.daily, tags=tags)
    events = [event.materialization for event in result.get_asset_materialization_events()]
    assert [(each.asset_key.path[-1], each.partition, each.metadata["dagster/row_count"].value) for each in events] == [
        ("vendor_bar_1d", "2026-11-18", 1),
        ("vendor_bar_1d", "2026-11-19", 2),
        ("vendor_bar_1d", "2026-11-20", 0),
        ("corporate_action", "2026-11-18", 0),
        ("corporate_action", "2026-11-19", 0),
        ("corporate_action", "2026-11-20", 2),
    ]


def test_weekend_asks_nothing(vendor: Vendor) -> None:
    assert vendor.materialize(vendor.minutes, partition_key="2026-11-15").success
    assert vendor.server.asked == []


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, int]:
    """The error's text, and how many times the step was tried again."""
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    text = failed.step_failure_data.error.to_string() if failed.step_failure_data.error else ""
    return text, len([event for event in result.all_events if event.is_step_up_for_retry])


def test_session_that_the_vendor_no_longer_keeps_fails_at_once_with_the_reason(vendor: Vendor) -> None:
    text, retries = failure_of(vendor.materialize(vendor.minutes, partition_key="2026-10-20"))
    assert "1m bars of AAPL from 2026-10-20 13:30Z are not kept by the vendor any more" in text
    assert (retries, vendor.server.asked) == (0, [])


def test_refusal_fails_at_once_and_the_next_run_asks_nothing(database: Settings, admin: Connection, tmp_path: Path) -> None:
    with vendor_server(lambda asked: Reply(429) if "chart" in asked.path else Reply(), tmp_path) as server:
        vendor = vendor_over(database, tmp_path, server)
        text, retries = failure_of(vendor.materialize(vendor.daily, partition_key=FRIDAY.isoformat()))
        assert "nothing is asked of it before 2026-11-20 22:15:00Z" in text
        arrived = len(server.asked)
        assert (retries, arrived) == (0, 3)
        assert failure_of(vendor.materialize(vendor.minutes, partition_key=FRIDAY.isoformat()))[1] == 0
        assert len(server.asked) == arrived


def test_server_in_trouble_is_tried_again_and_what_came_before_stays(database: Settings, admin: Connection, tmp_path: Path) -> None:
    tries = {"^OCDO": 0}

    def ill_at_first(asked: Asked) -> Reply:
        symbol = asked.path.rsplit("/", 1)[1]
        if symbol in tries:
            tries[symbol] += 1
            if tries[symbol] == 1:
                return Reply(503, b"<html><title>Will be right back</title>")
        return answer(asked)

    with vendor_server(ill_at_first, tmp_path) as server:
        vendor = vendor_over(database, tmp_path, server)
        result = vendor.materialize(vendor.minutes, partition_key=FRIDAY.isoformat())
    assert result.success
    assert len([event for event in result.all_events if event.is_step_up_for_retry]) == 1
    assert admin.execute("SELECT count(*) FROM staging.vendor_bar_1m").fetchone() == (782,)
    assert metadata_of(result)["changed"] == 391, "the first symbol was there already"


def test_bad_rows_are_kept_and_held_with_the_names_of_the_rules_that_they_break(
    database: Settings, admin: Connection, tmp_path: Path
) -> None:
    """Minute 3 of AAPL comes with a low of a hundredth, minute 5 with a high below the close."""

    def spoilt(asked: Asked) -> Reply:
        if asked.path.endswith("/AAPL") and asked.query.get("interval") == "1m":
            document = json.loads(answer(asked).body)
            quote = document["chart"]["result"][0]["indicators"]["quote"][0]
            quote["low"][3], quote["high"][5] = 0.105, 10.25
            return Reply(200, json.dumps(document).encode())
        return answer(asked)

    with vendor_server(spoilt, tmp_path) as server:
        vendor = vendor_over(database, tmp_path, server)
        metadata = metadata_of(vendor.materialize(vendor.minutes, partition_key=FRIDAY.isoformat()))
    assert metadata["held"] == {"vendor_unit": 1, "vendor_ohlc_order": 1}
    assert metadata["held_sample"] == [
        "AAPL 2026-11-20 14:33Z vendor_unit: open 10.500000, high 10.500000, low 0.105000, close 10.500000",
        "AAPL 2026-11-20 14:35Z vendor_ohlc_order: open 10.500000, high 10.250000, low 10.500000, close 10.500000",
    ]
    held = admin.execute("SELECT symbol, ts_start, rules FROM staging.vendor_bar_1m WHERE rules IS NOT NULL ORDER BY ts_start")
    third, fifth = (datetime.fromtimestamp(OPEN + 60 * minute, UTC) for minute in (3, 5))
    assert held.fetchall() == [("AAPL", third, "vendor_unit"), ("AAPL", fifth, "vendor_ohlc_order")]
    assert admin.execute("SELECT count(*) FROM staging.vendor_bar_1m").fetchone() == (782,), "nothing is lost"


def test_action_that_is_told_late_changes_actions_and_no_bar(database: Settings, admin: Connection, tmp_path: Path) -> None:
    told = {"late": False}

    def late(asked: Asked) -> Reply:
        if asked.path.endswith("/AAPL") and asked.query.get("interval") == "1d":
            return chart("AAPL", [OPEN - 86_400, OPEN], "1d", SPLIT if told["late"] else None)
        return answer(asked)

    def daily_bars() -> list[Any]:
        return admin.execute("SELECT * FROM staging.vendor_bar_1d ORDER BY symbol, ts_start").fetchall()

    with vendor_server(late, tmp_path) as server:
        vendor = vendor_over(database, tmp_path, server)
        weeks = {"dagster/asset_partition_range_start": "2026-10-16", "dagster/asset_partition_range_end": "2026-11-20"}
        assert vendor.materialize(vendor.daily, tags=weeks).success
        before = daily_bars()
        assert admin.execute("SELECT count(*) FROM reference.corporate_action").fetchone() == (0,)
        told["late"] = True
        assert vendor.materialize(vendor.daily, tags=weeks).success
        asked = [each for each in server.data_requests() if each.path.endswith("/AAPL")]
    assert admin.execute("SELECT kind FROM reference.corporate_action ORDER BY kind").fetchall() == [("dividend",), ("split",)]
    assert daily_bars() == before
    assert len(asked) == 2, "one request for all weeks"


def test_schedule_asks_for_the_last_weeks_in_one_run(database: Settings) -> None:
    first = date(2026, 11, 1)
    assert recent_sessions(database, FRIDAY) == (date(2026, 10, 16), FRIDAY)
    assert recent_sessions(database.model_copy(update={"sessions_first": first}), FRIDAY) == (first, FRIDAY)
    partitions = session_partitions(date(2025, 1, 1), calendars=["XNYS"])
    schedule = vendor_schedule(daily_job(partitions), partitions, "yahoo")
    world = World(database, StandingClock())
    context = dg.build_schedule_context(scheduled_execution_time=EVENING, resources={"world": world})
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == "2026-10-16"
    assert request.tags["dagster/asset_partition_range_end"] == "2026-11-20"


def test_run_of_the_schedule_asks_once_a_symbol_and_has_every_session(vendor: Vendor) -> None:
    partitions = session_partitions(date(2025, 1, 1))
    definitions = dg.Definitions(
        assets=[vendor.daily, vendor.instruments],
        asset_checks=[no_jump_without_factor],
        jobs=[daily_job(partitions)],
        resources={"world": dg.ResourceDefinition.hardcoded_resource(vendor.world)},
    )
    instance = dg.DagsterInstance.ephemeral()
    weeks = {"dagster/asset_partition_range_start": "2026-11-16", "dagster/asset_partition_range_end": "2026-11-20"}
    job = definitions.resolve_job_def("vendor_daily_job")
    assert job.execute_in_process(tags=weeks, instance=instance).success
    asked = [each.path.rsplit("/", 1)[1] for each in vendor.server.data_requests() if "chart" in each.path]
    assert asked == ["AAPL", "^OCDO", "GONE"]
    known = instance.get_materialized_partitions(dg.AssetKey(["reference", "corporate_action"]))
    assert sorted(known) == [f"2026-11-{day}" for day in range(16, 21)]
