-- The vendor's 1-minute bars as the third source of a restatement, held by named rules where they are bad, and compared with ours.
-- A bar of the vendor has no ticks, so no place in Kafka and no Flink job; what marks it is response_path: its raw answer.
ALTER TABLE staging.vendor_bar_1m ADD COLUMN rules text;
ALTER TABLE staging.vendor_bar_1d ADD COLUMN rules text;

ALTER TABLE staging.bar_1m
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL,
ALTER COLUMN kafka_partition DROP NOT NULL,
ALTER COLUMN kafka_offset_first DROP NOT NULL,
ALTER COLUMN kafka_offset_last DROP NOT NULL,
ALTER COLUMN flink_job_id DROP NOT NULL,
ADD COLUMN volume_stated bigint,
ADD COLUMN response_path text;

ALTER TABLE staging.bar_1m_restated
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL,
ALTER COLUMN kafka_partition DROP NOT NULL,
ALTER COLUMN kafka_offset_first DROP NOT NULL,
ALTER COLUMN kafka_offset_last DROP NOT NULL,
ALTER COLUMN flink_job_id DROP NOT NULL,
ADD COLUMN volume_stated bigint,
ADD COLUMN response_path text;

ALTER TABLE market.bar_1m
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL,
ALTER COLUMN kafka_partition DROP NOT NULL,
ALTER COLUMN kafka_offset_first DROP NOT NULL,
ALTER COLUMN kafka_offset_last DROP NOT NULL,
ALTER COLUMN flink_job_id DROP NOT NULL,
ADD COLUMN response_path text,
ADD CHECK (response_path IS NOT NULL OR flink_job_id IS NOT NULL);

ALTER TABLE market.bar_1m_revision
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL,
ALTER COLUMN kafka_partition DROP NOT NULL,
ALTER COLUMN kafka_offset_first DROP NOT NULL,
ALTER COLUMN kafka_offset_last DROP NOT NULL,
ALTER COLUMN flink_job_id DROP NOT NULL,
ADD COLUMN response_path text;

ALTER TABLE quality.quarantine
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL,
ALTER COLUMN kafka_partition DROP NOT NULL,
ALTER COLUMN kafka_offset_first DROP NOT NULL,
ALTER COLUMN kafka_offset_last DROP NOT NULL,
ALTER COLUMN flink_job_id DROP NOT NULL,
ADD COLUMN response_path text;

ALTER TABLE quality.quarantine_decision
ALTER COLUMN ts_first_tick DROP NOT NULL,
ALTER COLUMN ts_last_tick DROP NOT NULL;

-- Minutes that a partial restatement does not have stay as they are: it adds and replaces, and removes nothing.
ALTER TABLE ops.restatement ADD COLUMN is_partial boolean NOT NULL DEFAULT FALSE;
GRANT INSERT ON staging.bar_1m_restated TO gate_owner;

-- As before, and: the vendor states the volume of its bar, and no VWAP. Where it stands in for a bar of ours, the row keeps our
-- cumulative volumes, so that the bars behind it are closed at the same boundary as before.
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
    CASE WHEN response_path IS NULL THEN day_volume_last - day_volume_before ELSE volume_stated END AS volume,
    CASE
        WHEN response_path IS NULL AND day_volume_last > day_volume_before
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
    ts_landed,
    response_path
FROM bounded;

-- The same rule, for each restatement by itself; a test holds the two against each other.
CREATE OR REPLACE VIEW staging.bar_1m_restated_sized AS
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
    CASE WHEN response_path IS NULL THEN day_volume_last - day_volume_before ELSE volume_stated END AS volume,
    CASE
        WHEN response_path IS NULL AND day_volume_last > day_volume_before
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
    ts_landed,
    response_path
FROM bounded;

-- Product of the splits between a session and the instant at which the vendor was asked for it: what its prices are to be
-- multiplied by, and its volumes divided by, to be in the shares of that session. An action counts from its day's pre-market on.
CREATE FUNCTION reference.ratio_since(of_symbol text, of_session date, ts_asked timestamptz) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT reference.product(action.ratio)
    FROM reference.corporate_action AS action
    LEFT JOIN reference.instrument AS instrument ON instrument.symbol = action.symbol
    LEFT JOIN reference.session AS session
        ON session.calendar = instrument.calendar AND session.session_date = action.ex_date
    WHERE
        action.symbol = of_symbol
        AND action.kind = 'split'
        AND action.ex_date > of_session
        AND ts_asked >= coalesce(session.ts_pre, action.ex_date::timestamp AT TIME ZONE 'UTC')
