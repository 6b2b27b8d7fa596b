-- How the stream job is: its newest checkpoint, how far it is behind, what it was restored from.
ALTER TABLE ops.flink_job
ADD COLUMN ts_checkpoint timestamptz,
ADD COLUMN checkpoint_ms bigint,
ADD COLUMN lag_count bigint,
ADD COLUMN parallelism bigint,
ADD COLUMN restored_from text,
ADD COLUMN plan text,
ADD COLUMN last_error text;

-- Versions of bars that were refused although they hold ticks that the staged bar may lack. Only the trigger below writes here.
CREATE TABLE staging.torn_bar (
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    tick_count bigint NOT NULL,
    tick_count_refused bigint NOT NULL,
    kafka_offset_first bigint NOT NULL,
    kafka_offset_first_refused bigint NOT NULL,
    flink_job_id text NOT NULL,
    ts_refused timestamptz NOT NULL,
    PRIMARY KEY (symbol, ts_start)
);
GRANT SELECT ON staging.torn_bar TO gate_owner;

-- Write down a refused version, or forget it once a version came that lacks nothing. It runs as its owner, so that the writer
-- of bars needs no right to the ledger.
CREATE FUNCTION staging.note_torn_bar(kept staging.bar_1m, offered staging.bar_1m, is_torn boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT is_torn THEN
        DELETE FROM staging.torn_bar WHERE symbol = kept.symbol AND ts_start = kept.ts_start;
        RETURN;
    END IF;
    INSERT INTO staging.torn_bar (
        symbol, ts_start, tick_count, tick_count_refused, kafka_offset_first, kafka_offset_first_refused, flink_job_id, ts_refused
    )
    VALUES (
        kept.symbol, kept.ts_start, kept.tick_count, offered.tick_count, kept.kafka_offset_first, offered.kafka_offset_first,
        offered.flink_job_id, clock_timestamp()
    )
    ON CONFLICT (symbol, ts_start) DO UPDATE SET
        tick_count = excluded.tick_count,
        tick_count_refused = excluded.tick_count_refused,
        kafka_offset_first = excluded.kafka_offset_first,
        kafka_offset_first_refused = excluded.kafka_offset_first_refused,
        flink_job_id = excluded.flink_job_id,
        ts_refused = excluded.ts_refused;
END
$$;
REVOKE ALL ON FUNCTION staging.note_torn_bar FROM public;
GRANT EXECUTE ON FUNCTION staging.note_torn_bar TO flink_writer;

-- A right bar only ever grows: ticks are added to it and none is taken away. So its number of ticks never falls, and its lowest
-- partition and offset, which are minima over all its ticks, never rise; by that a version is known whose job had lost the bar's
-- first ticks, however many later ones it has. The row stays then, and what it could not take is written down.
-- A version that has the first tick and fewer of them all comes from a job that reads the topic again: it will catch up. One
-- without any newer offset holds nothing that the row lacks. Neither is written down.
-- Partitions that grow in number do no harm: minima over the old and the new partition fall or stay. A topic that was made anew
-- beside an old table does: its offsets begin at 0, so a bar that lost its first ticks may have the lower first offset, and is
-- then taken if it has no fewer ticks.
-- A row that says nothing new leaves no trace, so that a replay does not look like a correction.
CREATE OR REPLACE FUNCTION staging.keep_larger_bar() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
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
