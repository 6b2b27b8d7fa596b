"""A store in memory whose prices move, for the page's tests: it keeps the contract of `api.store.Store` and needs no database.

Not here: how good the data of a real store is (integration, end_to_end)."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stock_platform.adapters.clock import Clock
from stock_platform.api.passport_shapes import BarVersion, CheckResult, FlinkJob, GateRun, Passport
from stock_platform.api.shapes import Bar, BarPage, FeedState, FeedStatus, Gap, Interval, Quote, Stock
from stock_platform.api.store import BarQuery, Freshness, GapQuery
from stock_platform.errors.passport import BarProvisional, BarUnknown
from stock_platform_tests.browser.lively_past import RUNS, SECTORS, LivelyPast, gap

MINUTE = timedelta(minutes=1)
BARS = 60
PROVISIONAL = 2
STEP = Decimal("0.05")
NAMES = {
    "AAPL": "Apple Inc.",
    "BTC-USD": "Bitcoin USD",
    "MSFT": "Microsoft Corporation",
    "SPY": "SPDR S&P 500 ETF Trust",
}


class LivelyStore(LivelyPast):
    """Each symbol's price climbs by one step a tick and falls back at the tenth, so that every tick changes a number."""

    names: tuple[str, ...] = tuple(NAMES)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticks = 0

    def follow(self, should_stop: Callable[[], bool]) -> Iterator[bytes]:
        """Quote updates as `market.quotes.v1` carries them, some ten a second."""
        pause = threading.Event()
        while not should_stop():
            self._ticks += 1
            for symbol in self.names:
                yield _message(self._quote(symbol))
            pause.wait(0.1)

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        return [self._stock(symbol) for symbol in sorted(self.names) if symbol > after][:limit]

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        return self._stock(symbol) if symbol in self.names else None

    def symbols(self) -> frozenset[str]:
        """All that are watched."""
        return frozenset(self.names)

    def bars(self, query: BarQuery) -> list[Bar]:
        """An hour of minutes, the last ones provisional, one suspect and one restated; a single bar of any other length."""
        newest = self._clock.now().replace(second=0, microsecond=0)
        count = BARS if query.interval is Interval.ONE_MINUTE else 1
        bars = [_bar(newest - back * MINUTE, back) for back in range(count)]
        return [bar for bar in bars if query.as_of is None or bar.is_certified][: query.limit][::-1]

    def bar_page(self, query: BarQuery) -> bytes:
        """Of the bars that `bars` has."""
        page = BarPage(symbol=query.symbol, interval=query.interval, adjusted=query.basis, items=self.bars(query))
        return page.model_dump_json().encode()

    def passport(self, symbol: str, ts_start: datetime) -> Passport:
        """Of the bars that `bars` has; a restated one has two versions.

        Raises:
            BarNotCertified: there is none; the sentence says where the bar is instead.
        """
        bars = self.bars(BarQuery(symbol, Interval.ONE_MINUTE, None, None, BARS))
        found = next((bar for bar in bars if bar.ts_start == ts_start), None)
        if found is None:
            raise BarUnknown(symbol, ts_start, first=bars[0].ts_start, last=bars[-1 - PROVISIONAL].ts_start)
        if not found.is_certified:
            raise BarProvisional(symbol, ts_start, tick_count=found.tick_count, ts_landed=found.ts_end)
        return _passport(symbol, found)

    def gaps(self, query: GapQuery) -> list[Gap]:
        """An outage two hours ago, repaired, and a silence an hour ago."""
        newest = self._clock.now().replace(second=0, microsecond=0)
        found = [gap(newest - 120 * MINUTE, "feed_gap", "repaired"), gap(newest - 60 * MINUTE, "no_trade", "explained")]
        wanted = [each for each in found if not query.start or each.ts_end > query.start]
        wanted = [each for each in wanted if not query.end or each.ts_start < query.end]
        return wanted[: query.limit] if query.start else wanted[-query.limit :]

    def freshness(self, now: datetime) -> Freshness:
        """A simulated feed that runs."""
        feed = FeedStatus(
            kind="simulator",
            state=FeedState.RUNNING,
            line="test",
            ts_event_last=now,
            ts_heartbeat=now,
            stale_since=None,
        )
        minute = now.replace(second=0, microsecond=0)
        return Freshness(
            feed=feed,
            ts_clock=now,
            ts_bar_last=minute,
            ts_bar_certified_last=minute - PROVISIONAL * MINUTE,
            calendars=("24/7", "XNYS"),
        )

    def problem(self) -> str | None:
        """Memory always answers."""
        return None

    def _price(self, symbol: str) -> Decimal:
        return 100 * (1 + sorted(NAMES).index(symbol)) + STEP * (self._ticks % 10)

    def _quote(self, symbol: str) -> Quote:
        price, now = self._price(symbol), self._clock.now()
        return Quote(
            symbol=symbol,
            price=price,
            previous_close=price - 1,
            change_pct=Decimal("0.5"),
            day_volume=1000 * self._ticks,
            currency="USD",
            session_phase="regular",
            ts_event=now,
            ts_recv=now,
            source="simulator",
        )

    def _stock(self, symbol: str) -> Stock:
        return Stock(
            symbol=symbol,
            name=NAMES[symbol],
            sector=SECTORS[symbol],
            currency="USD",
            calendar="24/7" if symbol.endswith("-USD") else "XNYS",
            quote=self._quote(symbol),
            sparkline=[bar.close for bar in self.bars(BarQuery(symbol, Interval.ONE_MINUTE, None, None, BARS))],
        )


