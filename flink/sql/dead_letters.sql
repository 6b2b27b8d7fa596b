-- From messages that are no ticks, and from ticks too late for their bar (ticks_to_bars.sql), to dead letters; streaming only.
-- Reads:  market.ticks.v1
-- Writes: market.ticks.dlq.v1  one message per refused message, with its reason and bytes
-- Rerun:  repeats what it reads again: a message is known by topic, partition, offset and reason.
CREATE TEMPORARY FUNCTION base64_text AS 'stockplatform.Base64Text';

CREATE TEMPORARY VIEW refused_message AS
SELECT
    'too_late' AS reason,
    CONCAT(
        'ts_event is ', CAST(epoch_ms(kafka_ts) - ts_event AS STRING), ' ms before Kafka''s time; limit ${LATE_LIMIT_MS}'
    ) AS detail,
    payload,
    kafka_partition,
    kafka_offset,
    kafka_ts
FROM market_ticks_v1
WHERE
    reason IS NULL
    AND session_phase = 'regular'
    AND ${LATE_LIMIT_MS} > 0
    AND epoch_ms(kafka_ts) - ts_event > ${LATE_LIMIT_MS}
UNION ALL
SELECT
    reason,
    detail,
    payload,
    kafka_partition,
    kafka_offset,
    kafka_ts
FROM market_ticks_v1
WHERE reason IS NOT NULL;

INSERT INTO market_ticks_dlq_v1 (
    reason, detail, payload_base64, kafka_topic, kafka_partition, kafka_offset, ts_dead
)
SELECT
    reason,
    detail,
    base64_text(payload),
    'market.ticks.v1',
    CAST(kafka_partition AS BIGINT),
    kafka_offset,
    epoch_ms(kafka_ts)
FROM refused_message;
