-- Who may do what: each role gets what its hop needs, and nothing else.
GRANT USAGE ON SCHEMA staging, market TO flink_writer;
GRANT SELECT, INSERT, UPDATE ON staging.bar_1m, market.quote TO flink_writer;

GRANT USAGE ON SCHEMA ops TO feed_writer;
GRANT SELECT, INSERT, UPDATE ON ops.feed_line TO feed_writer;

GRANT USAGE ON SCHEMA reference, staging, market, quality, aggregates, ops TO gate_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA reference, staging TO gate_owner;
GRANT INSERT, UPDATE, DELETE ON reference.instrument, reference.session TO gate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA market, quality, aggregates TO gate_owner;
REVOKE INSERT, UPDATE, DELETE ON market.quote FROM gate_owner;
GRANT SELECT ON ops.feed_line TO gate_owner;
GRANT SELECT, INSERT, UPDATE ON ops.flink_job TO gate_owner;

GRANT USAGE ON SCHEMA reference, market, quality, aggregates, ops TO api_reader, grafana_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA reference, market, quality, aggregates TO api_reader, grafana_reader;
GRANT SELECT ON ops.feed_line, ops.flink_job TO api_reader, grafana_reader;

-- Frames come in by COPY into a temporary table.
DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO gate_owner', current_database());
END
$$;
