-- What dashboards need: the ledger of torn bars without the rest of staging, an index for each time range that they ask for, and
-- the last bounds on readers.

-- One row per bar that lacks late ticks until its session is restated. Reads staging.torn_bar, as its owner.
CREATE VIEW quality.torn_bar AS
SELECT
    symbol,
    ts_start,
    tick_count,
    tick_count_refused,
    flink_job_id,
    ts_refused
FROM staging.torn_bar;
GRANT SELECT ON quality.torn_bar TO api_reader, grafana_reader;

CREATE INDEX torn_bar_by_time ON staging.torn_bar (ts_refused);
CREATE INDEX gap_by_start ON quality.gap (ts_start);
CREATE INDEX quarantine_by_time ON quality.quarantine (ts_quarantined);
CREATE INDEX quarantine_decision_by_time ON quality.quarantine_decision (ts_decided);
CREATE INDEX vendor_difference_by_start ON quality.vendor_difference (ts_start);
CREATE INDEX gate_run_by_time ON quality.gate_run (ts_promoted);
CREATE INDEX restatement_by_time ON ops.restatement (ts_started);

-- A reader gives up soon where it would wait, and never leaves a transaction open behind it.
ALTER ROLE api_reader SET lock_timeout = '2s';
ALTER ROLE api_reader SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE grafana_reader SET lock_timeout = '2s';
ALTER ROLE grafana_reader SET idle_in_transaction_session_timeout = '30s';

-- A role may lift its own timeouts, so what only waits is refused, and what spills to disk is bounded by a setting that it may not
-- change. Both are a superuser's to say; where the administrator is none, the timeouts are what there is.
DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        REVOKE EXECUTE ON FUNCTION
        pg_catalog.pg_sleep(double precision),
        pg_catalog.pg_sleep_for(interval),
        pg_catalog.pg_sleep_until(timestamptz)
        FROM public;
        ALTER ROLE api_reader SET temp_file_limit = '256MB';
        ALTER ROLE grafana_reader SET temp_file_limit = '256MB';
    END IF;
END
$$;
