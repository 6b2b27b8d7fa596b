-- Service levels: how complete a session's bars are, how fast they were, and how long each hop took.
-- Written by defs/service_level.py as gate_owner; a rerun over the same state changes nothing.

-- One row per session and symbol that is watched in it. Up to the instant until which the session's bars are closed.
CREATE TABLE ops.slo_session (
    session_date date NOT NULL,
    symbol text NOT NULL,
    calendar text NOT NULL,
    session_minute_count bigint NOT NULL CHECK (session_minute_count >= 0),
    excused_minute_count bigint NOT NULL CHECK (excused_minute_count >= 0),
    good_minute_count bigint NOT NULL CHECK (good_minute_count >= 0),
    good_ratio double precision,
    latency_p50_s double precision,
    latency_p95_s double precision,
    latency_p99_s double precision,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (session_date, symbol),
    CHECK (excused_minute_count + good_minute_count <= session_minute_count)
);

-- One row per minute and hop of which anything was measured.
CREATE TABLE ops.latency_minute (
    ts_minute timestamptz NOT NULL,
    hop text NOT NULL CHECK (hop IN (
        'event_to_received', 'received_to_flink', 'flink_to_staging', 'event_to_staging', 'closed_to_certified',
        'event_to_certified'
    )),
    observation_count bigint NOT NULL CHECK (observation_count > 0),
    p50_ms double precision NOT NULL,
    p95_ms double precision NOT NULL,
    p99_ms double precision NOT NULL,
    max_ms double precision NOT NULL,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (ts_minute, hop)
);

-- Reads ops.slo_session. One row per session and calendar, and one for ALL: what the session spent of the error budget, and what
-- the 30 newest sessions of that calendar up to it leave of theirs.
CREATE VIEW ops.error_budget AS
WITH objective AS (
    SELECT 0.999::double precision AS objective_ratio
),

by_session AS (
    SELECT
        session_date,
        coalesce(calendar, 'ALL') AS calendar,
        sum(session_minute_count - excused_minute_count)::bigint AS counted_minute_count,
        sum(session_minute_count - excused_minute_count - good_minute_count)::bigint AS spent_minute_count
    FROM ops.slo_session
    GROUP BY GROUPING SETS ((session_date, calendar), (session_date))
),

over_30 AS (
    SELECT
        session_date,
        calendar,
        counted_minute_count,
        spent_minute_count,
        count(*) OVER newest_30 AS session_30_count,
        sum(counted_minute_count) OVER newest_30 AS counted_30,
        sum(spent_minute_count) OVER newest_30 AS spent_30
    FROM by_session
    WINDOW newest_30 AS (PARTITION BY calendar ORDER BY session_date ROWS BETWEEN 29 PRECEDING AND CURRENT ROW)
)

SELECT
    over_30.session_date,
    over_30.calendar,
    objective.objective_ratio,
    over_30.counted_minute_count,
    over_30.spent_minute_count,
    (1 - over_30.spent_minute_count / nullif(over_30.counted_minute_count, 0)::double precision) AS good_ratio,
    over_30.spent_minute_count / nullif((1 - objective.objective_ratio) * over_30.counted_minute_count, 0) AS burn_rate,
    over_30.session_30_count,
    over_30.counted_30::bigint AS counted_30_minute_count,
    over_30.spent_30::bigint AS spent_30_minute_count,
    (1 - objective.objective_ratio) * over_30.counted_30::double precision AS budget_30_minutes,
    1 - over_30.spent_30::double precision
    / nullif((1 - objective.objective_ratio) * over_30.counted_30::double precision, 0) AS budget_left_ratio
FROM over_30
CROSS JOIN objective;

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.slo_session, ops.latency_minute TO gate_owner;
GRANT SELECT ON ops.error_budget TO gate_owner;
GRANT SELECT ON ops.slo_session, ops.latency_minute, ops.error_budget TO api_reader, grafana_reader;

-- First acceptances of a session, and which of them came since the last look.
CREATE INDEX bar_1m_revision_first ON market.bar_1m_revision (session_date, ts_accepted) INCLUDE (ts_start) WHERE revision = 1;
