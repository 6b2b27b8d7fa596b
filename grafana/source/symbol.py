"""Dashboard `symbol`: bars of one or more symbols with VWAP and volume, and all that is known of their quality, on the chart.

Marks and tables name the bar; a click leads to its passport or to the Dagster run behind it."""

from grafana.source import links, panels, symbol_marks
from grafana.source.page import Page, calendar, listed, session, symbols
from grafana.source.panels import BASIS_POINTS, Shown

_BAR = links.BAR.format(column="ts_start")

_CANDLES = f"""\
SELECT ts_start AS time, open::float8 AS open, high::float8 AS high, low::float8 AS low, close::float8 AS close,
    volume::float8 AS volume, vwap::float8 AS vwap, symbol, {_BAR}
FROM ${{interval:raw}}
WHERE symbol = ${{symbol:sqlstring}} AND $__timeFilter(ts_start)
ORDER BY ts_start
LIMIT 5000"""

_VWAP = """\
SELECT ts_start AS time, symbol AS metric, (10000 * (close / vwap - 1))::float8 AS value
FROM ${interval:raw}
WHERE symbol IN (${symbol:sqlstring}) AND $__timeFilter(ts_start) AND vwap > 0
ORDER BY ts_start
LIMIT 20000"""

_VOLUME = """\
SELECT ts_start AS time, symbol AS metric, volume::float8 AS value
FROM ${interval:raw}
WHERE symbol IN (${symbol:sqlstring}) AND $__timeFilter(ts_start)
ORDER BY ts_start
LIMIT 20000"""

_DOUBTED = f"""\
SELECT symbol, {_BAR}, verdict, revision::float8 AS revision, close::float8 AS close, volume::float8 AS volume, source,
    is_continuous, ts_accepted, dagster_run_id AS run
FROM market.bar_1m
WHERE symbol IN (${{symbol:sqlstring}}) AND $__timeFilter(ts_start) AND verdict <> 'passed'
ORDER BY ts_start DESC
LIMIT 200"""

_REVISIONS = f"""\
SELECT symbol, {_BAR}, revision::float8 AS revision, close::float8 AS close, volume::float8 AS volume, verdict, ts_valid_from,
    ts_valid_to, dagster_run_id AS run
FROM market.bar_1m_revision
WHERE symbol IN (${{symbol:sqlstring}}) AND $__timeFilter(ts_start) AND revision > 1
ORDER BY ts_start DESC, revision DESC
LIMIT 200"""

_GAPS = """\
SELECT symbol, ts_start, ts_end, minute_count::float8 AS minute_count, gap_class, state, evidence, closed_reason,
    closed_by_run AS run
FROM quality.gap
WHERE symbol IN (${symbol:sqlstring}) AND $__timeFilter(ts_start)
ORDER BY ts_start DESC
LIMIT 200"""

_RESTATED = f"""\
SELECT symbol, {_BAR}, change, (bar_before ->> 'close')::float8 AS close_before, (bar_after ->> 'close')::float8 AS close_after,
    (bar_before ->> 'volume')::float8 AS volume_before, (bar_after ->> 'volume')::float8 AS volume_after, ts_accepted,
    restatement_id::text AS restatement, dagster_run_id AS run
FROM quality.restatement
WHERE symbol IN (${{symbol:sqlstring}}) AND $__timeFilter(ts_start)
ORDER BY ts_start DESC
LIMIT 200"""

_ACTIONS = """\
SELECT symbol, ex_date::text AS ex_date, kind, ratio::float8 AS ratio, amount::float8 AS amount, currency, source
FROM reference.corporate_action
WHERE symbol IN (${symbol:sqlstring}) AND ex_date <= $__timeTo()::timestamptz::date + 30
    AND ex_date >= $__timeFrom()::timestamptz::date - 400
ORDER BY ex_date DESC, symbol
LIMIT 100"""

_AVERAGES = """\
SELECT session.ts_open AS time, indicator.symbol AS metric, indicator.close::float8 AS close, indicator.sma_20, indicator.sma_50,
    indicator.bollinger_upper, indicator.bollinger_lower
FROM aggregates.indicator_1d AS indicator
JOIN reference.instrument AS instrument ON instrument.symbol = indicator.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar AND session.session_date = indicator.session_date
WHERE indicator.symbol IN (${symbol:sqlstring}) AND $__timeFilter(session.ts_open)
    AND indicator.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 5000"""

_MOVEMENT = """\
SELECT session.ts_open AS time, indicator.symbol AS metric, indicator.rsi_14, volatility.volatility_pct,
    volatility.parkinson_volatility_pct
FROM aggregates.indicator_1d AS indicator
JOIN reference.instrument AS instrument ON instrument.symbol = indicator.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar AND session.session_date = indicator.session_date
LEFT JOIN aggregates.volatility_20d AS volatility
    ON volatility.symbol = indicator.symbol AND volatility.session_date = indicator.session_date
WHERE indicator.symbol IN (${symbol:sqlstring}) AND $__timeFilter(session.ts_open)
    AND indicator.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 5000"""

