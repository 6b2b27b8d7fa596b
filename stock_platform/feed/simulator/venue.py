"""How Yahoo names an instrument's exchange, zone and kind. Not here: when it is open (calendars)."""

from typing import NamedTuple

from stock_platform.feed.simulator.shape import Hours
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.pricing import COIN


class Venue(NamedTuple):
    """An exchange in Yahoo's words.

    Args:
        name: meta.exchangeName and quote.exchange.
        zone: IANA name; sessions and daily bars are dated by it.
    """

    name: str
    full_name: str
    zone: str
    has_extended_hours: bool = False


_CONTINUOUS = Venue("CCC", "CCC", "UTC")
_VENUES = {
    "24/7": _CONTINUOUS,
    "24/5": Venue("CCY", "CCY", "Europe/London"),
    "XNYS": Venue("NYQ", "NYSE", "America/New_York", has_extended_hours=True),
    "XNAS": Venue("NMS", "NasdaqGS", "America/New_York", has_extended_hours=True),
    "CMES": Venue("CME", "CME", "America/Chicago"),
    "XTSE": Venue("TOR", "Toronto", "America/Toronto"),
    "BVMF": Venue("SAO", "São Paulo", "America/Sao_Paulo"),
    "XLON": Venue("LSE", "LSE", "Europe/London"),
    "XETR": Venue("GER", "XETRA", "Europe/Berlin"),
    "XPAR": Venue("PAR", "Paris", "Europe/Paris"),
    "XOSL": Venue("OSL", "Oslo", "Europe/Oslo"),
    "XTKS": Venue("JPX", "Tokyo", "Asia/Tokyo"),
    "XHKG": Venue("HKG", "HKSE", "Asia/Hong_Kong"),
    "XASX": Venue("ASX", "ASX", "Australia/Sydney"),
}
_KIND_BY_SECTOR = {"Cryptocurrency": "CRYPTOCURRENCY", "Index Fund": "ETF"}
_KIND_BY_SUFFIX = {"=X": "CURRENCY", "=F": "FUTURE"}
_QUOTE_TYPES = {"EQUITY": 8, "ETF": 20, "CRYPTOCURRENCY": COIN, "CURRENCY": 14, "FUTURE": 18, "INDEX": 9}
"""PricingData.quote_type: 8, 14 and 41 as in captured frames, the others as public clients of the stream list them."""


def venue_of(instrument: Instrument, hours: Hours) -> Venue:
    """Its exchange; one that is always open has sessions of UTC days, so its zone is UTC."""
    venue = _VENUES.get(instrument.calendar, Venue("SIM", "Simulated", "UTC"))
    return venue._replace(zone="UTC", has_extended_hours=False) if hours == "always" else venue


def kind_of(instrument: Instrument) -> str:
    """EQUITY, ETF, CRYPTOCURRENCY …"""
    if instrument.symbol.startswith("^"):
        return "INDEX"
    return _KIND_BY_SUFFIX.get(instrument.symbol[-2:]) or _KIND_BY_SECTOR.get(instrument.sector, "EQUITY")


def quote_type_of(instrument: Instrument) -> int:
    """The kind's number in the stream."""
    return _QUOTE_TYPES[kind_of(instrument)]
