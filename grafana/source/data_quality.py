"""Dashboard `data-quality`: what the gate said, what it refused, what is missing, what was corrected, and who decided."""

from grafana.source import links, panels
from grafana.source.page import Page
from grafana.source.panels import BASIS_POINTS, Shown

_BAR = links.BAR.format(column="ts_start")

_VERDICTS = """\
SELECT date_bin('15 minutes', ts_start, '2000-01-01Z') AS time, verdict AS metric, count(*)::float8 AS value
FROM market.bar_1m
WHERE $__timeFilter(ts_start)
GROUP BY 1, verdict
ORDER BY 1
LIMIT 5000"""

_BLOCKED = """\
SELECT alert_id::text AS alert, alert_name, session_date::text AS session, detail, ts_raised, ts_cleared, dagster_run_id AS run,
    cleared_by_run
FROM ops.alert
WHERE $__timeFilter(ts_raised) OR ts_cleared IS NULL
ORDER BY ts_raised DESC
LIMIT 100"""

_REFUSED = """\
SELECT rule, count(*)::float8 AS bars
FROM quality.quarantine AS refused, unnest(string_to_array(refused.rules, ' ')) AS rule
WHERE $__timeFilter(refused.ts_quarantined)
GROUP BY rule
ORDER BY bars DESC
LIMIT 50"""

_QUARANTINE = f"""\
SELECT symbol, {_BAR}, rules, state, open::float8 AS open, high::float8 AS high, low::float8 AS low, close::float8 AS close,
    volume::float8 AS volume, tick_count::float8 AS tick_count, ts_quarantined, dagster_run_id AS run
FROM quality.quarantine
WHERE $__timeFilter(ts_quarantined)
ORDER BY ts_quarantined DESC
LIMIT 200"""

_DECISIONS = f"""\
SELECT symbol, {_BAR}, decision, reason, decided_by, rules, ts_decided, dagster_run_id AS run
FROM quality.quarantine_decision
WHERE $__timeFilter(ts_decided)
ORDER BY ts_decided DESC
LIMIT 200"""

_CHECKS = """\
SELECT check_name, severity, sum(failed_count)::float8 AS failed_count, count(*) FILTER (WHERE NOT is_passed)::float8 AS failed_run_count,
    count(*)::float8 AS run_count
FROM quality.check_result
WHERE $__timeFilter(ts_checked)
GROUP BY check_name, severity
ORDER BY failed_count DESC, check_name
LIMIT 100"""

_FAILED = """\
SELECT ts_checked, check_name, severity, session_date::text AS session, failed_count::float8 AS failed_count,
    observed_count::float8 AS observed_count, detail, dagster_run_id AS run
FROM quality.check_result
WHERE $__timeFilter(ts_checked) AND NOT is_passed
ORDER BY ts_checked DESC
LIMIT 200"""

_GAP_CLASSES = """\
SELECT gap_class, sum(minute_count)::float8 AS minutes
FROM quality.gap
WHERE $__timeFilter(ts_start)
GROUP BY gap_class
ORDER BY minutes DESC
LIMIT 10"""

_GAPS = """\
SELECT symbol, ts_start, ts_end, minute_count::float8 AS minute_count, gap_class, state, evidence, closed_reason,
    attempt_count::float8 AS attempt_count, coalesce(closed_by_run, dagster_run_id) AS run
FROM quality.gap
WHERE $__timeFilter(ts_start)
ORDER BY state = 'open' DESC, ts_start DESC
LIMIT 200"""

_RESTATEMENTS = """\
SELECT restatement.restatement_id::text AS restatement, restatement.session_date::text AS session,
    coalesce(restatement.symbols, 'all') AS symbols, restatement.ticks_from,
    CASE WHEN restatement.state = 'finished' AND NOT restatement.is_promoted THEN 'compared only' ELSE restatement.state END AS state,
    (SELECT count(*) FROM quality.restatement AS bar WHERE bar.restatement_id = restatement.restatement_id)::float8 AS changed_bar_count,
    restatement.ts_started, extract(EPOCH FROM restatement.ts_ended - restatement.ts_started)::float8 AS duration_s,
    restatement.last_error, restatement.dagster_run_id AS run
FROM ops.restatement AS restatement
WHERE $__timeFilter(restatement.ts_started)
ORDER BY restatement.ts_started DESC
LIMIT 100"""

