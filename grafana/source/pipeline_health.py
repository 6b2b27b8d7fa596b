"""Dashboard `pipeline-health`: feed lines, the stream job, how long each hop takes, and what waits.

Dead letters are in Kafka, not in Postgres: `stock-platform dead-letters list` shows them."""

from grafana.source import links, panels
from grafana.source.page import Page
from grafana.source.panels import Shown

_SILENCE = """\
SELECT line, extract(EPOCH FROM now() - ts_recv_last)::float8 AS silent_s
FROM ops.feed_line
WHERE state IN ('starting', 'running') AND ts_recv_last IS NOT NULL
ORDER BY line
LIMIT 50"""

_LAG = """\
SELECT lag_count::float8 AS lag
FROM ops.flink_job
ORDER BY ts_heartbeat DESC
LIMIT 1"""

_CHECKPOINT = """\
SELECT extract(EPOCH FROM now() - ts_checkpoint)::float8 AS checkpoint_age
FROM ops.flink_job
ORDER BY ts_heartbeat DESC
LIMIT 1"""

_RESTARTS = """\
SELECT restart_count::float8 AS restarts
FROM ops.flink_job
ORDER BY ts_heartbeat DESC
LIMIT 1"""

_TORN = """\
SELECT count(*)::float8 AS torn
FROM quality.torn_bar
WHERE $__timeFilter(ts_refused)"""

_LINES = """\
SELECT line, shard::text AS shard, source, state, ts_heartbeat, ts_recv_last, ts_event_last, ts_clock,
    tick_count::float8 AS tick_count, reject_count::float8 AS reject_count, suspect_count::float8 AS suspect_count,
    duplicate_count::float8 AS duplicate_count, late_count::float8 AS late_count, polled_count::float8 AS polled_count,
    gap_count::float8 AS gap_count, symbols, last_error, dagster_run_id AS run
FROM ops.feed_line
WHERE state <> 'retired'
ORDER BY line
LIMIT 50"""

_OUTAGES = """\
SELECT line, ts_gap_start, ts_gap_end, extract(EPOCH FROM ts_gap_end - ts_gap_start)::float8 AS duration_s, detail, symbols
FROM ops.feed_gap
WHERE $__timeFilter(ts_gap_end)
ORDER BY ts_gap_end DESC
LIMIT 200"""

_JOB = """\
SELECT job_name, state, flink_job_id, restart_count::float8 AS restart_count, lag_count::float8 AS lag_count, ts_checkpoint,
    checkpoint_ms::float8 AS checkpoint_ms, checkpoint_bytes::float8 AS checkpoint_bytes, parallelism::float8 AS parallelism,
    restored_from, ts_started, ts_heartbeat, last_error
FROM ops.flink_job
ORDER BY job_name
LIMIT 10"""

_LATENCY = """\
SELECT ts_minute AS time, hop AS metric, p50_ms, p95_ms, p99_ms
FROM ops.latency_minute
WHERE $__timeFilter(ts_minute)
ORDER BY ts_minute
LIMIT 20000"""

_HOPS = """\
SELECT hop, sum(observation_count)::float8 AS observation_count, percentile_disc(0.5) WITHIN GROUP (ORDER BY p50_ms) AS p50_ms,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY p95_ms) AS p95_ms, max(p99_ms) AS p99_ms, max(max_ms) AS max_ms
FROM ops.latency_minute
WHERE $__timeFilter(ts_minute)
GROUP BY hop
ORDER BY hop
LIMIT 20"""

_CERTIFIED = """\
SELECT ts_start AS time, percentile_disc(0.5) WITHIN GROUP (ORDER BY delay_s) AS p50, max(delay_s) AS slowest
FROM (
    SELECT ts_start, extract(EPOCH FROM ts_accepted - ts_end)::float8 AS delay_s
    FROM market.bar_1m
    WHERE $__timeFilter(ts_start) AND revision = 1
) AS bar
GROUP BY ts_start
ORDER BY ts_start
LIMIT 5000"""

_GATE = """\
SELECT ts_promoted AS time, extract(EPOCH FROM ts_promoted - closed_until)::float8 AS "closed to promoted"
FROM quality.gate_run
WHERE $__timeFilter(ts_promoted)
ORDER BY ts_promoted
LIMIT 5000"""

