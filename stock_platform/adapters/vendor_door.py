"""What the feed asks of a vendor's HTTP interface, whoever it is: one question, one answer as it came.

Not here: Yahoo's cookie, crumb and TLS (yahoo_http)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What came back, whatever it is.

    Args:
        url: As asked, without the crumb.
        ts: When it had come.
    """

    url: str
    status: int
    body: bytes
    ts: datetime


class Door(Protocol):
    """GET from a vendor, under the machine's budget; one answer at a time."""

    @property
    def request_count(self) -> int:
        """HTTP requests sent through this door, whatever they were for."""
        ...

    def get(self, url: str, params: Mapping[str, str]) -> Answer:
        """Ask once. Nothing is remembered, so a failure does not stick.

        Returns:
            Any answer but a refusal for too many requests.
        Raises:
            VendorBlocked, VendorBudgetSpent: it may not be asked now.
            VendorUnreachable: no answer in time.
        """
        ...
