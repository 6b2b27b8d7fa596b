-- A restatement's ticks from a session's archive, written as JSON lines by market/archived_ticks.py.
CREATE TABLE tick_in_range (
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
    `kafka_partition` INT,
    `kafka_offset` BIGINT,
    `kafka_ts` AS TO_TIMESTAMP_LTZ(ts_event, 3)
) WITH (
    'connector' = 'filesystem',
    'path' = '${ARCHIVE_LINES}',
    'format' = 'json'
);
