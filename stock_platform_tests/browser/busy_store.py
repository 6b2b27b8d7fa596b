"""The lively store with a market of its own: the page's tests and pictures need sessions, sectors, verdicts and gaps to show.

Not here: what the made-up market is (made_up_market); the smaller store that the API's own tests count on (lively_store)."""

from datetime import datetime
from decimal import Decimal

from stock_platform.api.level_shapes import HopLatency, SessionLevel
from stock_platform.api.overview_shapes import MarketOverview
from stock_platform.api.passport_shapes import CheckResult, Passport
from stock_platform.api.quality_shapes import SymbolGap
from stock_platform.api.shapes import Bar, Gap, Interval, Quote, Stock
from stock_platform.api.store import BarQuery, GapQuery, LatencyQuery, ListQuery
from stock_platform.api.truth_shapes import BarChange, BarContent, CorporateAction
from stock_platform_tests.browser.lively_past import RUNS, gap
from stock_platform_tests.browser.lively_store import LivelyStore
from stock_platform_tests.browser.made_up_levels import made_up_latency, made_up_levels
from stock_platform_tests.browser.made_up_market import (
    INSTRUMENTS,
    MINUTE,
    is_always_open,
    made_up_bars,
    made_up_overview,
    price_at,
)

TREND_BARS = 60
ANY_GAP = GapQuery("", None, None, 10)
TICK = Decimal("0.01")
RULES = ("high_is_highest", "inside_session", "vwap_within_range")
CHANGED = {"open", "high", "low", "close", "volume", "vwap", "tick_count"}


class BusyStore(LivelyStore):
    """Some twenty instruments over all sectors; every tick moves each price by a cent."""

    names = tuple(INSTRUMENTS)

    def bars(self, query: BarQuery) -> list[Bar]:
        """Minutes of two sessions, the last ones provisional, some of other verdicts; or coarser bars."""
        bars = made_up_bars(query.symbol, query.interval, self._minute())
        bars = [bar for bar in bars if not query.start or bar.ts_start >= query.start]
        bars = [bar for bar in bars if not query.end or bar.ts_start < query.end]
        return bars[::-1][: query.limit] if query.start else bars[: query.limit][::-1]

    def passport(self, symbol: str, ts_start: datetime) -> Passport:
        """As of the smaller store, with more rules, and with something that a revision changed."""
        found = super().passport(symbol, ts_start)
        checks = [*found.gate_run.checks, *(_passed(rule, found.ts_end) for rule in RULES)]
        *earlier, current = found.revisions
        earlier = [version.model_copy(update={"close": current.open, "volume": 1200}) for version in earlier]
        run = found.gate_run.model_copy(update={"checks": checks})
        return found.model_copy(update={"gate_run": run, "revisions": [*earlier, current]})

    def gaps(self, query: GapQuery) -> list[Gap]:
        """An outage two hours ago, repaired, a silence an hour ago, and an outage that is being repaired."""
        told = ((120, "feed_gap", "repaired"), (60, "no_trade", "explained"), (30, "feed_gap", "open"))
        return [gap(self._minute() - back * MINUTE, why, state) for back, why, state in told]

    def bar_changes(self, query: ListQuery) -> list[BarChange]:
        """The restated bar of the newest session, as its passport has it."""
        if query.symbol is None:
            return []
        bar = next(bar for bar in made_up_bars(query.symbol, Interval.ONE_MINUTE, self._minute()) if bar.verdict == "restated")
        content = bar.model_dump(include=CHANGED)
        change = BarChange(
            restatement_id=2,
            ts_start=bar.ts_start,
            session_date=bar.session_date,
            change="changed",
            before=BarContent(**content | {"close": bar.open, "volume": 1200}, revision=1, verdict="passed"),
            after=BarContent(**content, revision=2, verdict="restated"),
            dagster_run_id="run-9",
            dagster_run_url=f"{RUNS}run-9",
            ts_accepted=bar.ts_end + 5 * MINUTE,
        )
        return [change] if query.after is None else []

    def corporate_actions(self, query: ListQuery) -> list[CorporateAction]:
        """A dividend of today."""
        today = self._minute().date()
        told = {"ex_date": today, "kind": "dividend", "ratio": None, "amount": "0.25", "currency": "USD"}
        return [CorporateAction.model_validate(told | {"source": "simulator", "ts_recv": self._minute()})]

    def session_levels(self, query: ListQuery) -> list[SessionLevel]:
        """A month of sessions, of which two missed the objective."""
        return made_up_levels(self._minute().date())[: query.limit]

    def latency(self, query: LatencyQuery) -> list[HopLatency]:
        """The last hour of all hops."""
        return made_up_latency(self._minute())

    def all_gaps(self, query: ListQuery) -> list[SymbolGap]:
        """Gaps of every symbol: more than a page of them."""
        ours = [SymbolGap(symbol=symbol, **each.model_dump()) for symbol in INSTRUMENTS for each in self.gaps(ANY_GAP)]
        found = [each for each in ours if query.state in (None, each.state)]
        found = [each for each in found if query.after is None or (each.ts_start, each.symbol) < query.after]
        return sorted(found, key=lambda each: (each.ts_start, each.symbol), reverse=True)[: query.limit]

    def overview(self) -> MarketOverview:
        """Of the quotes as they are now."""
        return made_up_overview([self._stock(symbol) for symbol in sorted(INSTRUMENTS)], self._clock.now().date())

    def _minute(self) -> datetime:
        return self._clock.now().replace(second=0, microsecond=0)

    def _quote(self, symbol: str) -> Quote:
        now, previous = self._clock.now(), INSTRUMENTS[symbol].base
        price = price_at(symbol, now) + TICK * (self._ticks % 10)
        return Quote(
            symbol=symbol,
            price=price,
            previous_close=previous,
            change_pct=(100 * (price - previous) / previous).quantize(Decimal("0.000001")),
            day_volume=12_345_678 + 1000 * self._ticks,
            currency="USD",
            session_phase="regular",
            ts_event=now,
            ts_recv=now,
            source="simulator",
        )

    def _stock(self, symbol: str) -> Stock:
        bars = made_up_bars(symbol, Interval.ONE_MINUTE, self._minute(), count=TREND_BARS)
        return Stock(
            symbol=symbol,
            name=INSTRUMENTS[symbol].name,
            sector=INSTRUMENTS[symbol].sector,
            currency="USD",
            calendar="24/7" if is_always_open(symbol) else "XNYS",
            quote=self._quote(symbol),
            sparkline=[bar.close for bar in reversed(bars) if bar.is_certified],
        )


def _passed(rule: str, checked: datetime) -> CheckResult:
    return CheckResult(
        check_name=rule,
        severity="quarantine",
        is_passed=True,
        observed_count=len(INSTRUMENTS),
        failed_count=0,
        detail="",
        ts_checked=checked,
    )
