"""What every record looks like, described once; DDL, JSON Schema and the data dictionary are rendered from here.

Not here: how records are made or moved. This package imports nothing of the platform but errors."""
