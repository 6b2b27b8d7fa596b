"""Corporate actions as the feed asks for them: splits by symbol, read from reference.corporate_action.

Not here: how they get there (defs/vendor.py), what a split does to a price (splits)."""

from collections.abc import Sequence

from stock_platform.adapters.postgres import Connection
from stock_platform.feed.splits import Split, Splits

_SPLITS = """
SELECT symbol, ex_date, ratio
FROM reference.corporate_action
WHERE kind = 'split' AND symbol = ANY(%s)
ORDER BY symbol, ex_date
"""


def load_splits(connection: Connection, symbols: Sequence[str]) -> Splits:
    """Splits that are known of these symbols, each symbol's by ex-date; a symbol without any is absent."""
    found: dict[str, list[Split]] = {}
    for symbol, ex_date, ratio in connection.execute(_SPLITS, (list(symbols),)).fetchall():
        found.setdefault(symbol, []).append(Split(ex_date, ratio))
    return found
