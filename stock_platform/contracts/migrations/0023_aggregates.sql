-- Aggregates that look back over earlier sessions, and liquidity within one. Written by defs/aggregate.py as gate_owner, a session
-- at a time; a rerun writes only rows that differ. Formulas: docs/data-dictionary.md.
ALTER TABLE aggregates.session_stat ADD COLUMN volume_ratio_20 double precision;

CREATE INDEX vendor_bar_1d_by_session ON staging.vendor_bar_1d (symbol, session_date);
GRANT SELECT ON reference.adjustment_span TO gate_owner;

-- One row per symbol and half hour from the session's open.
CREATE TABLE aggregates.liquidity_30m (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    ts_end timestamptz NOT NULL,
    session_date date NOT NULL,
    volume bigint,
    volume_share_ratio double precision,
    notional numeric(38, 6),
    tick_count bigint NOT NULL,
    bar_count bigint NOT NULL,
    mean_range_bps double precision NOT NULL,
    amihud_pct double precision,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);
CREATE INDEX liquidity_30m_by_session ON aggregates.liquidity_30m (session_date, symbol);

-- One row per symbol and session.
CREATE TABLE aggregates.indicator_1d (
    symbol text NOT NULL,
    session_date date NOT NULL,
    close numeric(18, 6) NOT NULL,
    session_count bigint NOT NULL,
    sma_20 double precision,
    sma_50 double precision,
    sma_200 double precision,
    ema_12 double precision,
    ema_26 double precision,
    rsi_14 double precision,
    macd double precision,
    macd_signal double precision,
    macd_histogram double precision,
    bollinger_upper double precision,
    bollinger_middle double precision,
    bollinger_lower double precision,
    atr_14 double precision,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, session_date)
);
CREATE INDEX indicator_1d_by_session ON aggregates.indicator_1d (session_date);

-- One row per session, direction and rank.
CREATE TABLE aggregates.mover (
    session_date date NOT NULL,
    direction text NOT NULL CHECK (direction IN ('top', 'bottom')),
    rank bigint NOT NULL,
    symbol text NOT NULL,
    previous_close numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    change_pct numeric(18, 6) NOT NULL,
    volume bigint,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (session_date, direction, rank)
);

-- One row per session and sector, and one for ALL of them.
CREATE TABLE aggregates.sector_breadth (
    session_date date NOT NULL,
    sector text NOT NULL,
    symbol_count bigint NOT NULL,
    advancing_count bigint NOT NULL,
    declining_count bigint NOT NULL,
    unchanged_count bigint NOT NULL,
    above_sma_50_ratio double precision,
    mean_change_pct double precision,
    volume bigint,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (session_date, sector)
);

-- One row per symbol and session.
CREATE TABLE aggregates.volatility_20d (
    symbol text NOT NULL,
    session_date date NOT NULL,
    volatility_pct double precision,
    parkinson_volatility_pct double precision,
    observation_count bigint NOT NULL,
    sessions_per_year bigint NOT NULL,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, session_date)
);
CREATE INDEX volatility_20d_by_session ON aggregates.volatility_20d (session_date);

-- One row per session and pair of symbols.
CREATE TABLE aggregates.correlation_60d (
    session_date date NOT NULL,
    symbol text NOT NULL,
    other_symbol text NOT NULL,
    correlation double precision,
    observation_count bigint NOT NULL,
    dagster_run_id text NOT NULL,
    ts_updated timestamptz NOT NULL,
    PRIMARY KEY (symbol, other_symbol, session_date),
    CHECK (symbol <> other_symbol)
);
CREATE INDEX correlation_60d_by_session ON aggregates.correlation_60d (session_date);

GRANT SELECT, INSERT, UPDATE, DELETE
ON aggregates.liquidity_30m, aggregates.indicator_1d, aggregates.mover, aggregates.sector_breadth, aggregates.volatility_20d,
aggregates.correlation_60d
TO gate_owner;
GRANT SELECT
ON aggregates.liquidity_30m, aggregates.indicator_1d, aggregates.mover, aggregates.sector_breadth, aggregates.volatility_20d,
aggregates.correlation_60d
TO api_reader, grafana_reader;
