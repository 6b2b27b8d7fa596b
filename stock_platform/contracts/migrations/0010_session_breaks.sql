-- Sessions with their extended hours and their lunch break; a bar inside the break is outside the session.
ALTER TABLE reference.session
ADD COLUMN ts_pre timestamptz,
ADD COLUMN ts_post_end timestamptz,
ADD COLUMN ts_break_start timestamptz,
ADD COLUMN ts_break_end timestamptz,
ADD COLUMN is_assumed boolean NOT NULL DEFAULT FALSE;

-- The next start of the stack loads every session anew, with its true extended hours.
UPDATE reference.session SET ts_pre = ts_open, ts_post_end = ts_close;

ALTER TABLE reference.session
ALTER COLUMN ts_pre SET NOT NULL,
ALTER COLUMN ts_post_end SET NOT NULL,
ALTER COLUMN is_assumed DROP DEFAULT,
ADD CHECK (ts_pre <= ts_open AND ts_close <= ts_post_end),
ADD CHECK ((ts_break_start IS NULL) = (ts_break_end IS NULL)),
ADD CHECK (ts_open < ts_break_start AND ts_break_start < ts_break_end AND ts_break_end < ts_close);

-- As before, but for the break. Volume and VWAP are closed at the bar's boundary: volume = last cumulative volume - highest one
-- of the session's earlier bars (0 before the first). Where ticks may be missing before the bar, only the volume inside is known.
CREATE OR REPLACE VIEW staging.bar_1m_sized AS
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
            AND (session.ts_break_start IS NULL OR bar.ts_start < session.ts_break_start OR bar.ts_start >= session.ts_break_end)
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
            AND (session.ts_break_start IS NULL OR bar.ts_start < session.ts_break_start OR bar.ts_start >= session.ts_break_end)
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