_RUNS = """\
SELECT ts_promoted, session_date::text AS session, closed_until,
    extract(EPOCH FROM ts_promoted - closed_until)::float8 AS closed_to_promoted_s, code_version, dagster_run_id AS run
FROM quality.gate_run
WHERE $__timeFilter(ts_promoted)
ORDER BY ts_promoted DESC
LIMIT 100"""

_JUDGED = """\
SELECT ts_checked AS time, max(observed_count)::float8 AS "bars judged"
FROM quality.check_result
WHERE $__timeFilter(ts_checked)
GROUP BY ts_checked
ORDER BY ts_checked
LIMIT 5000"""

_COUNTS = "tick_count reject_count suspect_count duplicate_count late_count polled_count gap_count".split()

PANELS = [
    panels.number(
        Shown("Stream job's lag", "Records of the ticks' topic that no checkpoint covers yet.", _LAG, 6, 4, "short"),
        warn=20_000,
        alarm=100_000,
    ),
    panels.number(
        Shown("Newest checkpoint", "How long ago the stream job's newest checkpoint was complete.", _CHECKPOINT, 6, 4, "s"),
        warn=60,
        alarm=300,
    ),
    panels.number(Shown("Restarts", "Of the stream job since its submission.", _RESTARTS, 6, 4, "short"), warn=1, alarm=5),
    panels.number(Shown("Torn bars", "Bars that lack late ticks until their session is restated.", _TORN, 6, 4, "short"), warn=1),
    panels.gauges(Shown("Silence by line", "Time since a line last heard its vendor, whatever it said.", _SILENCE, 8, unit="s")),
    panels.rows(
        Shown(
            "Stream job",
            "State, checkpoint, and what it was restored from.",
            _JOB,
            16,
            units={
                "checkpoint_ms": "ms",
                "checkpoint_bytes": "bytes",
                **dict.fromkeys(("restart_count", "lag_count", "parallelism"), "short"),
            },
        )
    ),
    panels.rows(
        Shown(
            "Feed lines",
            "Heartbeat of each line, and what it counted since its start.",
            _LINES,
            24,
            units=dict.fromkeys(_COUNTS, "short"),
            links={"run": (links.RUN,)},
        )
    ),
    panels.lines(
        Shown("Latency by hop", "Of each minute: half, 95 % and 99 % of what was measured were faster.", _LATENCY, 16, 10, "ms")
    ),
    panels.rows(
        Shown(
            "Hops",
            "Over the time range: the middle minute's median and 95th percentile, the worst 99th, the slowest of all.",
            _HOPS,
            8,
            10,
            "ms",
            units={"observation_count": "short"},
        )
    ),
    panels.lines(
        Shown(
            "End of a minute to its certification",
            "Of the bars' first versions: median and slowest of each minute. Of a replayed tape it says how old the tape is.",
            _CERTIFIED,
            unit="s",
        )
    ),
    panels.lines(
        Shown(
            "Gate runs: closed to promoted",
            "From the instant up to which bars were closed to their promotion, per run. How long the run itself took is in Dagster.",
            _GATE,
            unit="s",
        )
    ),
    panels.lines(Shown("Bars judged by each gate run", "The most that one of its rules saw.", _JUDGED, unit="short")),
    panels.rows(
        Shown(
            "Gate runs",
            "The newest runs that promoted, and the code that ran.",
            _RUNS,
            units={"closed_to_promoted_s": "s"},
            links={"run": (links.RUN,)},
        )
    ),
    panels.rows(
        Shown("Outages of lines", "Stretches in which a line could not hear some symbols.", _OUTAGES, 24, units={"duration_s": "s"})
    ),
]

PAGE = Page(
    folder="operations",
    uid="pipeline-health",
    title="Pipeline health",
    description="From the vendor to certified bars: who is silent, what lags, how long each hop takes.",
    since="now-6h",
    refresh="10s",
    assets=("flink/ticks_to_bars", "kafka/market/ticks/v1", "market/bar_1m"),
    panels=PANELS,
)