_HALF_HOURS = """\
SELECT to_char(liquidity.ts_start AT TIME ZONE coalesce(vendor.zone, 'UTC'), 'HH24:MI') AS half_hour,
    avg(liquidity.volume_share_ratio)::float8 AS volume_share_ratio
FROM aggregates.liquidity_30m AS liquidity
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = liquidity.symbol
WHERE liquidity.symbol IN (${symbol:sqlstring}) AND liquidity.session_date = ${session:sqlstring}
GROUP BY half_hour
ORDER BY half_hour
LIMIT 50"""

_SESSIONS = """\
SELECT session.session_date::text AS session, session.ts_open, session.ts_close,
    (extract(EPOCH FROM session.ts_open) * 1000)::bigint::text AS from_ms,
    (extract(EPOCH FROM session.ts_close) * 1000)::bigint::text AS to_ms
FROM reference.session AS session
WHERE session.calendar = ${calendar:sqlstring} AND session.ts_open <= $__timeTo()
    AND session.ts_open >= $__timeTo()::timestamptz - interval '60 days'
ORDER BY session.session_date DESC
LIMIT 40"""

_INTERVALS = {
    "1m": "market.bar_1m",
    **{name: f"aggregates.bar_{name}" for name in ("5m", "15m", "1h", "1d")},
}
_BAR_LINKS = {"symbol": (links.SYMBOL,), "bar": (links.PASSPORT,), "run": (links.RUN,)}
_COUNTS = {"volume": "short", "revision": "short"}

PAGE = Page(
    folder="market",
    uid="symbol",
    title="Symbol",
    description="Certified bars of one or more symbols; each mark and row leads to the bar's passport or its Dagster run.",
    since="now-8h",
    refresh="30s",
    zone="America/New_York",
    assets=("market/bar_1m", "quality/gap", "reference/corporate_action"),
    variables=[symbols(), listed("interval", "Interval", _INTERVALS), calendar(), session()],
    annotations=symbol_marks.MARKS,
    panels=[
        panels.candles(
            Shown(
                "$symbol",
                "Certified bars with VWAP and volume, prices in the instrument's currency.",
                _CANDLES,
                24,
                14,
                units={"volume": "short"},
                links={"close": (links.PASSPORT,)},
            )
        ),
        panels.lines(
            Shown("Close against VWAP", "How far the close is above the bar's volume-weighted mean.", _VWAP, unit=BASIS_POINTS)
        ),
        panels.columns_over_time(Shown("Volume", "Traded units of each bar.", _VOLUME, unit="short")),
        panels.rows(
            Shown(
                "Bars that are not simply passed",
                "Suspect, restated and vendor's bars; the bar leads to its passport.",
                _DOUBTED,
                units=_COUNTS,
                links=_BAR_LINKS,
            )
        ),
        panels.rows(
            Shown(
                "Revisions",
                "Later versions of bars: what was said when.",
                _REVISIONS,
                units=_COUNTS,
                links=_BAR_LINKS,
            )
        ),
        panels.rows(
            Shown(
                "Gaps",
                "Session minutes without a certified bar, why, and what became of them.",
                _GAPS,
                units={"minute_count": "short"},
                links={"run": (links.RUN,)},
            )
        ),
        panels.rows(
            Shown(
                "Restatements",
                "Bars that a restatement added, removed or changed.",
                _RESTATED,
                units={"volume_before": "short", "volume_after": "short"},
                links=_BAR_LINKS,
            )
        ),
        panels.lines(
            Shown("Daily close and its means", "Simple means of 20 and 50 closes, Bollinger bands; half a year.", _AVERAGES)
        ).time_from("180d"),
        panels.lines(
            Shown(
                "Movement",
                "Relative strength index (0 to 100), and annualised volatility from closes and from ranges; half a year.",
                _MOVEMENT,
                units={"volatility_pct": "percent", "parkinson_volatility_pct": "percent"},
            )
        ).time_from("180d"),
        panels.categories(
            Shown(
                "Volume by half hour of the session",
                "Share of the chosen session's volume, by the exchange's clock; mean over the symbols.",
                _HALF_HOURS,
                unit="percentunit",
            ),
            across="half_hour",
        ),
        panels.rows(
            Shown(
                "Corporate actions", "Splits and payments of the last year and the next month, as the vendor tells them.", _ACTIONS
            )
        ),
        panels.rows(
            Shown(
                "Sessions",
                "Regular hours; a click shows that session alone, without the closed hours.",
                _SESSIONS,
                24,
                links={"session": (links.SESSION,)},
            )
        ),
    ],
)
