"""Staging to market: rules, judgement, promotion, quarantine. Not here: how bars are computed (flink/sql)."""