$$;

-- The vendor's usable 1-minute bars as they were traded. The vendor shows prices divided by every split up to the day that it was
-- asked: that is undone here. Held rows and edges, whose volume the vendor leaves out, are not here. ts_recv is when a row last
-- changed: one that stayed the same through a split had not been adjusted.
CREATE VIEW staging.vendor_bar_1m_raw AS
SELECT
    vendor.symbol,
    vendor.ts_start,
    vendor.ts_start + interval '1 minute' AS ts_end,
    (vendor.open * split.ratio)::numeric(18, 6) AS open,
    (vendor.high * split.ratio)::numeric(18, 6) AS high,
    (vendor.low * split.ratio)::numeric(18, 6) AS low,
    (vendor.close * split.ratio)::numeric(18, 6) AS close,
    round(vendor.volume / split.ratio)::bigint AS volume,
    session.session_date,
    vendor.source,
    vendor.response_path,
    vendor.ts_recv
FROM staging.vendor_bar_1m AS vendor
JOIN reference.instrument AS instrument ON instrument.symbol = vendor.symbol
JOIN reference.session AS session
    ON
        session.calendar = instrument.calendar
        AND session.ts_open > vendor.ts_start - interval '2 days'
        AND vendor.ts_start >= session.ts_open
        AND vendor.ts_start < session.ts_close
        AND (session.ts_break_start IS NULL OR vendor.ts_start < session.ts_break_start OR vendor.ts_start >= session.ts_break_end)
LEFT JOIN LATERAL (
    SELECT reference.ratio_since(vendor.symbol, session.session_date, vendor.ts_recv) AS ratio
) AS split ON TRUE
WHERE vendor.rules IS NULL AND NOT vendor.is_edge;
GRANT SELECT ON staging.vendor_bar_1m_raw TO gate_owner;

