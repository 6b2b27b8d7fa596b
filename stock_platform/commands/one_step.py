"""One step of a start, in the foreground: what `up` does between its services, for whoever keeps the order itself (Compose)."""

from typing import Annotated

import typer

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.errors import SettingInvalid
from stock_platform.sentences import sentences

_NAMES = "configuration, migrations, reference, topics, stream-job or dagster-storage"


def step(name: Annotated[str, typer.Argument(help=_NAMES)]) -> None:
    """Do one step of a start; each is safe to repeat."""
    from stock_platform.commands.startup import steps
    from stock_platform.stack.prepare import write_configurations

    with sentences():
        settings = config.load()
        known = {each.name: each.act for each in steps(settings, SystemClock())}
        known["configuration"] = lambda: write_configurations(settings)
        if name not in known:
            raise SettingInvalid("step", name, f"one of {', '.join(known)}")
        known[name]()
