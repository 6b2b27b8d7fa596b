"""The command `stock-platform`: thin verbs over what does the work."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.processes import Supervisor
from stock_platform.commands import restatements
from stock_platform.commands.backfill import backfill
from stock_platform.commands.dead_letters import app as dead_letters
from stock_platform.commands.gaps import gaps
from stock_platform.commands.history import history
from stock_platform.commands.one_step import step
from stock_platform.commands.passport import passport
from stock_platform.commands.quarantine import app as quarantine
from stock_platform.errors.stack import ServiceUnknown
from stock_platform.sentences import console as _console
from stock_platform.sentences import sentences as _sentences

if TYPE_CHECKING:
    from stock_platform.stack.status import ServiceStatus

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Stock platform.")
app.add_typer(dead_letters, name="dead-letters")
app.command()(restatements.restate)
app.command()(restatements.protect)
app.command()(backfill)
app.command()(passport)
app.command()(gaps)
app.command()(history)
app.command(hidden=True)(step)
app.add_typer(quarantine, name="quarantine")
_DataDir = Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")]


@app.command()
def up(
    feed: Annotated[str, typer.Option(help="auto, yahoo, simulator or tape")] = "auto",
    tape: Annotated[Path | None, typer.Option(help="Parquet of trades for --feed tape.")] = None,
    speed: Annotated[float, typer.Option(help="How many times faster than it happened a tape is played.", min=0.001)] = 1.0,
    as_live: Annotated[bool, typer.Option("--as-live", help="Shift the tape so that it begins now.")] = False,
    watchlist: Annotated[Path | None, typer.Option(help="YAML of instruments.")] = None,
    data_dir: _DataDir = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when a tape is over and all its bars are judged.")] = False,
    rebuild_bars: Annotated[bool, typer.Option("--rebuild-bars", help="Start the stream job without its state.")] = False,
) -> None:
    """Start the stack, or finish starting it; a running one is left alone."""
    from stock_platform.commands.profile import choose_feed, create_profile, running_profile
    from stock_platform.commands.startup import steps
    from stock_platform.commands.tape_end import wait_for_end
    from stock_platform.stack import launch, preflight
    from stock_platform.stack.services import services

    clock = SystemClock()
    with _sentences():
        preflight.check_installation()
        settings = running_profile(feed, data_dir=data_dir)
        if settings is None:
            kind, said = choose_feed(feed, config.load(data_dir=data_dir).feed_yahoo_url)
            _console.print(said, soft_wrap=True)
            settings = create_profile(kind, data_dir=data_dir, tape=tape, speed=speed, as_live=as_live, watchlist=watchlist)
        preflight.java_binary(settings)
        preflight.check_room(settings.data_dir)
        begin = "anew" if rebuild_bars else "with its state"
        launch.up(settings, services(settings), steps(settings, clock, begin=begin), clock=clock, say=_say)
        _print_pages(settings)
        if wait:
            _console.print(wait_for_end(settings, clock, say=_console.print))


@app.command()
def replay(
    tape: Annotated[Path | None, typer.Option(help="Parquet of trades, or an archived session.")] = None,
    session: Annotated[str | None, typer.Option(help="Archived session of the current profile, e.g. 2013-10-07.")] = None,
    speed: Annotated[float, typer.Option(help="How many times faster than it happened.", min=0.001)] = 1.0,
    as_live: Annotated[bool, typer.Option("--as-live", help="Shift it so that it begins now.")] = False,
    data_dir: _DataDir = None,
    wait: Annotated[bool, typer.Option(help="Return when it is over and all its bars are judged.")] = True,
) -> None:
    """Play a tape or an archived session into the tape profile, which keeps its data apart from the others."""
    from stock_platform.commands.profile import tape_to_replay

    with _sentences():
        path = tape_to_replay(tape, session, data_dir=data_dir)
    up(feed="tape", tape=path, speed=speed, as_live=as_live, watchlist=None, data_dir=data_dir, wait=wait)


@app.command()
def down(data_dir: _DataDir = None) -> None:
    """Stop the stack cleanly; its data stays."""
    from stock_platform.stack import launch
    from stock_platform.stack.services import services

    with _sentences():
        settings = config.load(data_dir=data_dir)
        if not launch.down(settings, services(settings), clock=SystemClock(), say=_say):
            _console.print("nothing runs")


@app.command()
def status(
    data_dir: _DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Per service: state, port, version, memory, last error; then how fresh the data is. Exits with 1 unless all are healthy."""
    from stock_platform.stack import grafana
    from stock_platform.stack import status as stack_status
    from stock_platform.stack.services import services

    with _sentences():
        settings = config.load(data_dir=data_dir)
        rows = stack_status.service_statuses(settings, services(settings))
        data = stack_status.data_status(settings, SystemClock().now())
    document = stack_status.as_document(rows, data)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _print_status(rows, document)
        if grafana.binary(settings) is None:
            hint = "grafana is not installed: unpack its tarball and set STOCK_PLATFORM_GRAFANA_HOME, then `make up` starts it too."
            typer.echo(hint)
    raise typer.Exit(0 if document["healthy"] else 1)


