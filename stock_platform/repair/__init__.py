"""Certified truth mended, where the stages are joined: a look for gaps, an outage repaired, a session restated or seeded.

Not here: who asks for it (commands, defs), what each stage does (feed, gate, market)."""
