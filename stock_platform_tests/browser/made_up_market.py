"""Instruments and bars that never were: the same symbol and minute always give the same bar, so two answers agree.

Not here: quotes that move with the clock and everything else that the API asks of a store (lively_store)."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from stock_platform.api.overview_shapes import MarketOverview, Mover, SectorBreadth, SymbolChange
from stock_platform.api.shapes import Bar, Interval, Stock

MINUTE = timedelta(minutes=1)
PROVISIONAL = 2
KEPT = 500
OPEN_MINUTES = 150
"""Of the newest session; the one before ended 17.5 hours before it began, as in New York."""
CLOSED = timedelta(hours=17, minutes=30)
CENT = Decimal("0.01")
VERDICTS = {5: "suspect", 9: "restated", 14: "vendor"}
UNHEARD = {28, 29, 30, 58, 59, 60}
"""Minutes back without a bar: an outage that is open and a silence."""
LENGTHS = {
    Interval.ONE_MINUTE: MINUTE,
    Interval.FIVE_MINUTES: 5 * MINUTE,
    Interval.FIFTEEN_MINUTES: 15 * MINUTE,
    Interval.ONE_HOUR: 60 * MINUTE,
    Interval.ONE_DAY: timedelta(days=1),
}


@dataclass(frozen=True)
class Instrument:
    """What is made up of one instrument; `base` is the price that its bars stay near, USD."""

    name: str
    sector: str
    base: Decimal


INSTRUMENTS = {
    "AAPL": Instrument("Apple Inc.", "Technology", Decimal("231.40")),
    "AMZN": Instrument("Amazon.com, Inc.", "Consumer Cyclical", Decimal("219.10")),
    "BA": Instrument("The Boeing Company", "Industrials", Decimal("187.75")),
    "BTC-USD": Instrument("Bitcoin USD", "Cryptocurrency", Decimal("97654.10")),
    "CAT": Instrument("Caterpillar Inc.", "Industrials", Decimal("402.90")),
    "CVX": Instrument("Chevron Corporation", "Energy", Decimal("158.30")),
    "ETH-USD": Instrument("Ethereum USD", "Cryptocurrency", Decimal("3380.45")),
    "GOOGL": Instrument("Alphabet Inc.", "Communication Services", Decimal("176.20")),
    "JNJ": Instrument("Johnson & Johnson", "Healthcare", Decimal("152.60")),
    "JPM": Instrument("JPMorgan Chase & Co.", "Financial Services", Decimal("244.80")),
    "KO": Instrument("The Coca-Cola Company", "Consumer Defensive", Decimal("63.15")),
    "LIN": Instrument("Linde plc", "Basic Materials", Decimal("451.35")),
    "META": Instrument("Meta Platforms, Inc.", "Communication Services", Decimal("563.90")),
    "MSFT": Instrument("Microsoft Corporation", "Technology", Decimal("417.20")),
    "NEE": Instrument("NextEra Energy, Inc.", "Utilities", Decimal("76.55")),
    "NVDA": Instrument("NVIDIA Corporation", "Technology", Decimal("141.95")),
    "PG": Instrument("The Procter & Gamble Company", "Consumer Defensive", Decimal("171.05")),
    "PLD": Instrument("Prologis, Inc.", "Real Estate", Decimal("114.70")),
    "QQQ": Instrument("Invesco QQQ Trust", "ETF", Decimal("503.20")),
    "SPY": Instrument("SPDR S&P 500 ETF Trust", "ETF", Decimal("595.50")),
    "TSLA": Instrument("Tesla, Inc.", "Consumer Cyclical", Decimal("338.60")),
    "UNH": Instrument("UnitedHealth Group Incorporated", "Healthcare", Decimal("601.10")),
    "XOM": Instrument("Exxon Mobil Corporation", "Energy", Decimal("119.85")),
}


def is_always_open(symbol: str) -> bool:
    """Whether it trades day and night."""
    return symbol.endswith("-USD")


def price_at(symbol: str, instant: datetime) -> Decimal:
    """The price of an instant, on a smooth way with a little noise by the minute."""
    minute = int(instant.timestamp()) // 60
    phase = zlib.crc32(symbol.encode()) % 628 / 100
    wave = 0.006 * math.sin(minute / 190 + phase) + 0.0018 * math.sin(minute / 23 + 2 * phase) + 0.0006 * _noise(symbol, minute)
    return (INSTRUMENTS[symbol].base * Decimal(1 + wave)).quantize(CENT)


def made_up_bars(symbol: str, interval: Interval, newest: datetime, *, count: int = KEPT) -> list[Bar]:
    """The last bars that end with the one that holds `newest`, newest first."""
    if interval is Interval.ONE_MINUTE:
        return [_bar(symbol, start, MINUTE, back) for back, start in _minutes(symbol, newest, count) if back not in UNHEARD]
    length = LENGTHS[interval]
    start = newest - timedelta(seconds=newest.timestamp() % length.total_seconds())
    return [_bar(symbol, start - back * length, length, KEPT + back) for back in range(KEPT // 2)]


def made_up_overview(stocks: list[Stock], session: date) -> MarketOverview:
    """Movers, breadth and changes of the stocks' quotes."""
    changes = [_change(stock) for stock in stocks]
    order = sorted(changes, key=lambda each: each.change_pct or Decimal(0), reverse=True)
    sectors = ["ALL", *sorted({each.sector for each in changes})]
    return MarketOverview(
        session_date=session,
        top=[_mover(rank, each) for rank, each in enumerate(order[:10], 1)],
        bottom=[_mover(rank, each) for rank, each in enumerate(order[::-1][:10], 1)],
        breadth=[_breadth(sector, [each for each in changes if sector in ("ALL", each.sector)]) for sector in sectors],
        symbols=changes,
    )


