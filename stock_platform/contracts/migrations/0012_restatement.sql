-- Restatements: sessions computed anew from their ticks, beside staging, to be compared with it.
CREATE TABLE ops.restatement (
    restatement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_date date NOT NULL,
    symbols text,
    ticks_from text NOT NULL,
    state text NOT NULL,
    flink_job_id text,
    ts_started timestamptz NOT NULL DEFAULT clock_timestamp(),
    ts_ended timestamptz,
    last_error text
);

-- The bars of each session's newest restatement. Flink's connection says which one it writes: it knows no such column.
-- No trigger keeps the larger bar here: a right bar may be smaller than a wrong one. Unlogged: it can be computed again.
CREATE UNLOGGED TABLE staging.bar_1m_restated (
    restatement_id bigint NOT NULL DEFAULT current_setting('stock_platform.restatement_id')::bigint,
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    ts_end timestamptz NOT NULL,
    open numeric(18, 6) NOT NULL,
    high numeric(18, 6) NOT NULL,
    low numeric(18, 6) NOT NULL,
    close numeric(18, 6) NOT NULL,
    tick_count bigint NOT NULL,
    ts_first_tick timestamptz NOT NULL,
    ts_last_tick timestamptz NOT NULL,
    day_volume_first bigint,
    day_volume_last bigint,
    price_first numeric(18, 6),
    notional_inside numeric(38, 6),
    source text NOT NULL,
    kafka_partition bigint NOT NULL,
    kafka_offset_first bigint NOT NULL,
    kafka_offset_last bigint NOT NULL,
    flink_job_id text NOT NULL,
    is_continuous boolean NOT NULL,
    ts_landed timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (restatement_id, symbol, ts_start)
);

-- The rule of staging.bar_1m_sized, for each restatement by itself; a test holds the two against each other.
CREATE VIEW staging.bar_1m_restated_sized AS
WITH placed AS (
    SELECT
        bar.*,
        coalesce(session.session_date, (bar.ts_start AT TIME ZONE 'UTC')::date) AS session_date,
        session.session_date IS NOT NULL AS is_in_session
    FROM staging.bar_1m_restated AS bar
    LEFT JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol
    LEFT JOIN reference.session AS session
        ON
            session.calendar = instrument.calendar
            AND session.ts_open > bar.ts_start - interval '2 days'
            AND bar.ts_start >= session.ts_open
            AND bar.ts_start < session.ts_close
            AND (session.ts_break_start IS NULL OR bar.ts_start < session.ts_break_start OR bar.ts_start >= session.ts_break_end)
),

bounded AS (
    SELECT
        placed.*,
        CASE
            WHEN placed.is_continuous
                THEN
                    coalesce(
                        max(placed.day_volume_last) OVER (
                            PARTITION BY placed.restatement_id, placed.symbol, placed.session_date
                            ORDER BY placed.ts_start
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                        ), 0
                    )
            ELSE placed.day_volume_first
        END AS day_volume_before
    FROM placed
)

SELECT
    restatement_id,
    symbol,
    ts_start,
    ts_end,
    open,
    high,
    low,
    close,
    day_volume_last - day_volume_before AS volume,
    CASE
        WHEN day_volume_last > day_volume_before
            THEN
                round(
                    (notional_inside + price_first * (day_volume_first - day_volume_before))
                    / (day_volume_last - day_volume_before),
                    6
                )::numeric(18, 6)
    END AS vwap,
    tick_count,
    ts_first_tick,
    ts_last_tick,
    source,
    kafka_partition,
    kafka_offset_first,
    kafka_offset_last,
    flink_job_id,
    is_continuous,
    session_date,
    is_in_session,
    ts_landed
FROM bounded;

GRANT INSERT ON staging.bar_1m_restated TO flink_writer;
GRANT SELECT, DELETE ON staging.bar_1m_restated TO gate_owner;
GRANT SELECT ON staging.bar_1m_restated_sized TO gate_owner;
GRANT SELECT, INSERT, UPDATE ON ops.restatement TO gate_owner;
GRANT SELECT ON ops.restatement TO api_reader, grafana_reader;
