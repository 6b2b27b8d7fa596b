"""Columns of the service level, each with its formula: they belong to those of `columns`."""

from stock_platform.contracts.record import Column, Type

_LATENCY = "the time from a bar's end to its first acceptance, over the bars that came live"

OF_SLO = (
    Column(
        "session_minute_count",
        Type.QUANTITY,
        "Minutes of the session that are closed, since the symbol is watched: those of the gap ledger.",
        "count",
    ),
    Column(
        "excused_minute_count",
        Type.QUANTITY,
        "Of them, those without a bar of which the gap ledger says closed, halt or no_trade: there was nothing to have.",
        "count",
    ),
    Column("good_minute_count", Type.QUANTITY, "Of them, those with a bar in market.bar_1m, repaired ones too.", "count"),
    Column("good_ratio", Type.RATIO, "good / (session - excused) minutes, 0 to 1; null where none counts."),
    *(
        Column(f"latency_p{share}_s", Type.RATIO, f"{share}th percentile of the time from a {_LATENCY}.", "s")
        for share in (50, 95, 99)
    ),
    Column("ts_minute", Type.INSTANT, "Start of the minute."),
    Column("hop", Type.TEXT, "Which stretch of the way."),
    *(
        Column(f"p{share}_ms", Type.RATIO, f"{share}th percentile, of the value at or above that share.", "ms")
        for share in (50, 95, 99)
    ),
    Column("max_ms", Type.RATIO, "The longest.", "ms"),
    Column("objective_ratio", Type.RATIO, "Share of counted minutes that must be good: 0.999."),
    Column("counted_minute_count", Type.QUANTITY, "Sum of session - excused minutes, of the session.", "count"),
    Column("spent_minute_count", Type.QUANTITY, "Counted minutes that are not good, of the session.", "count"),
    Column(
        "burn_rate",
        Type.RATIO,
        "spent / ((1 - objective) x counted), of the session: at 1 it spends just what it earns, at 30 a month's budget in a day.",
        "times",
    ),
    Column("session_30_count", Type.QUANTITY, "Sessions in the window: at most 30.", "count"),
    Column("counted_30_minute_count", Type.QUANTITY, "Counted minutes of the window.", "count"),
    Column("spent_30_minute_count", Type.QUANTITY, "Spent minutes of the window.", "count"),
    Column("budget_30_minutes", Type.RATIO, "(1 - objective) x counted minutes of the window.", "minutes"),
    Column("budget_left_ratio", Type.RATIO, "1 - spent / budget of the window; below 0 the objective is missed."),
)
