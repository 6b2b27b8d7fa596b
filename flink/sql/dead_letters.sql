-- From refused messages (ticks_to_bars.sql) to dead letters; streaming only.
-- Writes: market.ticks.dlq.v1  one message per refused message, with its reason and bytes
-- Rerun:  may repeat its newest messages: one is known by topic, partition, offset and reason.
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
