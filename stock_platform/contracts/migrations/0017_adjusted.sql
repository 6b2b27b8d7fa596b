-- sqlfluff:rules:capitalisation.types:extended_capitalisation_policy:lower
-- Bars adjusted for splits and payments, as views beside the raw bars, which never change.
-- Reads reference.corporate_action, aggregates.bar_1d, market.bar_1m. Nothing is stored: an action that comes late, or is mended,
-- changes what the views show and nothing else. Every known action counts; the vendor tells one from its ex-date on.
CREATE INDEX bar_1d_by_symbol ON aggregates.bar_1d (symbol, session_date);

-- Product of the values that are not null, exact; of none it is 1.
-- noqa: disable=all
CREATE AGGREGATE reference.product (numeric) (
    SFUNC = numeric_mul,
    STYPE = numeric,
    INITCOND = '1'
);
-- noqa: enable=all

-- One row per corporate action: what a price before its ex-date is multiplied by, on account of this action and of all from it on.
-- A split of r new shares an old one: 1 / r. A payment: 1 - payment / last certified close before the ex-date.
-- Source: Center for Research in Security Prices (CRSP), whose standards Yahoo follows: help.yahoo.com, "What is the adjusted
-- close?", SLN28256. The vendor tells a payment divided by every split up to that day: it is multiplied by them here, so that
-- payment and close are of the same shares. Payments of one day come off the close one after the other.
-- A payment without an earlier close, in another currency than the prices, below zero or not below the close has no factor but a
-- reason; bars before it have a dividend_factor of null, instead of a wrong one.
-- Factors are rounded once, half away from zero, to 18 digits; split_factor is made from the exact product of the ratios.
CREATE VIEW reference.adjustment_factor AS
WITH placed AS (
    SELECT
        action.symbol,
        action.ex_date,
        action.kind,
        action.ratio,
        action.amount,
        action.currency,
        coalesce(vendor.currency, instrument.currency, action.currency) AS currency_of_prices,
        earlier.session_date AS session_date_before,
        earlier.close AS close_before,
        action.amount * told.ratio AS payment
    FROM reference.corporate_action AS action
    LEFT JOIN reference.instrument AS instrument ON instrument.symbol = action.symbol
    LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = action.symbol
    LEFT JOIN LATERAL (
        SELECT
            bar.session_date,
            bar.close
        FROM aggregates.bar_1d AS bar
        WHERE bar.symbol = action.symbol AND bar.session_date < action.ex_date
        ORDER BY bar.session_date DESC
        LIMIT 1
    ) AS earlier ON action.kind <> 'split'
    LEFT JOIN LATERAL (
        SELECT reference.product(split.ratio) AS ratio
        FROM reference.corporate_action AS split
        WHERE
            split.symbol = action.symbol
            AND split.ex_date > earlier.session_date
            AND split.ex_date <= (action.ts_recv AT TIME ZONE 'UTC')::date
    ) AS told ON TRUE
),

