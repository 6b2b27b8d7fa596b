-- The quarantine desk: what a person decided of a refused bar, and of which content of it. Decisions are added, never changed.
ALTER TABLE quality.quarantine
ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'discarded'));

CREATE TABLE quality.quarantine_decision (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    decision text NOT NULL CHECK (decision IN ('released', 'overridden', 'discarded')),
    reason text NOT NULL CHECK (reason <> ''),
    decided_by text NOT NULL CHECK (decided_by <> ''),
    dagster_run_id text NOT NULL,
    rules text NOT NULL,
    ts_decided timestamptz NOT NULL,
    session_date date NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    volume bigint,
    vwap numeric(18, 6),
    tick_count bigint NOT NULL,
    ts_first_tick timestamptz NOT NULL,
    ts_last_tick timestamptz NOT NULL,
    is_continuous boolean NOT NULL,
    PRIMARY KEY (symbol, ts_start, dagster_run_id)
);

GRANT SELECT, INSERT ON quality.quarantine_decision TO gate_owner;
GRANT SELECT ON quality.quarantine_decision TO api_reader, grafana_reader;
