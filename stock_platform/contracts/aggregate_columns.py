"""Columns of the aggregates, each with its formula and window: they belong to those of `columns`.

A window counts sessions, the newest one included. Closes, highs, lows and volumes of earlier sessions are in the shares of the
session that the row is of: splits between them are taken out, payments are not."""

from stock_platform.contracts.record import Column, Type

OF_AGGREGATES = (
    Column(
        "volume_ratio_20",
        Type.RATIO,
        "volume / mean volume of the 20 sessions before; null where fewer than 5 of them have one. 1 is usual.",
        "times",
    ),
    # liquidity
    Column("volume_share_ratio", Type.RATIO, "volume / the session's volume so far, 0 to 1."),
    Column("notional", Type.MONEY, "Sum of vwap x volume over the 1-minute bars, exact; null if no volume is known.", "currency"),
    Column("mean_range_bps", Type.RATIO, "Mean over the 1-minute bars of (high - low) / open x 10,000.", "bps"),
    Column(
        "amihud_pct",
        Type.RATIO,
        "|last close / first open - 1| / notional, after Amihud (2002); null where nothing was traded.",
        "percent per million of the currency",
    ),
    # indicators
    Column("session_count", Type.QUANTITY, "Sessions that the row was computed from: of at most 400 days.", "count"),
    *(
        Column(f"sma_{length}", Type.RATIO, f"Mean of the newest {length} closes; null where there are fewer.", "currency")
        for length in (20, 50, 200)
    ),
    *(
        Column(
            f"ema_{length}",
            Type.RATIO,
            f"Exponential mean of closes, weight of the newest 2 / {length + 1}, begun with the mean of the first {length}.",
            "currency",
        )
        for length in (12, 26)
    ),
    Column(
        "rsi_14",
        Type.RATIO,
        "100 x G / (G + L), 0 to 100: G and L are Wilder's means (weight 1/14, begun with the plain mean of 14) of rises and falls "
        "of the close. Null below 15 closes, and where none moved.",
    ),
    Column("macd", Type.RATIO, "ema_12 - ema_26; null below 26 closes.", "currency"),
    Column("macd_signal", Type.RATIO, "Exponential mean of macd over 9, as ema_12; null below 34 closes.", "currency"),
    Column("macd_histogram", Type.RATIO, "macd - macd_signal.", "currency"),
    Column("bollinger_upper", Type.RATIO, "bollinger_middle + 2 standard deviations (population's) of 20 closes.", "currency"),
    Column("bollinger_middle", Type.RATIO, "sma_20.", "currency"),
    Column("bollinger_lower", Type.RATIO, "bollinger_middle - 2 standard deviations.", "currency"),
    Column(
        "atr_14",
        Type.RATIO,
        "Wilder's mean (as in rsi_14) of true ranges: max(high, close before) - min(low, close before), of the first session "
        "high - low. Null below 14 sessions.",
        "currency",
    ),
    # movers and breadth
    Column("direction", Type.TEXT, "Which end of the list: the highest changes or the lowest."),
    Column("rank", Type.QUANTITY, "Place in the list, 1 for the largest change."),
    Column("symbol_count", Type.QUANTITY, "Symbols with a certified bar of the session.", "count"),
    Column("advancing_count", Type.QUANTITY, "Symbols whose close is above their previous one.", "count"),
    Column("declining_count", Type.QUANTITY, "Symbols whose close is below their previous one.", "count"),
    Column("unchanged_count", Type.QUANTITY, "Symbols whose close is their previous one.", "count"),
    Column("above_sma_50_ratio", Type.RATIO, "Share whose close is above its SMA 50, of those that have one; null where none has."),
    Column("mean_change_pct", Type.RATIO, "Plain mean of close / previous close - 1.", "percent"),
    # volatility and correlation
    Column(
        "volatility_pct",
        Type.RATIO,
        "Sample standard deviation of the newest 20 daily log returns x root of sessions_per_year; null below 10 returns.",
        "percent a year",
    ),
    Column(
        "parkinson_volatility_pct",
        Type.RATIO,
        "Root of (mean of ln(high / low)² over the newest 20 sessions / (4 ln 2) x sessions_per_year), after Parkinson (1980); "
        "null below 10 sessions.",
        "percent a year",
    ),
    Column("observation_count", Type.QUANTITY, "Daily log returns that it was computed from.", "count"),
    Column("sessions_per_year", Type.QUANTITY, "252; 365 where the market never closes.", "count"),
    Column("other_symbol", Type.TEXT, "The pair's second symbol, later in the alphabet."),
    Column(
        "correlation",
        Type.RATIO,
        "Pearson's, of the pair's newest 60 daily log returns, each between sessions that both have; -1 to 1. Null below 20 of "
        "them, and where one of the two did not move.",
    ),
)