reduced AS (
    SELECT
        placed.*,
        placed.close_before - coalesce(
            sum(placed.payment) OVER (
                PARTITION BY placed.symbol, placed.ex_date
                ORDER BY placed.kind
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0
        ) AS close_left
    FROM placed
),

judged AS (
    SELECT
        reduced.*,
        CASE
            WHEN reduced.kind = 'split' THEN NULL
            WHEN reduced.close_before IS NULL THEN 'no_close_before'
            WHEN reduced.currency <> reduced.currency_of_prices THEN 'other_currency'
            WHEN reduced.payment < 0 OR reduced.payment >= reduced.close_left THEN 'implausible_amount'
        END AS reason
    FROM reduced
),

factored AS (
    SELECT
        judged.*,
        CASE
            WHEN judged.kind = 'split' THEN 1::numeric(40, 24) / judged.ratio
            WHEN judged.reason IS NULL THEN 1 - judged.payment::numeric(40, 24) / judged.close_left
        END::numeric(38, 18) AS factor
    FROM judged
)

SELECT
    symbol,
    ex_date,
    kind,
    ratio,
    amount,
    session_date_before,
    close_before,
    factor,
    reason,
    (reference.product(ratio) OVER from_here_on)::numeric(38, 18) AS split_ratio,
    (1::numeric(40, 24) / reference.product(ratio) OVER from_here_on)::numeric(38, 18) AS split_factor,
    CASE
        WHEN bool_and(reason IS NULL) OVER from_here_on
            THEN reference.product(factor) FILTER (WHERE kind <> 'split') OVER from_here_on
    END::numeric(38, 18) AS dividend_factor
FROM factored
WINDOW from_here_on AS (PARTITION BY symbol ORDER BY ex_date DESC);

-- One row per symbol and stretch of sessions [session_date_from, session_date_until) with the same factors; sessions from the last
-- ex-date on have none.
CREATE VIEW reference.adjustment_span AS
WITH step AS (
    SELECT DISTINCT
        symbol,
        ex_date,
        split_ratio,
        split_factor,
        dividend_factor
    FROM reference.adjustment_factor
)

SELECT
    symbol,
    lag(ex_date, 1, '-infinity'::date) OVER (PARTITION BY symbol ORDER BY ex_date) AS session_date_from,
    ex_date AS session_date_until,
    split_ratio,
    split_factor,
    dividend_factor
FROM step;

-- One row per symbol and minute: market.bar_1m with its prices and volume adjusted. Prices are rounded once, half away from zero,
-- to six digits, volumes to whole ones.
CREATE VIEW market.bar_1m_adjusted AS
WITH factored AS (
    SELECT
        bar.*,
        coalesce(span.split_ratio, 1) AS split_ratio,
        coalesce(span.split_factor, 1)::numeric(38, 18) AS split_factor,
        CASE WHEN span.symbol IS NULL THEN 1 ELSE span.dividend_factor END::numeric(38, 18) AS dividend_factor
    FROM market.bar_1m AS bar
    LEFT JOIN reference.adjustment_span AS span
        ON
            span.symbol = bar.symbol
            AND bar.session_date >= span.session_date_from
            AND bar.session_date < span.session_date_until
)

SELECT
    symbol,
    ts_start,
    ts_end,
    session_date,
    close,
    (open * split_factor)::numeric(18, 6) AS open_split_adjusted,
    (high * split_factor)::numeric(18, 6) AS high_split_adjusted,
    (low * split_factor)::numeric(18, 6) AS low_split_adjusted,
    (close * split_factor)::numeric(18, 6) AS close_split_adjusted,
    (vwap * split_factor)::numeric(18, 6) AS vwap_split_adjusted,
    (volume * split_ratio)::bigint AS volume_split_adjusted,
    (open * split_factor * dividend_factor)::numeric(18, 6) AS open_total_return_adjusted,
    (high * split_factor * dividend_factor)::numeric(18, 6) AS high_total_return_adjusted,
    (low * split_factor * dividend_factor)::numeric(18, 6) AS low_total_return_adjusted,
    (close * split_factor * dividend_factor)::numeric(18, 6) AS close_total_return_adjusted,
    split_factor,
    dividend_factor,
    tick_count,
    source,
    revision,
    verdict,
    dagster_run_id,
    ts_accepted
FROM factored;

-- One row per symbol and session: aggregates.bar_1d with its prices and volume adjusted, by the same rule.
CREATE VIEW aggregates.bar_1d_adjusted AS
WITH factored AS (
    SELECT
        bar.*,
        coalesce(span.split_ratio, 1) AS split_ratio,
        coalesce(span.split_factor, 1)::numeric(38, 18) AS split_factor,
        CASE WHEN span.symbol IS NULL THEN 1 ELSE span.dividend_factor END::numeric(38, 18) AS dividend_factor
    FROM aggregates.bar_1d AS bar
    LEFT JOIN reference.adjustment_span AS span
        ON
            span.symbol = bar.symbol
            AND bar.session_date >= span.session_date_from
            AND bar.session_date < span.session_date_until
)

SELECT
    symbol,
    ts_start,
    ts_end,
    session_date,
    close,
    (open * split_factor)::numeric(18, 6) AS open_split_adjusted,
    (high * split_factor)::numeric(18, 6) AS high_split_adjusted,
    (low * split_factor)::numeric(18, 6) AS low_split_adjusted,
    (close * split_factor)::numeric(18, 6) AS close_split_adjusted,
    (vwap * split_factor)::numeric(18, 6) AS vwap_split_adjusted,
    (volume * split_ratio)::bigint AS volume_split_adjusted,
    (open * split_factor * dividend_factor)::numeric(18, 6) AS open_total_return_adjusted,
    (high * split_factor * dividend_factor)::numeric(18, 6) AS high_total_return_adjusted,
    (low * split_factor * dividend_factor)::numeric(18, 6) AS low_total_return_adjusted,
    (close * split_factor * dividend_factor)::numeric(18, 6) AS close_total_return_adjusted,
    split_factor,
    dividend_factor,
    tick_count,
    bar_count,
    dagster_run_id,
    ts_updated
FROM factored;

GRANT SELECT ON reference.adjustment_factor, market.bar_1m_adjusted, aggregates.bar_1d_adjusted
TO gate_owner, api_reader, grafana_reader;
