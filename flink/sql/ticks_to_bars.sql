-- From ticks to bars: the functions, the good ticks, and the bars. The same text runs in streaming and in batch.
-- Reads:  market.ticks.v1
-- Writes: staging.bar_1m  one row per symbol and minute with a regular-session tick
-- Rerun:  the table comes out the same, bit for bit: keys, and aggregates that do not depend on order.
CREATE TEMPORARY FUNCTION parse_tick AS 'stockplatform.ParseTick';
CREATE TEMPORARY FUNCTION bar_agg AS 'stockplatform.BarAgg';
CREATE TEMPORARY FUNCTION quote_agg AS 'stockplatform.QuoteAgg';
CREATE TEMPORARY FUNCTION percent_change AS 'stockplatform.ChangePct';
CREATE TEMPORARY FUNCTION job_id AS 'stockplatform.JobId';

CREATE TEMPORARY VIEW parsed_message AS
SELECT
    tick.*,
    message.kafka_partition,
    message.kafka_offset
FROM market_ticks_v1 AS message,
    LATERAL TABLE(parse_tick(message.payload, message.kafka_ts, ${LATE_LIMIT_MS})) AS tick;

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
    CAST(TO_TIMESTAMP_LTZ(ts_event - MOD(ts_event, 60000), 3) AS TIMESTAMP(3)) AS ts_start,
    CAST(kafka_partition AS BIGINT) AS kafka_partition,
    kafka_offset
FROM parsed_message
WHERE reason IS NULL;

CREATE TEMPORARY VIEW built_bar AS
SELECT
    symbol,
    ts_start,
    bar_agg(price, day_volume, ts_event, is_continuous, source, kafka_partition, kafka_offset) AS bar
FROM good_tick
WHERE session_phase = 'regular'
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
