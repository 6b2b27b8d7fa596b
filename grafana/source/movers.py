"""Dashboard `movers`: what moved in a session, how broadly, and what moved together."""

from grafana.source import links, panels
from grafana.source.page import Page, calendar, session
from grafana.source.panels import BASIS_POINTS, Shown

_MOVERS = """\
SELECT rank::float8 AS rank, symbol, change_pct::float8 AS change_pct, previous_close::float8 AS previous_close,
    close::float8 AS close, volume::float8 AS volume, dagster_run_id AS run
FROM aggregates.mover
WHERE session_date = ${{session:sqlstring}} AND direction = '{direction}'
ORDER BY rank
LIMIT 20"""

_BREADTH = """\
SELECT sector, advancing_count::float8 AS advancing, declining_count::float8 AS declining, unchanged_count::float8 AS unchanged
FROM aggregates.sector_breadth
WHERE session_date = ${session:sqlstring} AND sector <> 'ALL'
ORDER BY sector
LIMIT 50"""

_SECTORS = """\
SELECT sector, mean_change_pct
FROM aggregates.sector_breadth
WHERE session_date = ${session:sqlstring} AND sector <> 'ALL'
ORDER BY mean_change_pct DESC NULLS LAST
LIMIT 50"""

_ADVANCES = """\
SELECT session.ts_open AS time, (breadth.advancing_count - breadth.declining_count)::float8 AS "advancing less declining"
FROM aggregates.sector_breadth AS breadth
JOIN reference.session AS session
    ON session.session_date = breadth.session_date AND session.calendar = ${calendar:sqlstring}
WHERE breadth.sector = 'ALL' AND $__timeFilter(session.ts_open) AND breadth.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 500"""

_ABOVE = """\
SELECT session.ts_open AS time, breadth.sector AS metric, breadth.above_sma_50_ratio AS value
FROM aggregates.sector_breadth AS breadth
JOIN reference.session AS session
    ON session.session_date = breadth.session_date AND session.calendar = ${calendar:sqlstring}
WHERE $__timeFilter(session.ts_open) AND breadth.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 5000"""

_TOGETHER = """\
SELECT symbol, other_symbol, correlation, observation_count::float8 AS observation_count
FROM aggregates.correlation_60d
WHERE session_date = ${{session:sqlstring}} AND correlation IS NOT NULL
ORDER BY correlation {order}
LIMIT 20"""

_VOLATILE = """\
SELECT symbol, volatility_pct, parkinson_volatility_pct
FROM aggregates.volatility_20d
WHERE session_date = ${session:sqlstring} AND volatility_pct IS NOT NULL
ORDER BY volatility_pct DESC
LIMIT 20"""

_LIQUID = """\
SELECT symbol, sum(notional)::float8 AS notional, avg(mean_range_bps)::float8 AS mean_range_bps,
    avg(amihud_pct)::float8 AS amihud_pct
FROM aggregates.liquidity_30m
WHERE session_date = ${session:sqlstring}
GROUP BY symbol
ORDER BY notional DESC NULLS LAST
LIMIT 100"""

_UNITS = {"change_pct": "percent", "volume": "short", "rank": "short"}
_LINKS = {"symbol": (links.SYMBOL,), "run": (links.RUN,)}

PAGE = Page(
    folder="market",
    uid="movers",
    title="Movers and breadth",
    description="One session: highest and lowest changes, breadth by sector, volatility, liquidity, correlations.",
    since="now-90d",
    refresh="1m",
    zone="America/New_York",
    assets=("aggregates/mover", "aggregates/sector_breadth", "aggregates/correlation_60d"),
    variables=[calendar(), session()],
    panels=[
        panels.rows(
            Shown(
                "Highest changes, $session",
                "The ten highest changes against the previous close.",
                _MOVERS.format(direction="top"),
                units=_UNITS,
                links=_LINKS,
            )
        ),
        panels.rows(
            Shown(
                "Lowest changes, $session",
                "The ten lowest changes against the previous close.",
                _MOVERS.format(direction="bottom"),
                units=_UNITS,
                links=_LINKS,
            )
        ),
        panels.categories(
            Shown("Breadth by sector, $session", "Symbols that rose, fell and stayed.", _BREADTH, unit="short"),
            across="sector",
            is_stacked=True,
        ),
        panels.categories(
            Shown("Mean change by sector, $session", "Plain mean over the sector's symbols.", _SECTORS, unit="percent"),
            across="sector",
        ),
        panels.columns_over_time(
            Shown("Advancing less declining", "Symbols that rose less those that fell, of all sectors.", _ADVANCES, unit="short")
        ),
        panels.lines(
            Shown(
                "Above the mean of 50 closes", "Share of a sector's symbols, of those with 50 closes.", _ABOVE, unit="percentunit"
            )
        ),
        panels.rows(
            Shown(
                "Moved together, $session",
                "Pairs with the highest correlation of 60 daily returns, made once the session is over.",
                _TOGETHER.format(order="DESC"),
                units={"observation_count": "short"},
            )
        ),
        panels.rows(
            Shown(
                "Moved against each other, $session",
                "Pairs with the lowest correlation of 60 daily returns.",
                _TOGETHER.format(order="ASC"),
                units={"observation_count": "short"},
            )
        ),
        panels.categories(
            Shown(
                "Volatility, $session",
                "Annualised over 20 sessions, from closes and from ranges; the twenty highest.",
                _VOLATILE,
                unit="percent",
            ),
            across="symbol",
        ),
        panels.rows(
            Shown(
                "Liquidity, $session",
                "Traded value in the symbol's currency, mean range of a minute, and price moved per million traded (Amihud).",
                _LIQUID,
                units={"notional": "short", "mean_range_bps": BASIS_POINTS, "amihud_pct": "percent"},
                links={"symbol": (links.SYMBOL,)},
            )
        ),
    ],
)
