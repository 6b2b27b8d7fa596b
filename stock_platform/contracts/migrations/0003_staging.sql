-- What Flink computes: one row per symbol and minute; provisional until the gate has judged it.
CREATE TABLE staging.bar_1m (
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
    PRIMARY KEY (symbol, ts_start)
);
CREATE INDEX bar_1m_by_start ON staging.bar_1m (ts_start);
CREATE INDEX bar_1m_by_landing ON staging.bar_1m (ts_landed);
CREATE INDEX bar_1m_by_day ON staging.bar_1m (((ts_start AT TIME ZONE 'UTC')::date));

-- A right bar only ever grows. A smaller one comes from a job that lost its state: the larger one stays.
-- A row that says nothing new leaves no trace, so that a replay does not look like a correction.
CREATE FUNCTION staging.keep_larger_bar() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.tick_count < OLD.tick_count THEN
        RETURN NULL;
    END IF;
    NEW.ts_landed := OLD.ts_landed;
    IF (NEW.open, NEW.high, NEW.low, NEW.close, NEW.tick_count, NEW.ts_first_tick, NEW.ts_last_tick, NEW.day_volume_first,
        NEW.day_volume_last, NEW.notional_inside, NEW.kafka_offset_first, NEW.kafka_offset_last, NEW.is_continuous)
       IS NOT DISTINCT FROM
       (OLD.open, OLD.high, OLD.low, OLD.close, OLD.tick_count, OLD.ts_first_tick, OLD.ts_last_tick, OLD.day_volume_first,
        OLD.day_volume_last, OLD.notional_inside, OLD.kafka_offset_first, OLD.kafka_offset_last, OLD.is_continuous) THEN
        RETURN NULL;
    END IF;
    NEW.ts_landed := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_larger_bar BEFORE UPDATE ON staging.bar_1m
FOR EACH ROW EXECUTE FUNCTION staging.keep_larger_bar();

-- Volume and VWAP closed at the bar's boundary: volume = last cumulative volume - highest one of the session's earlier bars
-- (0 before the first). Where ticks may be missing before the bar, only the volume inside it is known.
CREATE VIEW staging.bar_1m_sized AS
WITH placed AS (
    SELECT
        bar.*,
        session.session_date,
        TRUE AS is_in_session
    FROM staging.bar_1m AS bar
    JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol
    JOIN reference.session AS session
        ON
            session.calendar = instrument.calendar
            AND session.ts_open > bar.ts_start - interval '2 days'
            AND bar.ts_start >= session.ts_open
            AND bar.ts_start < session.ts_close
    UNION ALL
    SELECT
        bar.*,
        (bar.ts_start AT TIME ZONE 'UTC')::date AS session_date,
        FALSE AS is_in_session
    FROM staging.bar_1m AS bar
    WHERE NOT EXISTS (
        SELECT FROM reference.instrument AS instrument
        JOIN reference.session AS session
            ON session.calendar = instrument.calendar
        WHERE
            instrument.symbol = bar.symbol
            AND session.ts_open > bar.ts_start - interval '2 days'
            AND bar.ts_start >= session.ts_open
            AND bar.ts_start < session.ts_close
    )
),

bounded AS (
    SELECT
        placed.*,
        CASE
            WHEN placed.is_continuous
                THEN
                    coalesce(
                        max(placed.day_volume_last) OVER (
                            PARTITION BY placed.symbol, placed.session_date
                            ORDER BY placed.ts_start
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                        ), 0
                    )
            ELSE placed.day_volume_first
        END AS day_volume_before
    FROM placed
)

SELECT
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
