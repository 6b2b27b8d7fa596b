"""The gap ledger: session minutes without a certified bar, each with a class, its evidence and its end."""
