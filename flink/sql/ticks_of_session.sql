-- What ticks_to_bars.sql reads in a restatement: the ticks of one session, of the symbols asked for (none named: of all).
CREATE TEMPORARY VIEW market_ticks_v1 AS
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
    reason,
    detail,
    payload,
    kafka_partition,
    kafka_offset,
    kafka_ts
FROM tick_in_range
WHERE
    ts_event >= ${TS_EVENT_FROM_MS}
    AND ts_event < ${TS_EVENT_UNTIL_MS}
    AND ('${SYMBOLS}' = '' OR LOCATE(CONCAT(' ', symbol, ' '), '${SYMBOLS}') > 0);
