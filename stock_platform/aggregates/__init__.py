"""Coarser bars and session statistics: pure functions frame to frame. Not here: reading and writing (defs, adapters)."""
