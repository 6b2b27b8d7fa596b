"""Bars multiplied by the factors of reference.adjustment_factor while they are read, by the rule of market.bar_1m_adjusted.

Pure: SQL around SQL. The adjusted views have 1-minute and daily bars; here every interval is treated alike, provisional bars too.
Not here: which bars are read (postgres_bars), how factors are computed (the database's own views)."""

from stock_platform.api.shapes import Basis

_ADJUSTED = """
WITH known AS MATERIALIZED (
    SELECT DISTINCT ex_date, split_ratio, split_factor, dividend_factor
    FROM reference.adjustment_factor
    WHERE symbol = %(symbol)s
),

bar AS (
    {bars}
),

factored AS (
    SELECT bar.*, coalesce(next.split_ratio, 1) AS split_ratio,
        CASE WHEN next.ex_date IS NULL THEN 1 ELSE {factor} END AS factor
    FROM bar
    LEFT JOIN LATERAL (
        SELECT ex_date, split_ratio, split_factor, dividend_factor
        FROM known
        WHERE known.ex_date > bar.session_date
        ORDER BY known.ex_date
        LIMIT 1
    ) AS next ON TRUE
)

SELECT ts_start, ts_end, session_date,
    (open * factor)::numeric(18, 6) AS open,
    (high * factor)::numeric(18, 6) AS high,
    (low * factor)::numeric(18, 6) AS low,
    (close * factor)::numeric(18, 6) AS close,
    (volume * split_ratio)::bigint AS volume,
    (vwap * factor)::numeric(18, 6) AS vwap,
    tick_count, is_certified, verdict, revision
FROM factored
WHERE factor IS NOT NULL
"""
"""The next ex-date after a bar's session has the product of all factors that apply to it. Rounded once."""

_FACTORS = {
    Basis.SPLIT: "next.split_factor",
    Basis.TOTAL_RETURN: "next.split_factor * next.dividend_factor",
}


def adjusted(bars: str, basis: Basis) -> str:
    """The query of bars with its prices and volumes on another basis; in no order.

    Bars before a payment that has no factor have no total return: they are left out.

    Args:
        bars: A query of one symbol's bars, with the columns of the API's shape, as they were traded.
    """
    return _ADJUSTED.format(bars=bars, factor=_FACTORS[basis]) if basis in _FACTORS else bars
