"""All contracts, in the order of the data's way."""

from stock_platform.contracts import adjusted, aggregate, bar, gap, reference, restatement, slo, tick, vendor

TOPICS = (tick.TICK, tick.DEAD_LETTER, tick.QUOTE_UPDATE)
TABLES = (
    reference.INSTRUMENT,
    reference.SESSION,
    vendor.VENDOR_INSTRUMENT,
    vendor.CORPORATE_ACTION,
    bar.STAGED_BAR,
    bar.TORN_BAR,
    restatement.RESTATED_BAR,
    vendor.VENDOR_BAR_1M,
    vendor.VENDOR_BAR_1D,
    tick.QUOTE,
    bar.BAR,
    bar.BAR_REVISION,
    bar.QUARANTINE,
    bar.QUARANTINE_DECISION,
    bar.CHECK_RESULT,
    restatement.RESTATED_DIFFERENCE,
    vendor.VENDOR_DIFFERENCE,
    bar.GATE_RUN,
    gap.GAP,
    bar.BAR_5M,
    bar.BAR_15M,
    bar.BAR_1H,
    bar.BAR_1D,
    bar.SESSION_STAT,
    aggregate.LIQUIDITY_30M,
    aggregate.INDICATOR_1D,
    aggregate.MOVER,
    aggregate.SECTOR_BREADTH,
    aggregate.VOLATILITY_20D,
    aggregate.CORRELATION_60D,
    reference.FEED_LINE,
    reference.FEED_GAP,
    reference.FLINK_JOB,
    reference.ALERT,
    restatement.RESTATEMENT,
    restatement.PROTECTED_SESSION,
    slo.SLO_SESSION,
    slo.LATENCY_MINUTE,
)
VIEWS = (adjusted.ADJUSTMENT_FACTOR, adjusted.BAR_1M_ADJUSTED, adjusted.BAR_1D_ADJUSTED, slo.ERROR_BUDGET)
"""Views that readers are promised; those between two hops are no contract."""
