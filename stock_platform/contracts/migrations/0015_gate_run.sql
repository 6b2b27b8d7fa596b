-- Which code accepted bars: one row per gate run that promoted, written in the promotion's own transaction by gate/promote.py.
-- A repeat of the same run changes nothing. A blocked batch has its check results, and no row here.
CREATE TABLE quality.gate_run (
    dagster_run_id text PRIMARY KEY,
    session_date date NOT NULL,
    code_version text NOT NULL,
    closed_until timestamptz NOT NULL,
    ts_promoted timestamptz NOT NULL
);

-- What a passport reads beside this has been granted with its tables: offsets and revisions with the bars, results with the checks.
GRANT SELECT, INSERT ON quality.gate_run TO gate_owner;
GRANT SELECT ON quality.gate_run TO api_reader, grafana_reader;
