-- What the gate refused, and what it checked.
CREATE TABLE quality.quarantine (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    ts_end timestamptz NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    volume bigint,
    vwap numeric(18, 6),
    tick_count bigint NOT NULL,
    ts_first_tick timestamptz NOT NULL,
    ts_last_tick timestamptz NOT NULL,
    source text NOT NULL,
    kafka_partition bigint NOT NULL,
    kafka_offset_first bigint NOT NULL,
    kafka_offset_last bigint NOT NULL,
    flink_job_id text NOT NULL,
    is_continuous boolean NOT NULL,
    session_date date NOT NULL,
    rules text NOT NULL,
    dagster_run_id text NOT NULL,
    ts_quarantined timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);
CREATE INDEX quarantine_by_session ON quality.quarantine (session_date);

CREATE TABLE quality.check_result (
    dagster_run_id text NOT NULL,
    check_name text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('quarantine', 'suspect', 'block')),
    session_date date NOT NULL,
    is_passed boolean NOT NULL,
    observed_count bigint NOT NULL,
    failed_count bigint NOT NULL,
    detail text NOT NULL,
    ts_checked timestamptz NOT NULL,
    PRIMARY KEY (dagster_run_id, check_name)
);
CREATE INDEX check_result_by_time ON quality.check_result (ts_checked);
