-- Daily bars of the vendor where a session has none of ours, so that a new platform's daily chart has a past. Each in the shares of
-- its own day, as ours are: the vendor's are in those of the day on which it told them (ADR 0015). What a rule holds is left out.

-- One row per symbol and session.
CREATE VIEW market.bar_1d_vendor AS
SELECT DISTINCT ON (bar.symbol, bar.session_date)
    bar.symbol,
    coalesce(session.ts_open, bar.ts_start) AS ts_start,
    coalesce(session.ts_close, bar.ts_start + interval '1 day') AS ts_end,
    bar.session_date,
    (bar.open * share.factor)::numeric(18, 6) AS open,
    (bar.high * share.factor)::numeric(18, 6) AS high,
    (bar.low * share.factor)::numeric(18, 6) AS low,
    (bar.close * share.factor)::numeric(18, 6) AS close,
    (bar.volume / share.factor)::bigint AS volume,
    bar.source,
    bar.ts_recv
FROM staging.vendor_bar_1d AS bar
INNER JOIN reference.instrument AS instrument ON instrument.symbol = bar.symbol AND instrument.currency = bar.currency
LEFT JOIN reference.session AS session
    ON session.calendar = instrument.calendar AND session.session_date = bar.session_date
LEFT JOIN reference.adjustment_span AS own
    ON
        own.symbol = bar.symbol
        AND bar.session_date >= own.session_date_from
        AND bar.session_date < own.session_date_until
LEFT JOIN reference.adjustment_span AS told
    ON
        told.symbol = bar.symbol
        AND (bar.ts_recv AT TIME ZONE 'UTC')::date >= told.session_date_from
        AND (bar.ts_recv AT TIME ZONE 'UTC')::date < told.session_date_until
CROSS JOIN
    LATERAL (
        SELECT (coalesce(own.split_ratio, 1) / coalesce(told.split_ratio, 1))::numeric(38, 18) AS factor
    ) AS share
WHERE
    bar.rules IS NULL
    AND NOT EXISTS (
        SELECT FROM aggregates.bar_1d AS ours
        WHERE ours.symbol = bar.symbol AND ours.session_date = bar.session_date
    )
ORDER BY bar.symbol, bar.session_date, bar.ts_start;

GRANT SELECT ON market.bar_1d_vendor TO gate_owner, api_reader, grafana_reader;
