"""The HTTP API over accepted and provisional data. Read-only."""
