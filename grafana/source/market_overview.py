"""Dashboard `market-overview`: quotes, what moved, session statistics, and how good today's bars are so far."""

from grafana.source import links, panels
from grafana.source.page import Page
from grafana.source.panels import Shown

_NEWEST = """\
SELECT (extract(EPOCH FROM max(ts_end)) * 1000)::float8 AS "newest certified minute"
FROM market.bar_1m
WHERE $__timeFilter(ts_start)"""

_SYMBOLS = """\
SELECT count(DISTINCT symbol)::float8 AS symbols
FROM market.bar_1m
WHERE $__timeFilter(ts_start)"""

_PASSED = """\
SELECT (count(*) FILTER (WHERE verdict = 'passed') / nullif(count(*), 0)::float8)::float8 AS passed
FROM market.bar_1m
WHERE $__timeFilter(ts_start)"""

_OPEN_GAPS = """\
SELECT coalesce(sum(minute_count), 0)::float8 AS minutes
FROM quality.gap
WHERE state = 'open'"""

_ALERTS = """\
SELECT count(*)::float8 AS alerts
FROM ops.alert
WHERE ts_cleared IS NULL"""

_QUOTES = """\
SELECT quote.symbol, instrument.name, instrument.sector, quote.price::float8 AS price, quote.currency,
    quote.change_pct::float8 AS change_pct, quote.day_volume::float8 AS day_volume, quote.session_phase, quote.ts_event, quote.source
FROM market.quote AS quote
JOIN reference.instrument AS instrument ON instrument.symbol = quote.symbol
ORDER BY quote.symbol
LIMIT 500"""

_CHANGES = """\
SELECT ts_start AS time, symbol AS metric, (100 * (close / first_value(close) OVER (PARTITION BY symbol ORDER BY ts_start) - 1))
    ::float8 AS value
FROM market.bar_1m
WHERE $__timeFilter(ts_start) AND symbol IN (SELECT symbol FROM market.quote ORDER BY abs(change_pct) DESC NULLS LAST LIMIT 8)
ORDER BY ts_start
LIMIT 20000"""

_STATISTICS = """\
SELECT statistic.symbol, statistic.session_date::text AS session, statistic.close::float8 AS close, statistic.return_pct,
    statistic.range_pct, statistic.gap_pct, statistic.realised_volatility_pct, statistic.volume::float8 AS volume,
    statistic.volume_ratio_20, statistic.bar_count::float8 AS bar_count, statistic.dagster_run_id AS run
FROM aggregates.session_stat AS statistic
JOIN reference.instrument AS instrument ON instrument.symbol = statistic.symbol
JOIN reference.session AS session
    ON session.calendar = instrument.calendar AND session.session_date = statistic.session_date
WHERE session.ts_open <= $__timeTo() AND session.ts_close >= $__timeFrom()
    AND statistic.session_date >= $__timeFrom()::timestamptz::date - 2 AND statistic.session_date <= $__timeTo()::timestamptz::date + 1
ORDER BY statistic.session_date DESC, statistic.symbol
LIMIT 500"""

_CERTIFIED = """\
SELECT ts_start AS time, count(*)::float8 AS "certified bars"
FROM market.bar_1m
WHERE $__timeFilter(ts_start)
GROUP BY ts_start
ORDER BY ts_start
LIMIT 5000"""

_VERDICTS = """\
SELECT verdict, count(*)::float8 AS bars
FROM market.bar_1m
WHERE $__timeFilter(ts_start)
GROUP BY verdict
ORDER BY verdict
LIMIT 10"""

PAGE = Page(
    folder="market",
    uid="market-overview",
    title="Market overview",
    description="Provisional quotes beside certified bars: what moves, and how far the certified market has come.",
    since="now-6h",
    refresh="5s",
    zone="America/New_York",
    assets=("market/bar_1m", "market/quote", "aggregates/session_stat"),
    panels=[
        panels.number(
            Shown(
                "Newest certified minute", "End of the newest bar that went through every rule.", _NEWEST, 6, 4, "dateTimeFromNow"
            )
        ),
        panels.number(Shown("Symbols with bars", "Symbols with a certified bar in the time range.", _SYMBOLS, 5, 4, "short")),
        panels.number(
            Shown("Passed at once", "Share of the bars that no rule doubted and nobody restated.", _PASSED, 5, 4, "percentunit")
        ),
        panels.number(
            Shown("Minutes missing", "Session minutes in gaps that wait for their repair.", _OPEN_GAPS, 4, 4, "short"),
            warn=1,
            alarm=30,
        ),
        panels.number(Shown("Alerts going on", "What a person is to know of, now.", _ALERTS, 4, 4, "short"), alarm=1),
        panels.rows(
            Shown(
                "Quotes",
                "Provisional last sale of every symbol, in its own currency.",
                _QUOTES,
                12,
                12,
                units={"change_pct": "percent", "day_volume": "short"},
                links={"symbol": (links.SYMBOL,)},
            )
        ),
        panels.lines(
            Shown(
                "Change since the first bar shown", "The eight widest movers, from certified closes.", _CHANGES, 12, 12, "percent"
            )
        ),
        panels.rows(
            Shown(
                "Session statistics",
                "Per symbol and session of the time range, from certified bars.",
                _STATISTICS,
                24,
                9,
                units={
                    **dict.fromkeys(("return_pct", "range_pct", "gap_pct", "realised_volatility_pct"), "percent"),
                    "volume": "short",
                    "bar_count": "short",
                },
                links={"symbol": (links.SYMBOL,), "run": (links.RUN,)},
            )
        ),
        panels.lines(Shown("Certified bars per minute", "One per symbol that traded in the minute.", _CERTIFIED, 16, 7, "short")),
        panels.gauges(Shown("Verdicts", "What the gate said of the bars shown.", _VERDICTS, 8, 7, "short")),
    ],
)