@app.command()
def logs(name: str, data_dir: _DataDir = None, lines: int = 100) -> None:
    """The end of a service's log."""
    from stock_platform.stack import layout
    from stock_platform.stack.services import services

    with _sentences():
        settings = config.load(data_dir=data_dir)
        path = layout.logs(settings.home) / f"{name}.log"
        if not path.exists():
            raise ServiceUnknown(name, [service.name for service in services(settings)])
        if path.stat().st_size == 0:
            typer.echo(f"{name} has logged nothing: {path} is empty")
            return
        subprocess.run(["tail", "-n", str(lines), str(path)], check=False)


@app.command()
def doctor(data_dir: _DataDir = None) -> None:
    """Look for what would stop `up`: tools, installation, room, ports."""
    from stock_platform.stack import preflight
    from stock_platform.stack.services import services

    with _sentences():
        settings = config.load(data_dir=data_dir)
        checks: dict[str, Callable[[], object]] = {
            "java": lambda: preflight.java_binary(settings),
            "node": preflight.node_binary,
            "installation": preflight.check_installation,
            "room": lambda: preflight.check_room(settings.data_dir),
        }
        if not Supervisor(settings.home).alive():
            checks["ports"] = lambda: preflight.check_ports(services(settings))
        for name, check in checks.items():
            check()
            _say(name, "ok")


@app.command()
def serve() -> None:
    """Run the API in the foreground (the stack does this by itself)."""
    from stock_platform.api.server import serve as run
    from stock_platform.gate.rules import RULES
    from stock_platform.market.passport import read_passport

    with _sentences():
        run(config.load(), read_passport, [rule.name for rule in RULES])


@app.command()
def simulate(
    scenario: Annotated[Path | None, typer.Option(help="YAML or JSON of timed faults.")] = None,
    tape: Annotated[Path | None, typer.Option(help="Play this Parquet of trades instead of a market of its own.")] = None,
    speed: Annotated[float, typer.Option(help="How many times faster than it happened a tape is played.", min=0.001)] = 1.0,
    as_live: Annotated[bool, typer.Option("--as-live", help="Shift the tape so that it begins now.")] = False,
    print_environment: Annotated[bool, typer.Option("--print-environment", help="Only the lines that lead programs here.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Run the simulator of Yahoo in the foreground (the stack does this by itself); its control channel is at /control/docs."""
    from stock_platform.feed.simulator.command import simulator_of
    from stock_platform.feed.simulator.server import Ports, run

    with _sentences():
        settings = config.load(data_dir=data_dir)
        for name, value in config.simulator_environment(settings).items():
            typer.echo(f"export {name}={value}")
        if not print_environment:
            own = (settings.simulator_port, settings.simulator_http_port, settings.simulator_proxy_port)
            ports = Ports(*own, host=settings.listen_host)
            simulator = simulator_of(settings, scenario=scenario, tape=tape, speed=speed, is_as_live=as_live)
            run(simulator, ports=ports, folder=settings.simulator_folder)


@app.command()
def cloud_sim(
    every: Annotated[float, typer.Option(help="Seconds between two fetches.", min=1)] = 5.0,
    data_dir: _DataDir = None,
) -> None:
    """Run what is on AWS here, in the foreground: simulator, fetch function, table, API, page; Ctrl-C ends it all."""
    from stock_platform.cloud.simulation import run

    with _sentences():
        run(
            config.load(data_dir=data_dir, profile="simulator"),
            every_s=every,
            say=lambda text: _console.print(text, soft_wrap=True),
        )


@app.command()
def render(check: Annotated[bool, typer.Option("--check", help="Only say whether committed files are stale.")] = False) -> None:
    """Write what is rendered from contracts and code: Flink tables, JSON Schema, data dictionary, OpenAPI, dashboards."""
    from stock_platform.commands.rendering import rendered_files

    stale = [path for path, text in rendered_files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        _say(str(path.relative_to(config.ROOT)), "stale" if check else "written")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rendered_files()[path])
    raise typer.Exit(1 if check and stale else 0)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="throughput, peers, … (docs/benchmarks.md has them); all without it.")] = "all",
    quick: Annotated[bool, typer.Option("--quick", help="Shorter, and not kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a figure.")] = False,
) -> None:
    """Measure; the last full result is kept in benchmarks/results."""
    line = [sys.executable, "-m", "benchmarks", name, *(["--quick"] if quick else []), *(["--json"] if as_json else [])]
    os.chdir(config.ROOT)
    os.execv(sys.executable, line)  # in this process: who ends it ends what is measured, and its servers


def _say(name: str, what: str) -> None:
    _console.print(f"  {name:<20} {what}")


def _print_pages(settings: config.Settings) -> None:
    _console.print(f"page     http://localhost:{settings.frontend_port}")
    _console.print(f"api      http://localhost:{settings.api_port}/stocks   (docs at /docs)")
    _console.print(f"dagster  http://localhost:{settings.dagster_port}")


def _print_status(rows: "Sequence[ServiceStatus]", document: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("service", "state", "port", "version", "MiB", "last error"):
        table.add_column(name, justify="right" if name in ("port", "MiB") else "left", overflow="fold")
    for row in rows:
        colour = "green" if row.state == "healthy" else "red"
        table.add_row(row.name, f"[{colour}]{row.state}[/]", str(row.port or ""), row.version, str(row.memory_mib), row.last_error)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"memory {document['memory_mib']} MiB")
    for name, value in document["data"].items():
        console.print(f"{name:<24} {value if value is not None else '-'}")
