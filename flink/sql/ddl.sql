-- Rendered from stock_platform/contracts by `stock-platform render`; do not edit.
-- Names are the addresses with underscores. ${...} is filled at submission. Columns that the database fills are left out.

-- market.ticks.v1: one message per last-sale update of a symbol and line; key = symbol.
CREATE TABLE market_ticks_v1 (
    `symbol` STRING,
    `price` DECIMAL(18, 6),
    `day_volume` BIGINT,
    `ts_event` BIGINT,
    `ts_recv` BIGINT,
    `session_phase` STRING,
    `currency` STRING,
    `previous_close` DECIMAL(18, 6),
    `source` STRING,
    `is_continuous` BOOLEAN,
    `reason` STRING,
    `detail` STRING,
    `payload` BYTES,
    `kafka_partition` INT METADATA FROM 'partition' VIRTUAL,
    `kafka_offset` BIGINT METADATA FROM 'offset' VIRTUAL,
    `kafka_ts` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = 'market.ticks.v1',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}',
    'properties.group.id' = 'ticks_to_bars',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '60 s',
    'format' = 'tick'
);

-- staging.bar_1m: one row per symbol and minute with at least one regular-session tick.
CREATE TABLE staging_bar_1m (
    `symbol` STRING,
    `ts_start` TIMESTAMP(3),
    `ts_end` TIMESTAMP(3),
    `open` DECIMAL(18, 6),
    `high` DECIMAL(18, 6),
    `low` DECIMAL(18, 6),
    `close` DECIMAL(18, 6),
    `tick_count` BIGINT,
    `ts_first_tick` TIMESTAMP(3),
    `ts_last_tick` TIMESTAMP(3),
    `day_volume_first` BIGINT,
    `day_volume_last` BIGINT,
    `price_first` DECIMAL(18, 6),
    `notional_inside` DECIMAL(38, 6),
    `source` STRING,
    `kafka_partition` BIGINT,
    `kafka_offset_first` BIGINT,
    `kafka_offset_last` BIGINT,
    `flink_job_id` STRING,
    `is_continuous` BOOLEAN,
    PRIMARY KEY (symbol, ts_start) NOT ENFORCED
) WITH (
    'connector' = 'jdbc',
    'url' = '${POSTGRES_URL}',
    'table-name' = 'staging.bar_1m',
    'username' = '${POSTGRES_USER}',
    'password' = '${POSTGRES_PASSWORD}',
    'sink.buffer-flush.interval' = '100 ms',
    'sink.buffer-flush.max-rows' = '2000',
    'sink.max-retries' = '5'
);

-- market.quote: one row per symbol.
CREATE TABLE market_quote (
    `symbol` STRING,
    `price` DECIMAL(18, 6),
    `previous_close` DECIMAL(18, 6),
    `change_pct` DECIMAL(18, 6),
    `day_volume` BIGINT,
    `currency` STRING,
    `session_phase` STRING,
    `ts_event` TIMESTAMP(3),
    `ts_recv` TIMESTAMP(3),
    `source` STRING,
    PRIMARY KEY (symbol) NOT ENFORCED
) WITH (
    'connector' = 'jdbc',
    'url' = '${POSTGRES_URL}',
    'table-name' = 'market.quote',
    'username' = '${POSTGRES_USER}',
    'password' = '${POSTGRES_PASSWORD}',
    'sink.buffer-flush.interval' = '100 ms',
    'sink.buffer-flush.max-rows' = '2000',
    'sink.max-retries' = '5'
);

-- market.quotes.v1: one message per accepted tick; key = symbol; compacted.
CREATE TABLE market_quotes_v1 (
    `symbol` STRING,
    `message` BYTES
) WITH (
    'connector' = 'kafka',
    'topic' = 'market.quotes.v1',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}',
    'key.format' = 'raw',
    'key.fields' = 'symbol',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY',
    'sink.delivery-guarantee' = 'at-least-once',
    'properties.linger.ms' = '5',
    'properties.batch.size' = '131072',
    'properties.compression.type' = 'lz4'
);

-- market.ticks.dlq.v1: one message per refused message; a restart may repeat the newest ones.
CREATE TABLE market_ticks_dlq_v1 (
    `reason` STRING,
    `detail` STRING,
    `payload_base64` STRING,
    `kafka_topic` STRING,
    `kafka_partition` BIGINT,
    `kafka_offset` BIGINT,
    `ts_dead` BIGINT
) WITH (
    'connector' = 'kafka',
    'topic' = 'market.ticks.dlq.v1',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}',
    'format' = 'json',
    'sink.delivery-guarantee' = 'at-least-once',
    'properties.max.request.size' = '2097152'
);
