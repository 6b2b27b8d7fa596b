-- Kafka to 1-minute bars in Postgres as Flink's tutorials write it: a JSON table, a watermark of 5 seconds, a TUMBLE window.
-- Reads:  market.ticks.v1, what it holds now, so that the last windows close too.
-- Writes: ${TABLE}  one row per symbol and minute, once, when its window closes.
SET 'parallelism.default' = '${PARALLELISM}';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'table.exec.sink.require-on-conflict' = 'false';
SET 'execution.checkpointing.checkpoints-after-tasks-finish.enabled' = 'false';

CREATE TABLE tick (
    symbol STRING,
    price DECIMAL(18, 6),
    size BIGINT,
    day_volume BIGINT,
    ts_event BIGINT,
    ts AS TO_TIMESTAMP_LTZ(ts_event, 3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
    'connector' = 'kafka',
    'topic' = 'market.ticks.v1',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}',
    'properties.group.id' = 'flink_naive',
    'scan.startup.mode' = 'earliest-offset',
    'scan.bounded.mode' = 'latest-offset',
    'format' = 'json'
);

CREATE TABLE bar (
    symbol STRING,
    ts_start TIMESTAMP(3),
    `open` DECIMAL(18, 6),
    high DECIMAL(18, 6),
    low DECIMAL(18, 6),
    `close` DECIMAL(18, 6),
    volume BIGINT,
    tick_count BIGINT,
    PRIMARY KEY (symbol, ts_start) NOT ENFORCED
) WITH (
    'connector' = 'jdbc',
    'url' = '${POSTGRES_URL}',
    'table-name' = '${TABLE}',
    'username' = '${POSTGRES_USER}',
    'password' = '${POSTGRES_PASSWORD}'
);

INSERT INTO bar
SELECT
    symbol,
    window_start,
    FIRST_VALUE(price),
    MAX(price),
    MIN(price),
    LAST_VALUE(price),
    SUM(size),
    COUNT(*)
FROM TABLE(TUMBLE(TABLE tick, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY symbol, window_start, window_end;