-- As before, and: a partial restatement removes nothing; a restatement from ticks does not remove the vendor's bar of a minute of
-- which it has none, for that the feed did not hear the minute is why the vendor's bar is there.
CREATE OR REPLACE FUNCTION staging.take_over_restated(of_restatement bigint, closed_until timestamptz)
RETURNS TABLE (symbol text, ts_start timestamptz, is_removed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    asked ops.restatement;
BEGIN
    -- Its bars must not be forgotten before this is over.
    SELECT * INTO STRICT asked FROM ops.restatement WHERE restatement_id = of_restatement FOR SHARE;
    IF asked.state <> 'finished' THEN
        RAISE EXCEPTION 'restatement % is %, not finished', of_restatement, asked.state;
    END IF;

    -- What was refused before the restatement read was in Kafka then, or is overruled by what it read instead.
    DELETE FROM staging.torn_bar AS torn USING reference.instrument AS instrument, reference.session AS session
    WHERE
        torn.ts_refused <= asked.ts_started
        AND torn.ts_start + interval '1 minute' + interval '1 second' * coalesce(
            (SELECT vendor.delay_s FROM reference.vendor_instrument AS vendor WHERE vendor.symbol = torn.symbol), 0
        ) <= closed_until
        AND (asked.symbols IS NULL OR torn.symbol = ANY (string_to_array(asked.symbols, ' ')))
        AND instrument.symbol = torn.symbol
        AND session.calendar = instrument.calendar
        AND session.session_date = asked.session_date
        AND torn.ts_start >= session.ts_open
        AND torn.ts_start < session.ts_close
        AND (
            NOT asked.is_partial
            OR EXISTS (
                SELECT FROM staging.bar_1m_restated AS bar
                WHERE bar.restatement_id = of_restatement AND bar.symbol = torn.symbol AND bar.ts_start = torn.ts_start
            )
        );

    CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
    WITH before AS (
        SELECT bar.*
        FROM staging.bar_1m AS bar
        JOIN staging.bar_1m_sized AS sized ON sized.symbol = bar.symbol AND sized.ts_start = bar.ts_start
        WHERE
            sized.session_date = asked.session_date
            AND sized.is_in_session
            AND (asked.symbols IS NULL OR bar.symbol = ANY (string_to_array(asked.symbols, ' ')))
    ),

    after AS (
        SELECT bar.*
        FROM staging.bar_1m_restated AS bar
        JOIN staging.bar_1m_restated_sized AS sized
            ON sized.restatement_id = bar.restatement_id AND sized.symbol = bar.symbol AND sized.ts_start = bar.ts_start
        WHERE bar.restatement_id = of_restatement AND sized.session_date = asked.session_date AND sized.is_in_session
    )

    SELECT
        symbol,
        ts_start,
        after.tick_count IS NULL AS is_removed,
        coalesce(before.response_path IS NULL AND before.ts_landed > asked.ts_started, FALSE) AS is_newer
    FROM before
    FULL JOIN after USING (symbol, ts_start)
    LEFT JOIN reference.vendor_instrument AS vendor USING (symbol)
    WHERE
        coalesce(before.ts_end, after.ts_end) + coalesce(vendor.delay_s, 0) * interval '1 second' <= closed_until
        AND (after.tick_count IS NOT NULL OR (NOT asked.is_partial AND before.response_path IS NULL))
        AND (
            before.open, before.high, before.low, before.close, before.tick_count, before.ts_first_tick, before.ts_last_tick,
            before.day_volume_first, before.day_volume_last, before.price_first, before.notional_inside, before.is_continuous,
            before.volume_stated
        ) IS DISTINCT FROM (
            after.open, after.high, after.low, after.close, after.tick_count, after.ts_first_tick, after.ts_last_tick,
            after.day_volume_first, after.day_volume_last, after.price_first, after.notional_inside, after.is_continuous,
            after.volume_stated
        );

    PERFORM staging.note_torn_bar(before, before, TRUE)
    FROM staging.bar_1m AS before
    JOIN differing ON differing.symbol = before.symbol AND differing.ts_start = before.ts_start AND differing.is_newer;
    DELETE FROM differing WHERE is_newer;

    DELETE FROM staging.bar_1m AS bar USING differing
    WHERE bar.symbol = differing.symbol AND bar.ts_start = differing.ts_start;
    INSERT INTO staging.bar_1m (
        symbol, ts_start, ts_end, open, high, low, close, tick_count, ts_first_tick, ts_last_tick, day_volume_first,
        day_volume_last, price_first, notional_inside, source, kafka_partition, kafka_offset_first, kafka_offset_last,
        flink_job_id, is_continuous, restatement_id, volume_stated, response_path
    )
    SELECT
        bar.symbol, bar.ts_start, bar.ts_end, bar.open, bar.high, bar.low, bar.close, bar.tick_count, bar.ts_first_tick,
        bar.ts_last_tick, bar.day_volume_first, bar.day_volume_last, bar.price_first, bar.notional_inside, bar.source,
        bar.kafka_partition, bar.kafka_offset_first, bar.kafka_offset_last, bar.flink_job_id, bar.is_continuous,
        bar.restatement_id, bar.volume_stated, bar.response_path
    FROM staging.bar_1m_restated AS bar
    JOIN differing ON differing.symbol = bar.symbol AND differing.ts_start = bar.ts_start
    WHERE bar.restatement_id = of_restatement;

    RETURN QUERY SELECT differing.symbol, differing.ts_start, differing.is_removed FROM differing;
    DROP TABLE differing;
END
$$;

-- Where a session's certified bars and the vendor's differ: one row per field, or per minute that only one side has.
CREATE TABLE quality.vendor_difference (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    field text NOT NULL CHECK (field IN ('open', 'high', 'low', 'close', 'volume', 'only_ours', 'only_vendor')),
    session_date date NOT NULL,
    ours numeric(18, 6),
    vendor numeric(18, 6),
    difference_bps double precision,
    ts_checked timestamptz NOT NULL,
    dagster_run_id text NOT NULL,
    PRIMARY KEY (symbol, ts_start, field)
);
CREATE INDEX vendor_difference_by_session ON quality.vendor_difference (session_date);
GRANT SELECT, INSERT, UPDATE, DELETE ON quality.vendor_difference TO gate_owner;
GRANT SELECT ON quality.vendor_difference TO api_reader, grafana_reader;
