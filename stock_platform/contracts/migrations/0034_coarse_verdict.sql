-- A coarse bar says how far it can be trusted: the worst that the gate said of its minutes. Written with the bar by the aggregates
-- (defs/aggregate.py). Null in bars from before: a backfill of their sessions gives it; the newest sessions are made once more.
ALTER TABLE aggregates.bar_5m ADD COLUMN verdict text CHECK (verdict IN ('passed', 'suspect', 'restated', 'vendor'));
ALTER TABLE aggregates.bar_15m ADD COLUMN verdict text CHECK (verdict IN ('passed', 'suspect', 'restated', 'vendor'));
ALTER TABLE aggregates.bar_1h ADD COLUMN verdict text CHECK (verdict IN ('passed', 'suspect', 'restated', 'vendor'));
ALTER TABLE aggregates.bar_1d ADD COLUMN verdict text CHECK (verdict IN ('passed', 'suspect', 'restated', 'vendor'));

WITH newest AS (
    SELECT max(session_date) AS session_date FROM market.bar_1m
)

INSERT INTO ops.touched_bar (session_date, symbol, ts_start, is_removed)
SELECT
    bar.session_date,
    bar.symbol,
    bar.ts_start,
    FALSE AS is_removed
FROM market.bar_1m AS bar
CROSS JOIN newest
WHERE bar.session_date >= newest.session_date - 1;
