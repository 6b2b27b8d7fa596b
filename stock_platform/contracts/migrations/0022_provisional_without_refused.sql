-- Bars that Flink has computed and the gate has not judged in their present form: one row per symbol and minute. As before, but a
-- bar that was refused as it is staged is no provisional one, whether it waits for a reviewer or was discarded; a newer version is.
-- Reads staging.bar_1m_sized, market.bar_1m, quality.quarantine.
CREATE OR REPLACE VIEW market.bar_1m_provisional AS
SELECT
    sized.symbol,
    sized.ts_start,
    sized.ts_end,
    sized.open,
    sized.high,
    sized.low,
    sized.close,
    sized.volume,
    sized.vwap,
    sized.tick_count,
    sized.ts_first_tick,
    sized.ts_last_tick,
    sized.source,
    sized.kafka_partition,
    sized.kafka_offset_first,
    sized.kafka_offset_last,
    sized.flink_job_id,
    sized.is_continuous,
    sized.session_date,
    sized.is_in_session,
    sized.ts_landed
FROM staging.bar_1m_sized AS sized
WHERE
    sized.is_in_session
    AND NOT EXISTS (
        SELECT FROM market.bar_1m AS bar
        WHERE bar.symbol = sized.symbol AND bar.ts_start = sized.ts_start
    )
    AND NOT EXISTS (
        SELECT FROM quality.quarantine AS refused
        WHERE
            refused.symbol = sized.symbol
            AND refused.ts_start = sized.ts_start
            AND (
                refused.open, refused.high, refused.low, refused.close, refused.volume, refused.vwap, refused.tick_count,
                refused.ts_first_tick, refused.ts_last_tick, refused.is_continuous
            ) IS NOT DISTINCT FROM (
                sized.open, sized.high, sized.low, sized.close, sized.volume, sized.vwap, sized.tick_count,
                sized.ts_first_tick, sized.ts_last_tick, sized.is_continuous
            )
    );
