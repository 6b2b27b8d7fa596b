-- Accepted truth, and every version of it; beside it the provisional quote.
CREATE TABLE market.quote (
    symbol text PRIMARY KEY,
    price numeric(18, 6) NOT NULL,
    previous_close numeric(18, 6),
    change_pct numeric(18, 6),
    day_volume bigint,
    currency text NOT NULL,
    session_phase text NOT NULL,
    ts_event timestamptz NOT NULL,
    ts_recv timestamptz NOT NULL,
    source text NOT NULL,
    ts_landed timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- State lost is no licence to go back in time: an older quote never replaces a newer one.
CREATE FUNCTION market.keep_newer_quote() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ts_event < OLD.ts_event THEN
        RETURN NULL;
    END IF;
    NEW.ts_landed := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_newer_quote BEFORE UPDATE ON market.quote
FOR EACH ROW EXECUTE FUNCTION market.keep_newer_quote();

CREATE TABLE market.bar_1m (
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
    ts_first_tick timestamptz NOT NULL,
    ts_last_tick timestamptz NOT NULL,
    source text NOT NULL,
    kafka_partition bigint NOT NULL,
    kafka_offset_first bigint NOT NULL,
    kafka_offset_last bigint NOT NULL,
    flink_job_id text NOT NULL,
    is_continuous boolean NOT NULL,
    session_date date NOT NULL,
    revision bigint NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('passed', 'suspect', 'restated', 'vendor')),
    dagster_run_id text NOT NULL,
    ts_accepted timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start),
    CHECK (low <= least(open, close) AND high >= greatest(open, close))
);
CREATE INDEX bar_1m_by_session ON market.bar_1m (session_date, symbol, ts_start);
CREATE INDEX bar_1m_by_start ON market.bar_1m (ts_start);

CREATE TABLE market.bar_1m_revision (
    LIKE market.bar_1m INCLUDING CONSTRAINTS,
    ts_valid_from timestamptz NOT NULL,
    ts_valid_to timestamptz,
    PRIMARY KEY (symbol, ts_start, revision),
    CHECK (ts_valid_to IS NULL OR ts_valid_from <= ts_valid_to)
);
CREATE INDEX bar_1m_revision_by_validity ON market.bar_1m_revision (ts_valid_from, ts_valid_to);

-- What the dashboard said at that instant: one row per symbol and minute that was certified then.
CREATE FUNCTION market.bar_1m_as_of(ts_as_of timestamptz) RETURNS SETOF market.bar_1m_revision
LANGUAGE sql STABLE AS $$
    SELECT *
    FROM market.bar_1m_revision
    WHERE ts_valid_from <= ts_as_of AND (ts_valid_to IS NULL OR ts_valid_to > ts_as_of)
$$;

-- Bars that Flink has computed and the gate has not judged yet.
CREATE VIEW market.bar_1m_provisional AS
SELECT sized.*
FROM staging.bar_1m_sized AS sized
WHERE
    sized.is_in_session
    AND NOT EXISTS (
        SELECT FROM market.bar_1m AS bar
        WHERE bar.symbol = sized.symbol AND bar.ts_start = sized.ts_start
    );
