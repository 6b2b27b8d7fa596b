"""Show the platform's own errors to a person as what they are: a sentence, not a stack trace."""

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console

from stock_platform.errors import PlatformError

console = Console(stderr=True, highlight=False)
"""For what a person reads; what programs read goes to stdout."""


@contextmanager
def sentences() -> Generator[None]:
    """Print a broken world's sentence and exit with 2."""
    try:
        yield
    except PlatformError as error:
        console.print("[bold red]error[/]", end=" ", soft_wrap=True)
        console.print(str(error), soft_wrap=True, markup=False)
        raise typer.Exit(2) from None
