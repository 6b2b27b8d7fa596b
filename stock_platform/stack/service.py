"""What a service of the stack is: a command, a port, what must be healthy before it, and how its own health is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Service:
    """One long-lived program under the process manager.

    Args:
        after: Names of services or set-up steps that must be healthy first.
        problem: None when healthy, else the reason in a few words.
        port_setting: Environment variable that moves the port.
        page: Page of its port that answers when it is healthy; without one the port says it.
        more_ports: Other ports that it listens on, by the variable that moves each.
    """

    name: str
    command: tuple[str, ...]
    version: str
    problem: Callable[[], str | None]
    port: int | None = None
    port_setting: str = ""
    page: str = ""
    more_ports: Mapping[str, int] = field(default_factory=lambda: {})
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: {})
    folder: Path | None = None
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_within_s: int = 20


@dataclass(frozen=True)
class Step:
    """Something done once at each start, safe to repeat: migrations, topics, the job's submission."""

    name: str
    act: Callable[[], object]
    after: tuple[str, ...] = ()
