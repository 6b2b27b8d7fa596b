-- The gap ledger: one row per symbol and run of consecutive session minutes without a certified bar, of one class.
-- Written by gap_look.py as gate_owner; a rerun over the same state changes nothing.
CREATE TABLE quality.gap (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    ts_end timestamptz NOT NULL,
    session_date date NOT NULL,
    minute_count bigint NOT NULL CHECK (minute_count > 0),
    gap_class text NOT NULL CHECK (gap_class IN ('closed', 'halt', 'no_trade', 'feed_gap', 'pipeline_gap', 'held')),
    evidence text NOT NULL CHECK (evidence <> ''),
    state text NOT NULL CHECK (state IN ('open', 'repaired', 'explained', 'unrepairable')),
    closed_by_run text,
    closed_reason text,
    attempt_count bigint NOT NULL,
    ts_found timestamptz NOT NULL,
    ts_closed timestamptz,
    dagster_run_id text NOT NULL,
    PRIMARY KEY (symbol, ts_start),
    CHECK (ts_end = ts_start + minute_count * interval '1 minute'),
    CHECK ((state = 'open') = (ts_closed IS NULL)),
    CHECK ((state = 'open') = (closed_reason IS NULL)),
    CHECK (state <> 'repaired' OR closed_by_run IS NOT NULL)
);
CREATE INDEX gap_by_session ON quality.gap (session_date);
CREATE INDEX gap_by_state ON quality.gap (state) WHERE state = 'open';

GRANT SELECT, INSERT, UPDATE, DELETE ON quality.gap TO gate_owner;
GRANT SELECT ON quality.gap TO api_reader, grafana_reader;
