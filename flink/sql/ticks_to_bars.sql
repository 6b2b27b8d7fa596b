-- ticks_to_bars: the one streaming job. Tables are in ddl.sql, functions in flink/functions.
-- Reads:  market.ticks.v1, from the newest checkpoint, else from its beginning.
-- Writes: staging.bar_1m       one row per symbol and minute with a regular-session tick
--         market.quote         one row per symbol
--         market.quotes.v1     one message per good tick, in arrival order
--         market.ticks.dlq.v1  one message per refused message, with its reason and bytes
-- Rerun:  the two tables come out the same, bit for bit (keys, order-independent aggregates); the two topics may repeat
--         their newest messages.
-- Offsets are committed to Kafka (group ticks_to_bars) when a checkpoint completes. Before that the mini-batches are
-- emitted and the JDBC sinks flush (GenericJdbcSinkFunction.snapshotState → JdbcOutputFormat.flush), so a committed
-- offset means: what came before it is in Postgres.
-- In batch the same INSERTs run; only the first three settings differ (batch, false, 0).
SET 'execution.runtime-mode' = 'streaming';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.state.ttl' = '${STATE_TTL}';
SET 'table.exec.mini-batch.allow-latency' = '200 ms';
SET 'table.exec.mini-batch.size' = '5000';
SET 'table.local-time-zone' = 'UTC';
SET 'pipeline.generic-types' = 'false';

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

CREATE TEMPORARY VIEW newest_tick AS
SELECT
    symbol,
    quote_agg(price, previous_close, day_volume, currency, session_phase, ts_event, ts_recv, source) AS quote
FROM good_tick
GROUP BY symbol;

EXECUTE STATEMENT SET
BEGIN

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

INSERT INTO market_quote (
    symbol, price, previous_close, change_pct, day_volume, currency, session_phase, ts_event, ts_recv, source
)
SELECT
    symbol,
    quote.price,
    quote.previous_close,
    percent_change(quote.price, quote.previous_close),
    quote.day_volume,
    quote.currency,
    quote.session_phase,
    quote.ts_event,
    quote.ts_recv,
    quote.source
FROM newest_tick;

INSERT INTO market_quotes_v1 (
    symbol, price, previous_close, change_pct, day_volume, currency, session_phase, ts_event, ts_recv, source
)
SELECT
    symbol,
    CAST(price AS STRING),
    CAST(previous_close AS STRING),
    CAST(percent_change(price, previous_close) AS STRING),
    day_volume,
    currency,
    session_phase,
    ts_event,
    ts_recv,
    source
FROM good_tick;

INSERT INTO market_ticks_dlq_v1 (
    reason, detail, payload_base64, kafka_topic, kafka_partition, kafka_offset, ts_dead
)
SELECT
    reason,
    detail,
    payload_base64,
    'market.ticks.v1',
    CAST(kafka_partition AS BIGINT),
    kafka_offset,
    ts_dead
FROM parsed_message
WHERE reason IS NOT NULL;

END;
