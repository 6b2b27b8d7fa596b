"""The verb `stock-platform history`: the vendor's bars as a table or Parquet. Not here: how they are asked for (feed/yahoo)."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.commands.asked import require_order
from stock_platform.sentences import console, sentences

if TYPE_CHECKING:
    from polars import DataFrame


def history(
    symbol: str,
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC, included.")],
    interval: Annotated[Literal["1m", "1d"], typer.Option(help="Length of the bars.")] = "1d",
    out: Annotated[Path | None, typer.Option(help="Write Parquet instead of a table.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")] = None,
) -> None:
    """Bars as the vendor has them, under the machine's budget of requests."""
    from stock_platform.feed.yahoo.command import history_frame

    require_order(start, end)
    with sentences():
        settings = config.load(data_dir=data_dir)
        config.lead_to_vendor(settings)
        frame = history_frame(settings, SystemClock(), symbol, interval, first=start.date(), last=end.date())
    if out:
        frame.write_parquet(out)
        console.print(f"  {out!s:<20} {frame.height} bars written")
    else:
        _print(frame)


def _print(frame: "DataFrame") -> None:
    table = Table(*frame.columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*("-" if value is None else str(value) for value in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 240).print(table)