_VENDOR = """\
SELECT field, count(*)::float8 AS differences, percentile_disc(0.95) WITHIN GROUP (ORDER BY abs(difference_bps)) AS p95_bps,
    max(abs(difference_bps)) AS max_bps
FROM quality.vendor_difference
WHERE $__timeFilter(ts_start)
GROUP BY field
ORDER BY field
LIMIT 10"""

_WORST = f"""\
SELECT symbol, {_BAR}, field, ours::float8 AS ours, vendor::float8 AS vendor, difference_bps, ts_checked, dagster_run_id AS run
FROM quality.vendor_difference
WHERE $__timeFilter(ts_start)
ORDER BY abs(difference_bps) DESC NULLS LAST
LIMIT 100"""

_TORN = f"""\
SELECT symbol, {_BAR}, tick_count::float8 AS tick_count, tick_count_refused::float8 AS tick_count_refused, ts_refused, flink_job_id
FROM quality.torn_bar
WHERE $__timeFilter(ts_refused)
ORDER BY ts_refused DESC
LIMIT 200"""

_BARS = {"symbol": (links.SYMBOL,), "bar": (links.PASSPORT,), "run": (links.RUN,)}
_RUN = {"run": (links.RUN,)}

PAGE = Page(
    folder="operations",
    uid="data-quality",
    title="Data quality",
    description="Verdicts, quarantine, checks, gaps, restatements, and where the vendor says something else.",
    since="now-24h",
    refresh="30s",
    assets=("market/bar_1m", "quality/gap", "quality/vendor_difference"),
    panels=[
        panels.columns_over_time(
            Shown("Verdicts", "Certified bars by verdict, in quarters of an hour.", _VERDICTS, 16, unit="short")
        ),
        panels.gauges(Shown("Minutes missing by class", "Session minutes without a certified bar.", _GAP_CLASSES, 8, unit="short")),
        panels.rows(
            Shown(
                "Alerts and blocked batches",
                "What a person is to know of: raised in the time range, or still going on. A blocked batch holds its session.",
                _BLOCKED,
                24,
                links={**_RUN, "cleared_by_run": (links.RUN,)},
            )
        ),
        panels.gauges(
            Shown(
                "Refused by rule", "Bars that are in quarantine now; one may have broken several rules.", _REFUSED, 8, unit="short"
            )
        ),
        panels.rows(
            Shown(
                "Quarantine",
                "Bars that wait for a reviewer or were discarded.",
                _QUARANTINE,
                16,
                units={"volume": "short", "tick_count": "short"},
                links={"symbol": (links.SYMBOL,), "run": (links.RUN,)},
            )
        ),
        panels.rows(
            Shown(
                "Checks",
                "What each rule found in the time range: rows, and runs in which it failed.",
                _CHECKS,
                units=dict.fromkeys(("failed_count", "failed_run_count", "run_count"), "short"),
            )
        ),
        panels.rows(
            Shown(
                "Failed checks",
                "Rules that a batch broke; the run is one click away.",
                _FAILED,
                units=dict.fromkeys(("failed_count", "observed_count"), "short"),
                links=_RUN,
            )
        ),
        panels.rows(
            Shown(
                "Gaps",
                "Open ones first: why minutes are missing, what shows it, and the run that closed them.",
                _GAPS,
                24,
                units=dict.fromkeys(("minute_count", "attempt_count"), "short"),
                links={"symbol": (links.SYMBOL,), **_RUN},
            )
        ),
        panels.rows(
            Shown(
                "Restatements",
                "Sessions computed anew, and how many certified bars that changed.",
                _RESTATEMENTS,
                24,
                units={"duration_s": "s", "changed_bar_count": "short"},
                links=_RUN,
            )
        ),
        panels.rows(
            Shown(
                "Differences from the vendor",
                "Fields in which certified bars and the vendor's history differ.",
                _VENDOR,
                8,
                units={"differences": "short", "p95_bps": BASIS_POINTS, "max_bps": BASIS_POINTS},
            )
        ),
        panels.rows(
            Shown("Widest differences", "The hundred widest.", _WORST, 16, units={"difference_bps": BASIS_POINTS}, links=_BARS)
        ),
        panels.rows(Shown("Reviewers' decisions", "What became of refused bars, who decided, and why.", _DECISIONS, links=_BARS)),
        panels.rows(
            Shown(
                "Torn bars",
                "Bars that lack late ticks until their session is restated.",
                _TORN,
                units=dict.fromkeys(("tick_count", "tick_count_refused"), "short"),
                links={"symbol": (links.SYMBOL,), "bar": (links.PASSPORT,)},
            )
        ),
    ],
)
