"""Dashboard `slo`: complete, accepted session minutes against the objective, what is left of the error budget, and what spent it."""

from grafana.source import links, panels
from grafana.source.page import Page, calendar, session
from grafana.source.panels import Shown

_OBJECTIVE = """\
SELECT objective_ratio
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date >= $__timeFrom()::timestamptz::date - 2 AND session_date <= $__timeTo()::timestamptz::date + 1
ORDER BY session_date DESC
LIMIT 1"""

_LEFT = """\
SELECT budget_left_ratio AS left
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date >= $__timeFrom()::timestamptz::date - 2 AND session_date <= $__timeTo()::timestamptz::date + 1
ORDER BY session_date DESC
LIMIT 1"""

_TODAY = """\
SELECT good_ratio AS good
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date >= $__timeFrom()::timestamptz::date - 2 AND session_date <= $__timeTo()::timestamptz::date + 1
ORDER BY session_date DESC
LIMIT 1"""

_SPENT = """\
SELECT spent_30_minute_count::float8 AS spent, budget_30_minutes AS budget
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date >= $__timeFrom()::timestamptz::date - 2 AND session_date <= $__timeTo()::timestamptz::date + 1
ORDER BY session_date DESC
LIMIT 1"""

_RATIOS = """\
SELECT session.ts_open AS time, budget.calendar AS metric, budget.good_ratio AS value
FROM ops.error_budget AS budget
JOIN reference.session AS session ON session.session_date = budget.session_date AND session.calendar = ${calendar:sqlstring}
WHERE $__timeFilter(session.ts_open) AND budget.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 2000"""

_BUDGET = """\
SELECT session.ts_open AS time, budget.calendar AS metric, budget.budget_left_ratio AS value
FROM ops.error_budget AS budget
JOIN reference.session AS session ON session.session_date = budget.session_date AND session.calendar = ${calendar:sqlstring}
WHERE $__timeFilter(session.ts_open) AND budget.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 2000"""

_BURN = """\
SELECT session.ts_open AS time, budget.calendar AS metric, budget.burn_rate AS value
FROM ops.error_budget AS budget
JOIN reference.session AS session ON session.session_date = budget.session_date AND session.calendar = ${calendar:sqlstring}
WHERE $__timeFilter(session.ts_open) AND budget.session_date >= $__timeFrom()::timestamptz::date - 2
ORDER BY session.ts_open
LIMIT 2000"""

_SYMBOLS = """\
SELECT symbol, calendar, good_ratio, session_minute_count::float8 AS session_minute_count,
    excused_minute_count::float8 AS excused_minute_count, good_minute_count::float8 AS good_minute_count,
    (session_minute_count - excused_minute_count - good_minute_count)::float8 AS spent_minute_count,
    latency_p50_s, latency_p95_s, latency_p99_s, dagster_run_id AS run
FROM ops.slo_session
WHERE session_date = ${session:sqlstring}
ORDER BY good_ratio NULLS LAST, symbol
LIMIT 500"""

_WHY = """\
SELECT gap_class, sum(minute_count)::float8 AS minutes
FROM quality.gap
WHERE session_date = ${session:sqlstring} AND state <> 'repaired'
GROUP BY gap_class
ORDER BY minutes DESC
LIMIT 10"""

_SESSION_LATENCY = """\
SELECT session.ts_open AS time, percentile_disc(0.5) WITHIN GROUP (ORDER BY slo.latency_p50_s) AS p50,
    max(slo.latency_p95_s) AS p95, max(slo.latency_p99_s) AS p99
FROM ops.slo_session AS slo
JOIN reference.session AS session ON session.session_date = slo.session_date AND session.calendar = slo.calendar
WHERE slo.calendar = ${calendar:sqlstring} AND $__timeFilter(session.ts_open)
    AND slo.session_date >= $__timeFrom()::timestamptz::date - 2 AND slo.session_date <= $__timeTo()::timestamptz::date + 1
GROUP BY session.ts_open
ORDER BY session.ts_open
LIMIT 500"""

_MINUTES = dict.fromkeys(("session_minute_count", "excused_minute_count", "good_minute_count", "spent_minute_count"), "short")

PAGE = Page(
    folder="operations",
    uid="slo",
    title="Service level and error budget",
    description="Good minutes are complete and accepted; the objective is their share of the session's minutes, excused ones left out.",
    since="now-45d",
    refresh="1m",
    assets=("ops/slo_session", "ops/latency_minute", "quality/gap"),
    variables=[calendar(), session()],
    panels=[
        panels.number(Shown("Objective", "Share of session minutes that is to be good.", _OBJECTIVE, 6, 4, "percentunit")),
        panels.number(Shown("Newest session", "Share of its closed minutes that is good.", _TODAY, 6, 4, "percentunit")),
        panels.number(
            Shown("Error budget left", "Of the 30 newest sessions; below 0 it is overspent.", _LEFT, 6, 4, "percentunit")
        ),
        panels.number(Shown("Minutes spent and allowed", "Of the 30 newest sessions, all symbols.", _SPENT, 6, 4, "short")),
        panels.lines(
            Shown("Good minutes by session", "Share of the session's minutes, by exchange and of all.", _RATIOS, unit="percentunit")
        ),
        panels.lines(
            Shown(
                "Error budget by session",
                "What the 30 sessions up to each one leave of their budget.",
                _BUDGET,
                unit="percentunit",
            )
        ),
        panels.columns_over_time(
            Shown("Burn rate by session", "Minutes spent ÷ minutes allowed: at 1 a session spends just what it may.", _BURN)
        ),
        panels.lines(
            Shown(
                "End of a minute to its certification, by session",
                "Median over symbols, and the slowest symbol's 95th and 99th percentile.",
                _SESSION_LATENCY,
                unit="s",
            )
        ),
        panels.rows(
            Shown(
                "Symbols, $session",
                "The worst first: minutes of the session, excused, good and spent.",
                _SYMBOLS,
                16,
                10,
                units={
                    "good_ratio": "percentunit",
                    **dict.fromkeys(("latency_p50_s", "latency_p95_s", "latency_p99_s"), "s"),
                    **_MINUTES,
                },
                links={"symbol": (links.SYMBOL,), "run": (links.RUN,)},
            )
        ),
        panels.gauges(
            Shown("What spent it, $session", "Minutes of the session that are still missing, by class.", _WHY, 8, 10, "short")
        ),
    ],
)
