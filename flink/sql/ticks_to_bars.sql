-- From messages to good ticks, and from these to bars. The same text runs in streaming and in batch.
-- Reads:  market.ticks.v1, through the format `tick`, which makes one row of any message
-- Writes: staging.bar_1m  one row per symbol and minute with a regular-session tick
-- Rerun:  the table comes out the same, bit for bit: keys, and aggregates that do not depend on order.
CREATE TEMPORARY FUNCTION bar_agg AS 'stockplatform.BarAgg';
CREATE TEMPORARY FUNCTION epoch_ms AS 'stockplatform.EpochMs';
CREATE TEMPORARY FUNCTION job_id AS 'stockplatform.JobId';

CREATE TEMPORARY VIEW good_tick AS
SELECT
    symbol,
    price,
    day_volume,
    ts_event,
    ts_recv,
    session_phase,
    currency,
    previous_close,
    source,
    is_continuous,
    kafka_partition,
    kafka_offset,
    kafka_ts
FROM market_ticks_v1
WHERE reason IS NULL;

-- A tick is too late for its bar by the record alone, Kafka's time against the event's: every reader judges alike. A limit of 0
-- is none. The last price of an hour ago is too late for a bar, and a quote all the same.
CREATE TEMPORARY VIEW built_bar AS
SELECT
    symbol,
    ts_start,
    bar_agg(price, day_volume, ts_event, is_continuous, source, kafka_partition, kafka_offset) AS bar
FROM (
    SELECT
        symbol,
        CAST(TO_TIMESTAMP_LTZ(ts_event - MOD(ts_event, 60000), 3) AS TIMESTAMP(3)) AS ts_start,
        price,
        day_volume,
        ts_event,
        is_continuous,
        source,
        CAST(kafka_partition AS BIGINT) AS kafka_partition,
        kafka_offset
    FROM good_tick
    WHERE session_phase = 'regular' AND (${LATE_LIMIT_MS} = 0 OR epoch_ms(kafka_ts) - ts_event <= ${LATE_LIMIT_MS})
) AS tick
GROUP BY symbol, ts_start;

INSERT INTO staging_bar_1m (
    symbol, ts_start, ts_end, `open`, high, low, `close`, tick_count, ts_first_tick, ts_last_tick, day_volume_first,
    day_volume_last, price_first, notional_inside, source, kafka_partition, kafka_offset_first, kafka_offset_last,
    flink_job_id, is_continuous
)
SELECT
    symbol,
    ts_start,
    ts_start + INTERVAL '1' MINUTE,
    bar.`open`,
    bar.high,
    bar.low,
    bar.`close`,
    bar.tick_count,
    bar.ts_first_tick,
    bar.ts_last_tick,
    bar.day_volume_first,
    bar.day_volume_last,
    bar.price_first,
    bar.notional_inside,
    bar.source,
    bar.kafka_partition,
    bar.kafka_offset_first,
    bar.kafka_offset_last,
    job_id(),
    bar.is_continuous
FROM built_bar;
