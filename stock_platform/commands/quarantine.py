"""The verbs `stock-platform quarantine …`: words and tables. Not here: what they show (gate/refused) and do (defs/review)."""

import json
import os
import pwd
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from stock_platform import config
from stock_platform.commands.asked import gate_database, require_watched
from stock_platform.sentences import sentences

if TYPE_CHECKING:
    from stock_platform.gate.refused import Listed, RefusedBar, Sheet

_WITHIN = timedelta(minutes=10)
"""The run may wait for a gate run, which may take five; then it needs a quarter of a minute."""
_TAG = "stock_platform/bar"
"""Run tag: which bar it is about."""
_MINUTES = ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"]

app = typer.Typer(no_args_is_help=True, help="Bars that the gate refused: look at them, release or discard them.")
_DataDir = Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")]
_Symbol = Annotated[str, typer.Argument(help="As `list` shows it.")]
_Start = Annotated[datetime, typer.Argument(metavar="TS", formats=_MINUTES, help="Start of the bar, UTC, e.g. 2026-11-20T14:30Z.")]
_Reason = Annotated[str, typer.Option(help="Why: kept in the audit row.")]


@app.command("list")
def list_bars(
    session: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this trading day.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only bars that broke this rule.")] = None,
    state: Annotated[Literal["open", "discarded", "any"], typer.Option(help="Waiting for a decision, or discarded.")] = "open",
    limit: Annotated[int, typer.Option(help="So many of the newest.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """What the gate refused last, newest first."""
    from stock_platform.contracts.bar import QuarantineState
    from stock_platform.gate.refused import Wanted, listed

    day, kept = session.date() if session else None, None if state == "any" else QuarantineState(state)
    symbol = symbol.upper() if symbol else None
    wanted = Wanted(day, symbol, rule, kept)
    with sentences(), gate_database(config.load(data_dir=data_dir)) as connection:
        found = listed(connection, wanted, limit=limit)
        if symbol and not found.bars:
            require_watched(connection, symbol)
    if as_json:
        typer.echo(json.dumps({"bars": [_document(bar) for bar in found.bars], "count": found.count}, indent=2))
    else:
        _print_list(found)


@app.command()
def show(symbol: _Symbol, ts: _Start, data_dir: _DataDir = None) -> None:
    """Everything about one bar: its columns, the rules that it broke, what was decided of it, what to do."""
    from stock_platform.gate.refused import sheet_of

    with sentences(), gate_database(config.load(data_dir=data_dir)) as connection:
        sheet = sheet_of(connection, symbol.upper(), ts.replace(tzinfo=UTC))
    _print_sheet(sheet)


@app.command()
def release(
    symbol: _Symbol,
    ts: _Start,
    reason: _Reason,
    override: Annotated[bool, typer.Option("--override", help="Even if it still breaks a rule; it is marked suspect.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Judge a bar again as it is staged now, and promote it if it passes. Exits with 1 if it is refused."""
    with sentences():
        _decide(config.load(data_dir=data_dir), symbol.upper(), ts, decision="release", reason=reason, override=override)


@app.command()
def discard(symbol: _Symbol, ts: _Start, reason: _Reason, data_dir: _DataDir = None) -> None:
    """Keep a bar out for good; only a newer version of it is judged again."""
    with sentences():
        _decide(config.load(data_dir=data_dir), symbol.upper(), ts, decision="discard", reason=reason, override=False)


@app.command()
def overrule(
    session: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Trading day that is held.")],
    reason: _Reason,
    data_dir: _DataDir = None,
) -> None:
    """Let a blocked batch through: bars that pass are certified, those that break a rule wait in quarantine, the hold ends."""
    from stock_platform.defs.certify import GATE, JOB, overruling
    from stock_platform.errors.quarantine import SessionNotHeld
    from stock_platform.gate.hold import hold_of

    if not reason.strip():
        raise typer.BadParameter("some words, which ops.alert keeps for good", param_hint="--reason")
    with sentences():
        settings, day = config.load(data_dir=data_dir), session.date()
        with gate_database(settings) as connection:
            if hold_of(connection, day) is None:
                raise SessionNotHeld(day)
        told = f"{_os_user()}: {reason}"
        _run(settings, JOB, overruling(told), {"dagster/partition": day.isoformat(), GATE: "1"})
        typer.echo(f"done       session {day} is held no more: {told}")


def _decide(settings: config.Settings, symbol: str, ts: datetime, *, decision: str, reason: str, override: bool) -> None:
    """Have the decision carried out by a run, and say how it ended."""
    from stock_platform.gate.refused import last_decision, refused_bar

    ts_start = ts.replace(tzinfo=UTC)
    with gate_database(settings) as connection:
        refused_bar(connection, symbol, ts_start)
    _carry_out(
        settings, symbol=symbol, ts_start=ts_start, decision=decision, reason=reason, decided_by=_os_user(), override=override
    )
    with gate_database(settings) as connection:
        typer.echo(f"done       {symbol} {_minute(ts_start)}: {last_decision(connection, symbol, ts_start)}")


def _carry_out(settings: config.Settings, **review: Any) -> None:
    from stock_platform.defs.review import JOB, run_config

    _run(settings, JOB, run_config(**review), {_TAG: f"{review['symbol']} {_minute(review['ts_start'])}"})


def _run(settings: config.Settings, job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Ask the running Dagster for the run and wait for its end."""
    from stock_platform.adapters.clock import SystemClock
    from stock_platform.adapters.dagster_api import finished, launch

    address = settings.dagster_address
    run_id = launch(address, job, config=run_config, tags=tags)
    typer.echo(f"run        {address}/runs/{run_id}")
    end = finished(address, run_id, clock=SystemClock(), within=_WITHIN)
    if end.status != "SUCCESS":
        typer.echo(f"{end.status.lower():<10} {end.problem or 'its page says why'}")
        raise typer.Exit(1)


def _os_user() -> str:
    """Who runs the command, by the system's own list: a variable of the environment says nothing."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def _minute(ts: datetime) -> str:
    return f"{ts:%Y-%m-%dT%H:%MZ}"


def _document(bar: "RefusedBar") -> dict[str, Any]:
    return {name: value if isinstance(value, bool | int | None) else _text(value) for name, value in bar.values.items()}


def _text(value: Any) -> str:
    """Prices keep every digit; instants and days are ISO 8601."""
    if value is None:
        return "-"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _print_list(found: "Listed") -> None:
    if not found.bars:
        typer.echo("no such bar in quarantine")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("symbol", "bar", "refused", "state", "rules"):
        table.add_column(name, overflow="fold", no_wrap=name != "rules")
    for bar in found.bars:
        row = bar.values
        refused_at = f"{row['ts_quarantined']:%Y-%m-%d %H:%M:%S}Z"
        table.add_row(row["symbol"], _minute(row["ts_start"]), refused_at, row["state"], row["rules"].replace(",", ", "))
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 240).print(table)
    if found.count > len(found.bars):
        typer.echo(f"… and {found.count - len(found.bars)} more")


def _print_sheet(sheet: "Sheet") -> None:
    for name, value in sheet.bar.values.items():
        typer.echo(f"{name:<20} {_text(value)}")
    for name, meaning in sheet.bar.broken.items():
        typer.echo(f"{'broke':<20} {name}: {meaning}")
    for name, (refused, staged) in (sheet.changes or {}).items():
        typer.echo(f"{'changed since':<20} {name} {_text(refused)} → {_text(staged)}")
    for decided in sheet.decisions:
        typer.echo(f"{'decided':<20} {decided}")
    typer.echo(f"{'next':<20} {sheet.step}")
