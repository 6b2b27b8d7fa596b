"""The verbs `stock-platform dead-letters …`: words and tables. Not here: what they do (feed/dead_letters/command)."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from stock_platform import config
from stock_platform.sentences import sentences

if TYPE_CHECKING:
    from stock_platform.feed.dead_letters.digest import Digest
    from stock_platform.feed.dead_letters.letter import Letter
    from stock_platform.feed.dead_letters.replay import Outcome

app = typer.Typer(no_args_is_help=True, help="Messages that were refused: look at them, and send mended ones again.")
_DataDir = Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")]
_Since = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="Refused since then, UTC.")
]


@app.command("list")
def list_letters(
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol, where the message tells it.")] = None,
    since: _Since = None,
    limit: Annotated[int, typer.Option(help="So many of the newest.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """The newest letters, newest first, and how many there are of each reason; a repeat counts once."""
    from stock_platform.feed.dead_letters.command import digest_of
    from stock_platform.feed.dead_letters.digest import Wanted

    wanted = Wanted(reason, symbol, None if since is None else since.replace(tzinfo=UTC))
    with sentences():
        found = digest_of(config.load(data_dir=data_dir), wanted, limit=limit)
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
    else:
        _print_digest(found)


@app.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], data_dir: _DataDir = None) -> None:
    """Everything about one letter: why, what the message was, where it is, what to do."""
    from stock_platform.feed.dead_letters.command import letter_by_id, trail_of
    from stock_platform.feed.dead_letters.letter import readable
    from stock_platform.feed.dead_letters.replay import replays_of

    with sentences():
        settings = config.load(data_dir=data_dir)
        letter = letter_by_id(settings, letter_id)
    for name, value in _facts(letter).items():
        typer.echo(f"{name:<10} {value}")
    for entry in replays_of(letter, trail_of(settings)):
        typer.echo(f"replayed   {entry['ts']} {entry['outcome']}: {entry['detail']}")
    typer.echo(f"next       {letter.step}")
    typer.echo(f"message    {len(letter.payload)} bytes\n{readable(letter.payload)}")


@app.command()
def replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="As `list` shows them.")] = None,
    reason: Annotated[str | None, typer.Option(help="All letters of this reason.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Send letters to market.ticks.v1 again, once their cause is mended; repeats change no bar. Exits with 1 if one is refused."""
    from stock_platform.feed.dead_letters.command import rehearsed, replayed

    if bool(letter_ids) == bool(reason):
        raise typer.BadParameter("say either which letters (ID…), or --reason")
    refused = found = 0
    with sentences():
        act = rehearsed if dry_run else replayed
        for outcomes in act(config.load(data_dir=data_dir), letter_ids or [], reason):
            _print_outcomes(outcomes)
            found += len(outcomes)
            refused += sum(outcome.state == "refused" for outcome in outcomes)
    if not found:
        typer.echo(f"no letter has the reason {reason}; `stock-platform dead-letters list` shows those that there are")
    raise typer.Exit(1 if refused else 0)


def _facts(letter: "Letter") -> dict[str, str]:
    """What is known of a letter, in a person's order."""
    refused_by = f"refused by the feed, line {letter.headers.get('line', 'unknown')}, before it reached a topic"
    place = f"{letter.kafka_topic}, partition {letter.kafka_partition}, offset {letter.kafka_offset}"
    return {
        "id": letter.id,
        "time": f"{letter.ts_dead:%Y-%m-%d %H:%M:%S.%f}Z",
        "reason": letter.reason,
        "detail": letter.detail,
        "symbol": letter.symbol or "-",
        "original": refused_by if letter.kafka_topic is None else place,
        "headers": " ".join(f"{name}={text}" for name, text in letter.headers.items()) or "-",
    }


def _document(found: "Digest") -> dict[str, Any]:
    letters = [
        {
            "id": letter.id,
            "ts_dead": letter.ts_dead.isoformat(),
            "reason": letter.reason,
            "symbol": letter.symbol,
            "detail": letter.detail,
            "kafka_topic": letter.kafka_topic,
            "kafka_partition": letter.kafka_partition,
            "kafka_offset": letter.kafka_offset,
        }
        for letter in found.newest
    ]
    return {"letters": letters, "counts": found.counts, "repeats": found.repeat_count}


def _print_digest(found: "Digest") -> None:
    if not found.newest:
        typer.echo(f"no such letter; there are letters of {', '.join(found.reasons)}" if found.reasons else "no dead letters")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "time", "reason", "symbol", "detail"):
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "time"))
    for letter in found.newest:
        table.add_row(letter.id, f"{letter.ts_dead:%Y-%m-%d %H:%M:%S}Z", letter.reason, letter.symbol or "-", letter.detail)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 240).print(table)
    for reason, count in found.counts.items():
        typer.echo(f"{count:>10}  {reason}")
    if found.repeat_count:
        typer.echo(f"{found.repeat_count:>10}  repeats, not counted above")


def _print_outcomes(outcomes: "Sequence[Outcome]") -> None:
    for letter, state, detail in outcomes:
        typer.echo(f"{letter.id:<12} {state:<8} {detail}")
