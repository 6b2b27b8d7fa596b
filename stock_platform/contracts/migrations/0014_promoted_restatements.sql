-- Restatements that are promoted: staging takes the restated bars over, and what that changed in market is written down.
ALTER TABLE staging.bar_1m ADD COLUMN restatement_id bigint;
ALTER TABLE ops.restatement ADD COLUMN dagster_run_id text;

-- One row per certified bar that a restatement added, removed or changed.
CREATE TABLE quality.restatement (
    restatement_id bigint NOT NULL,
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    session_date date NOT NULL,
    change text NOT NULL CHECK (change IN ('added', 'removed', 'changed')),
    bar_before jsonb,
    bar_after jsonb,
    dagster_run_id text NOT NULL,
    ts_accepted timestamptz NOT NULL,
    PRIMARY KEY (restatement_id, symbol, ts_start)
);
CREATE INDEX restatement_by_session ON quality.restatement (session_date);
GRANT SELECT, INSERT ON quality.restatement TO gate_owner;
GRANT SELECT ON quality.restatement TO api_reader, grafana_reader;

-- Sessions that nobody may restate until the row is gone.
CREATE TABLE ops.protected_session (
    session_date date PRIMARY KEY,
    reason text NOT NULL CHECK (reason <> ''),
    ts_updated timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.protected_session TO gate_owner;
GRANT SELECT ON ops.protected_session TO api_reader, grafana_reader;

-- Replace a session's staged bars by those of its restatement, where they say something else; returns their keys. Bars that close
-- after `closed_until`, later by the delay of an exchange that the vendor brings late, are the stream's alone: the restatement may
-- have been made before their last tick came. So is a bar that has changed since the restatement began to read; where the two
-- differ, it is noted in staging.torn_bar, and another restatement decides.
-- It runs as its owner: the gate may take over what was restated, and change nothing else in staging.
CREATE FUNCTION staging.take_over_restated(of_restatement bigint, closed_until timestamptz)
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
        AND torn.ts_start < session.ts_close;

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
        coalesce(before.ts_landed > asked.ts_started, FALSE) AS is_newer
    FROM before
    FULL JOIN after USING (symbol, ts_start)
    LEFT JOIN reference.vendor_instrument AS vendor USING (symbol)
    WHERE
        coalesce(before.ts_end, after.ts_end) + coalesce(vendor.delay_s, 0) * interval '1 second' <= closed_until
        AND (
            before.open, before.high, before.low, before.close, before.tick_count, before.ts_first_tick, before.ts_last_tick,
            before.day_volume_first, before.day_volume_last, before.price_first, before.notional_inside, before.is_continuous
        ) IS DISTINCT FROM (
            after.open, after.high, after.low, after.close, after.tick_count, after.ts_first_tick, after.ts_last_tick,
            after.day_volume_first, after.day_volume_last, after.price_first, after.notional_inside, after.is_continuous
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
        flink_job_id, is_continuous, restatement_id
    )
    SELECT
        bar.symbol, bar.ts_start, bar.ts_end, bar.open, bar.high, bar.low, bar.close, bar.tick_count, bar.ts_first_tick,
        bar.ts_last_tick, bar.day_volume_first, bar.day_volume_last, bar.price_first, bar.notional_inside, bar.source,
        bar.kafka_partition, bar.kafka_offset_first, bar.kafka_offset_last, bar.flink_job_id, bar.is_continuous,
        bar.restatement_id
    FROM staging.bar_1m_restated AS bar
    JOIN differing ON differing.symbol = bar.symbol AND differing.ts_start = bar.ts_start
    WHERE bar.restatement_id = of_restatement;

    RETURN QUERY SELECT differing.symbol, differing.ts_start, differing.is_removed FROM differing;
    DROP TABLE differing;
END
$$;
REVOKE ALL ON FUNCTION staging.take_over_restated FROM public;
GRANT EXECUTE ON FUNCTION staging.take_over_restated TO gate_owner;

-- As before, and: a restated bar is the restatement's. The stream may still hold the ticks that made the bar wrong, so its
-- versions are not taken; one with newer ticks is written down, and check no_torn_bar asks for another restatement. A bar restated
-- from a tape has no place in Kafka: there a person has chosen other ticks than the stream's.
CREATE OR REPLACE FUNCTION staging.keep_larger_bar() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.restatement_id IS NOT NULL THEN
        IF NEW.kafka_offset_last > OLD.kafka_offset_last AND OLD.kafka_partition >= 0 THEN
            PERFORM staging.note_torn_bar(OLD, NEW, TRUE);
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.kafka_offset_first > OLD.kafka_offset_first OR NEW.kafka_partition > OLD.kafka_partition THEN
        IF NEW.kafka_offset_last > OLD.kafka_offset_last OR NEW.kafka_partition > OLD.kafka_partition THEN
            PERFORM staging.note_torn_bar(OLD, NEW, TRUE);
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.tick_count < OLD.tick_count THEN
        RETURN NULL;
    END IF;
    IF NEW.flink_job_id <> OLD.flink_job_id THEN
        PERFORM staging.note_torn_bar(OLD, NEW, FALSE);
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

-- A restatement of many symbols keeps other promotions waiting while its bars are judged and written.
ALTER ROLE gate_owner SET lock_timeout = '120s';
