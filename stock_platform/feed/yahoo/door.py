"""The door to Yahoo's HTTP interface that a profile opens. yfinance behind it costs 100 MB and a second: loaded here, late."""

from datetime import timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.vendor_budget import vendor_budget
from stock_platform.adapters.vendor_door import Door
from stock_platform.config import Settings


def open_door(settings: Settings, clock: Clock) -> Door:
    """The door of a profile, with the machine's budget."""
    from stock_platform.adapters.yahoo_http import YahooHttp  # noqa: PLC0415 - see above

    return YahooHttp(vendor_budget(settings, clock), clock, within=timedelta(seconds=settings.vendor_timeout_s))
