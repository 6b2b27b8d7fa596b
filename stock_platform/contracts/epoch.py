"""The instant from which records count milliseconds and minutes; also that before which nothing happened."""

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
