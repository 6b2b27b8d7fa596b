-- What the gate's rules and its alerts need.
ALTER TABLE reference.instrument ADD COLUMN tick_size numeric(18, 6) CHECK (tick_size > 0);

-- Trouble that a person is to know of. One row from its beginning to its end: what goes on is one alert, however often it is seen.
CREATE TABLE ops.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_name text NOT NULL,
    session_date date NOT NULL,
    detail text NOT NULL,
    dagster_run_id text NOT NULL,
    ts_raised timestamptz NOT NULL,
    ts_cleared timestamptz,
    cleared_by_run text,
    CHECK ((ts_cleared IS NULL) = (cleared_by_run IS NULL))
);
CREATE UNIQUE INDEX alert_going_on ON ops.alert (alert_name, session_date) WHERE ts_cleared IS NULL;
CREATE INDEX alert_by_time ON ops.alert (ts_raised);
GRANT SELECT, INSERT, UPDATE ON ops.alert TO gate_owner;
GRANT SELECT ON ops.alert TO api_reader, grafana_reader;

GRANT SELECT ON ops.feed_gap TO gate_owner;