def _bar(start: datetime, back: int) -> Bar:
    price = Decimal(100) + STEP * (back % 7)
    is_certified = back >= PROVISIONAL
    return Bar(
        ts_start=start,
        ts_end=start + MINUTE,
        session_date=start.date(),
        open=price,
        high=price + 1,
        low=price - 1,
        close=price + (STEP if back % 2 else -STEP),
        volume=1000 + back,
        vwap=price,
        tick_count=10,
        is_certified=is_certified,
        verdict={5: "suspect", 9: "restated"}.get(back, "passed") if is_certified else None,
        revision=(2 if back == 9 else 1) if is_certified else None,
    )


def _passport(symbol: str, bar: Bar) -> Passport:
    revisions = [_version(bar, number, is_current=number == bar.revision) for number in range(1, (bar.revision or 1) + 1)]
    check = CheckResult(
        check_name="collar",
        severity="suspect",
        is_passed=bar.verdict != "suspect",
        observed_count=len(NAMES),
        failed_count=int(bar.verdict == "suspect"),
        detail="",
        ts_checked=bar.ts_end,
    )
    return Passport(
        symbol=symbol,
        ts_start=bar.ts_start,
        ts_end=bar.ts_end,
        session_date=bar.session_date,
        current=revisions[-1],
        kafka_topic="market.ticks.v1",
        flink_job=FlinkJob(flink_job_id="f1", restatement_id=None, is_known=True, state="RUNNING", ts_checkpoint=bar.ts_end),
        gate_run=GateRun(
            dagster_run_id="run-1",
            url=f"{RUNS}run-1",
            code_version="0123456789abcdef0123456789abcdef01234567",
            closed_until=bar.ts_end,
            checks=[check],
            data_docs_url="/data-docs/run-1",
        ),
        revisions=revisions,
        refused=None,
    )


def _version(bar: Bar, revision: int, *, is_current: bool) -> BarVersion:
    return BarVersion(
        **bar.model_dump(include={"open", "high", "low", "close", "volume", "vwap", "tick_count"}),
        revision=revision,
        verdict=bar.verdict or "passed" if is_current else "passed",
        ts_first_tick=bar.ts_start,
        ts_last_tick=bar.ts_end - timedelta(seconds=1),
        is_continuous=True,
        source="simulator",
        kafka_partition=0,
        kafka_offset_first=100,
        kafka_offset_last=140,
        flink_job_id="f1",
        response_path=None,
        dagster_run_id=f"run-{revision}",
        dagster_run_url=f"{RUNS}run-{revision}",
        ts_valid_from=bar.ts_end + revision * timedelta(seconds=5),
        ts_valid_to=None if is_current else bar.ts_end + timedelta(seconds=5 * revision + 5),
    )


def _message(quote: Quote) -> bytes:
    """Instants in epoch milliseconds, as the topic has them."""
    instants = {name: int(getattr(quote, name).astimezone(UTC).timestamp() * 1000) for name in ("ts_event", "ts_recv")}
    return json.dumps({**quote.model_dump(mode="json"), **instants}).encode()
