-- The vendor's history: bars to compare ours with, corporate actions, instrument data. Written by defs/vendor.py as feed_writer.
-- A rerun of the assets changes a row only where the vendor says something else than before.
CREATE TABLE staging.vendor_bar_1m (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    volume bigint,
    is_edge boolean NOT NULL,
    session_date date NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    response_path text NOT NULL,
    ts_recv timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);
CREATE INDEX vendor_bar_1m_by_session ON staging.vendor_bar_1m (session_date);

CREATE TABLE staging.vendor_bar_1d (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    volume bigint,
    session_date date NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    response_path text NOT NULL,
    ts_recv timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);

-- A split has a ratio, a payment has an amount.
CREATE TABLE reference.corporate_action (
    symbol text NOT NULL,
    ex_date date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('split', 'dividend', 'capital_gain')),
    ratio numeric(18, 9) CHECK (ratio > 0),
    amount numeric(18, 6),
    currency text NOT NULL,
    source text NOT NULL,
    ts_recv timestamptz NOT NULL,
    PRIMARY KEY (symbol, ex_date, kind),
    CHECK ((kind = 'split') = (ratio IS NOT NULL)),
    CHECK ((kind <> 'split') = (amount IS NOT NULL))
);

CREATE TABLE reference.vendor_instrument (
    symbol text PRIMARY KEY,
    name text,
    instrument_type text NOT NULL,
    currency text,
    exchange text,
    zone text,
    first_trade_date date,
    delay_s bigint,
    source text NOT NULL,
    ts_recv timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA staging, reference TO feed_writer;
GRANT SELECT, INSERT, UPDATE ON staging.vendor_bar_1m, staging.vendor_bar_1d TO feed_writer;
GRANT SELECT, INSERT, UPDATE ON reference.corporate_action, reference.vendor_instrument TO feed_writer;
GRANT SELECT ON staging.vendor_bar_1m, staging.vendor_bar_1d TO gate_owner;
GRANT SELECT ON reference.corporate_action, reference.vendor_instrument TO gate_owner, api_reader, grafana_reader;

-- Frames come in by COPY into a temporary table.
DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO feed_writer', current_database());
END
$$;
