-- Data Docs: what each rule saw in a gate run, one HTML page a run that judged bars, blocked or not. Written by gate/data_docs.py
-- after the promotion; a repeat of the same run changes nothing. Postgres compresses a page by itself. Forgotten with the
-- gate's runs.
CREATE TABLE quality.validation_page (
    dagster_run_id text PRIMARY KEY,
    session_date date NOT NULL,
    page text NOT NULL,
    ts_rendered timestamptz NOT NULL
);

GRANT SELECT, INSERT, DELETE ON quality.validation_page TO gate_owner;
GRANT SELECT ON quality.validation_page TO api_reader;
