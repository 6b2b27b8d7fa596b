-- As flink_naive.sql, with the repeats of a tick left out: the first by processing time passes, for as long as state lives.
-- Reads:  market.ticks.v1, what it holds now, so that the last windows close too.
-- Writes: ${TABLE}  one row per symbol and minute, once, when its window closes.
SET 'parallelism.default' = '${PARALLELISM}';
SET 'execution.runtime-mode' = 'streaming';
SET 'table.exec.state.ttl' = '1 h';
SET 'table.local-time-zone' = 'UTC';
SET 'table.exec.sink.require-on-conflict' = 'false';
SET 'execution.checkpointing.checkpoints-after-tasks-finish.enabled' = 'false';

CREATE TABLE tick (
    symbol STRING,
    price DECIMAL(18, 6),
    size BIGINT,
    day_volume BIGINT,
    ts_event BIGINT,
    ts_proc AS PROCTIME(),
    ts AS TO_TIMESTAMP_LTZ(ts_event, 3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
    'connector' = 'kafka',
    'topic' = 'market.ticks.v1',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}',
    'properties.group.id' = 'flink_distinct',
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

CREATE TEMPORARY VIEW distinct_tick AS
SELECT
    symbol,
    price,
    size,
    ts
FROM (
    SELECT
        symbol,
        price,
        size,
        ts,
        ROW_NUMBER() OVER (PARTITION BY symbol, day_volume, ts_event, price ORDER BY ts_proc ASC) AS place
    FROM tick
)
WHERE place = 1;

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
FROM TABLE(TUMBLE(TABLE distinct_tick, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY symbol, window_start, window_end;
