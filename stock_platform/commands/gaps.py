"""The verb `stock-platform gaps`: what is missing, and why, as a table. Not here: how it is found (repair/look)."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from stock_platform import config
from stock_platform.commands.asked import gate_database, require_watched
from stock_platform.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stock_platform.market.gaps.rows import Row


def gaps(
    session: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this trading day.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    every_state: Annotated[bool, typer.Option("--all", help="Also those that are repaired.")] = False,
    limit: Annotated[int, typer.Option(help="So many of the newest.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")] = None,
) -> None:
    """Session minutes without a certified bar, newest first: class, state, and what shows it."""
    from stock_platform.market.gaps.ledger import Wanted, read_newest

    symbol = symbol.upper() if symbol else None
    wanted = Wanted(session.date() if session else None, symbol, with_repaired=every_state)
    with sentences(), gate_database(config.load(data_dir=data_dir)) as connection:
        rows = read_newest(connection, wanted, limit=limit)
        if symbol and not rows:
            require_watched(connection, symbol)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, default=datetime.isoformat))
    else:
        _print(rows)


def _print(rows: "Sequence[Row]") -> None:
    if not rows:
        typer.echo("no minute is missing")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("symbol", "from", "minutes", "class", "state", "evidence"):
        table.add_column(name, overflow="fold", no_wrap=name != "evidence")
    for row in rows:
        told = row.evidence if row.closed_reason is None else f"{row.evidence} ({row.closed_reason})"
        start = f"{row.ts_start:%Y-%m-%dT%H:%MZ}"
        table.add_row(row.symbol, start, str(row.minute_count), row.gap_class, row.state, told)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 240).print(table)
