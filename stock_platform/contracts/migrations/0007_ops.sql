-- What operators look at. The schema itself is made by the migration runner, which keeps its ledger here.
CREATE TABLE ops.feed_line (
    line text PRIMARY KEY,
    dagster_run_id text NOT NULL,
    source text NOT NULL,
    state text NOT NULL CHECK (state IN ('starting', 'running', 'ended', 'failed', 'stopped')),
    ts_started timestamptz NOT NULL,
    ts_heartbeat timestamptz NOT NULL,
    ts_clock timestamptz,
    ts_event_last timestamptz,
    tick_count bigint NOT NULL,
    reject_count bigint NOT NULL,
    last_error text
);

CREATE TABLE ops.flink_job (
    job_name text PRIMARY KEY,
    flink_job_id text NOT NULL,
    state text NOT NULL,
    restart_count bigint NOT NULL,
    checkpoint_path text,
    checkpoint_bytes bigint,
    ts_started timestamptz,
    ts_heartbeat timestamptz NOT NULL
);
