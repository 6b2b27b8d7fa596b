"""The verbs `stock-platform restate` and `protect`. Not here: what they do (restate)."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.commands.asked import gate_database, require_session
from stock_platform.sentences import sentences

_DataDir = Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")]
_Session = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Trading day, e.g. 2013-10-07.")]


def restate(
    session: _Session,
    symbols: Annotated[str, typer.Option(help="Only these, e.g. AIG,SPY; all of the session without it.")] = "",
    tape: Annotated[Path | None, typer.Option(help="Parquet of trades to take instead of what Kafka or the archive has.")] = None,
    from_vendor: Annotated[bool, typer.Option("--from-vendor", help="Take the vendor's bars, even where there are ticks.")] = False,
    compare_only: Annotated[bool, typer.Option("--compare-only", help="Only show what would differ.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Compute a session's bars anew from its ticks, promote what differs, and show it; each bar keeps its revisions.

    The ticks come from Kafka, else from the session's archive; where neither has them, the vendor's bars stand in."""
    from stock_platform.commands.restate import Order, compared, promoted

    if from_vendor and tape:
        raise typer.BadParameter("say either --tape or --from-vendor")
    act = compared if compare_only else promoted
    with sentences():
        settings = config.load(data_dir=data_dir)
        order = Order(session.date(), symbols, tape=str(tape.resolve()) if tape else "", from_vendor=from_vendor)
        for line in act(settings, SystemClock(), order):
            typer.echo(line)


def protect(
    session: _Session,
    reason: Annotated[str, typer.Option(help="Why nobody may restate it.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="Give it free again.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Protect a session from restatement, or give it free."""
    from stock_platform.commands.restate import protected

    if bool(reason) is lift:
        raise typer.BadParameter("say either why (--reason), or --lift")
    with sentences():
        settings = config.load(data_dir=data_dir)
        if not lift:
            with gate_database(settings) as connection:
                require_session(connection, session.date())
        typer.echo(protected(settings, SystemClock(), session.date(), reason=None if lift else reason))
