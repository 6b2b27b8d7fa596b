-- Which bars a restatement takes over is found by the hours of its session. Joined with the views that size bars it took half an
-- hour for 49,000 bars while the planner believed the new restatement to have one row, and held the gate's lock all the while.

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
    WITH hours AS MATERIALIZED (
        SELECT instrument.symbol, session.ts_open, session.ts_close, session.ts_break_start, session.ts_break_end
        FROM reference.instrument AS instrument
        JOIN reference.session AS session ON session.calendar = instrument.calendar
        WHERE
            session.session_date = asked.session_date
            AND (asked.symbols IS NULL OR instrument.symbol = ANY (string_to_array(asked.symbols, ' ')))
    ),

    before AS (
        SELECT bar.*
        FROM hours
        JOIN staging.bar_1m AS bar
            ON bar.symbol = hours.symbol AND bar.ts_start >= hours.ts_open AND bar.ts_start < hours.ts_close
        WHERE hours.ts_break_start IS NULL OR bar.ts_start < hours.ts_break_start OR bar.ts_start >= hours.ts_break_end
    ),

    after AS (
        SELECT bar.*
        FROM hours
        JOIN staging.bar_1m_restated AS bar
            ON
                bar.restatement_id = of_restatement
                AND bar.symbol = hours.symbol
                AND bar.ts_start >= hours.ts_open
                AND bar.ts_start < hours.ts_close
        WHERE hours.ts_break_start IS NULL OR bar.ts_start < hours.ts_break_start OR bar.ts_start >= hours.ts_break_end
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
