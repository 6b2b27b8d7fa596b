"""The embedded local stack: what runs, in which order, how its health is known."""
