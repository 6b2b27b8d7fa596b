"""Vendor to Kafka: the ways of getting ticks, their validation, and one publisher. Not here: bars."""