def _change(stock: Stock) -> SymbolChange:
    quote = stock.quote
    return SymbolChange(
        symbol=stock.symbol,
        name=stock.name,
        sector=stock.sector,
        currency=stock.currency,
        price=quote and quote.price,
        change_pct=quote and quote.change_pct,
        day_volume=quote and quote.day_volume,
        ts_event=quote and quote.ts_event,
    )


def _mover(rank: int, change: SymbolChange) -> Mover:
    return Mover(
        rank=rank,
        symbol=change.symbol,
        previous_close=INSTRUMENTS[change.symbol].base,
        close=change.price or Decimal(0),
        change_pct=change.change_pct or Decimal(0),
        volume=change.day_volume,
    )


def _breadth(sector: str, changes: list[SymbolChange]) -> SectorBreadth:
    moves = [float(each.change_pct or 0) for each in changes]
    return SectorBreadth(
        sector=sector,
        symbol_count=len(moves),
        advancing_count=sum(move > 0 for move in moves),
        declining_count=sum(move < 0 for move in moves),
        unchanged_count=sum(move == 0 for move in moves),
        above_sma_50_ratio=0.5 + 0.4 * _noise(sector, 50),
        mean_change_pct=sum(moves) / len(moves),
        volume=sum(each.day_volume or 0 for each in changes),
    )


def _minutes(symbol: str, newest: datetime, count: int) -> Iterator[tuple[int, datetime]]:
    for back in range(count):
        is_earlier = back >= OPEN_MINUTES and not is_always_open(symbol)
        yield back, newest - back * MINUTE - (CLOSED if is_earlier else timedelta())


def _bar(symbol: str, start: datetime, length: timedelta, back: int) -> Bar:
    first, last = price_at(symbol, start - MINUTE), price_at(symbol, start + length - MINUTE)
    minute = int(start.timestamp()) // 60
    reach = first * Decimal("0.0004") * Decimal(1 + abs(_noise(symbol, minute + 7)))
    is_certified = back >= PROVISIONAL
    return Bar(
        ts_start=start,
        ts_end=start + length,
        session_date=start.date(),
        open=first,
        high=(max(first, last) + reach).quantize(CENT),
        low=(min(first, last) - reach).quantize(CENT),
        close=last,
        volume=int((60_000 + 40_000 * _noise(symbol, minute + 3)) * length / MINUTE),
        vwap=(first + last) / 2,
        tick_count=int(120 + 60 * _noise(symbol, minute + 5)),
        is_certified=is_certified,
        verdict=VERDICTS.get(back, "passed") if is_certified else None,
        revision=(2 if VERDICTS.get(back) in {"restated", "vendor"} else 1) if is_certified else None,
    )


def _noise(symbol: str, minute: int) -> float:
    """Between -1 and 1, the same for the same minute. The multiplication breaks the likeness of neighbours' checksums."""
    mixed = zlib.crc32(f"{symbol} {minute}".encode()) * 2654435761 % 2**32
    return (mixed ^ mixed >> 15) / 2**31 - 1
