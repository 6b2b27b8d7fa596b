"""How long something that failed is waited with, spread so that what failed together does not come back together. Pure.

Not here: how often it failed, and what a first pause is (feed_supervisor, stream_job)."""

from datetime import timedelta
from hashlib import blake2b

_SPREAD = 0.25
"""Each way. Lines that one fault has cut off are a handful: half of the pause parts them by seconds, and keeps its length."""


def spread(pause: timedelta, name: str, *, failures: int) -> timedelta:
    """The pause, up to a quarter shorter or longer: the same for the same name and count, at each look and in each process.

    Args:
        failures: In a row, so that two names that are close after one failure are not after the next.
    """
    digest = blake2b(f"{name} {failures}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    return pause * (1 - _SPREAD + 2 * _SPREAD * share)
