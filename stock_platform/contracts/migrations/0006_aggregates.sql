-- Coarser bars and session statistics, recomputed after each gate run; only rows that differ are written.
CREATE TABLE aggregates.bar_5m (
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
    bar_count bigint NOT NULL,
    session_date date NOT NULL,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);
CREATE TABLE aggregates.bar_15m (LIKE aggregates.bar_5m INCLUDING ALL);
CREATE TABLE aggregates.bar_1h (LIKE aggregates.bar_5m INCLUDING ALL);
CREATE TABLE aggregates.bar_1d (LIKE aggregates.bar_5m INCLUDING ALL);
CREATE INDEX bar_5m_by_session ON aggregates.bar_5m (session_date, symbol);
CREATE INDEX bar_15m_by_session ON aggregates.bar_15m (session_date, symbol);
CREATE INDEX bar_1h_by_session ON aggregates.bar_1h (session_date, symbol);
CREATE INDEX bar_1d_by_session ON aggregates.bar_1d (session_date, symbol);

CREATE TABLE aggregates.session_stat (
    symbol text NOT NULL,
    session_date date NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    volume bigint,
    vwap numeric(18, 6),
    bar_count bigint NOT NULL,
    range_pct double precision NOT NULL,
    return_pct double precision NOT NULL,
    gap_pct double precision,
    realised_volatility_pct double precision,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, session_date)
);
CREATE INDEX session_stat_by_date ON aggregates.session_stat (session_date);
