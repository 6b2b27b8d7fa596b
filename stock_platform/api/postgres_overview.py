"""The market at a glance, from Postgres: movers and breadth of one session, and the quotes of all symbols."""

from stock_platform.api.overview_shapes import MarketOverview, Mover, SectorBreadth, SymbolChange
from stock_platform.api.postgres_reads import PostgresReads

_SESSION = """
SELECT session_date
FROM aggregates.sector_breadth
WHERE sector = 'ALL'
ORDER BY symbol_count * 2 >= (SELECT count(*) FROM reference.instrument) DESC, session_date DESC
LIMIT 1
"""
"""At night and on weekends a session of the instruments that never close has begun, which says little of the market."""

_MOVERS = """
SELECT direction, rank, symbol, previous_close, close, change_pct, volume
FROM aggregates.mover
WHERE session_date = %(session_date)s
ORDER BY rank
"""

_BREADTH = """
SELECT sector, symbol_count, advancing_count, declining_count, unchanged_count, above_sma_50_ratio, mean_change_pct, volume
FROM aggregates.sector_breadth
WHERE session_date = %(session_date)s
ORDER BY sector <> 'ALL', sector
"""

_CHANGES = """
SELECT instrument.symbol, instrument.name, instrument.sector, instrument.currency, quote.price, quote.change_pct, quote.day_volume,
    quote.ts_event
FROM reference.instrument AS instrument
LEFT JOIN market.quote AS quote ON quote.symbol = instrument.symbol
ORDER BY instrument.symbol
LIMIT 2000
"""


class PostgresOverview(PostgresReads):
    """Movers, breadth, heat map."""

    def overview(self) -> MarketOverview:
        """The market at a glance; movers and breadth are of one session."""
        session = next((row["session_date"] for row in self._rows(_SESSION, {})), None)
        values = {"session_date": session}
        movers = self._rows(_MOVERS, values)
        return MarketOverview(
            session_date=session,
            top=[Mover(**row) for row in movers if row["direction"] == "top"],
            bottom=[Mover(**row) for row in movers if row["direction"] == "bottom"],
            breadth=[SectorBreadth(**row) for row in self._rows(_BREADTH, values)],
            symbols=[SymbolChange(**row) for row in self._rows(_CHANGES, {})],
        )
