"""Aggregates of certified bars: pure functions frame to frame. Not here: reading and writing (defs, adapters)."""
