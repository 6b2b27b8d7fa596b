"""Measurements of the platform: each starts what it needs, prints figures, and fails only when a table is wrong."""
