"""Errors of the stack's own programs: installed or not, startable or not, answering or not."""

from collections.abc import Iterable
from pathlib import Path

from stock_platform.errors import PlatformError


class ToolMissing(PlatformError):
    """A program that a fresh machine must bring is not there."""

    def __init__(self, tool: str, expected: str, hint: str) -> None:
        super().__init__(f"{tool} not found; expected {expected}. {hint}")


class PortBusy(PlatformError):
    """Somebody else listens where one of our services must."""

    def __init__(self, service: str, port: int, owner: str, variable: str) -> None:
        super().__init__(
            f"Port {port} of {service} is taken by {owner}. Stop that program, or set {variable} to a free port and try again."
        )


class DiskFull(PlatformError):
    """Too little room for the stack's data."""

    def __init__(self, path: Path, free_mib: int, needed_mib: int) -> None:
        super().__init__(
            f"Only {free_mib} MiB free under {path}; expected at least {needed_mib} MiB. "
            "Free some room, or choose another place with --data-dir."
        )


class ServiceUnhealthy(PlatformError):
    """A service did not become healthy in time."""

    def __init__(self, service: str, waited_s: float, reason: str, log: Path) -> None:
        super().__init__(
            f"{service} is not healthy after {waited_s:.0f} s: {reason}. Its log is {log}; "
            f"`stock-platform logs {service}` shows the end of it."
        )


class InstallationIncomplete(PlatformError):
    """Something that `make install` builds is missing."""

    def __init__(self, missing: Iterable[Path]) -> None:
        names = ", ".join(str(path) for path in missing)
        super().__init__(f"Not installed, or only half: {names} is missing. Run `make install`, which finishes what is left.")


class ServiceUnknown(PlatformError):
    """No service of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"No service is named {name}; expected one of {', '.join(known)}.")


class ServiceNotConfigured(PlatformError):
    """The running stack was started without this service."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The running stack knows no {name}: `make down`, then `make up`, which starts it with the others.")


class OtherProfileRuns(PlatformError):
    """Another feed's stack runs under the same data folder."""

    def __init__(self, running: str, wanted: str) -> None:
        super().__init__(f"The stack of profile {running} runs, so {wanted} cannot start beside it: `make down` first.")


class CommandFailed(PlatformError):
    """A program that prepares the stack did not succeed."""

    def __init__(self, program: str, code: int, output: str) -> None:
        said = " / ".join(output.strip().splitlines()[-3:]) or "nothing"
        super().__init__(
            f"{program} ended with {code}, expected 0. It said: {said}. Mend that and run `make up` again; it goes on there."
        )


class ServerSilent(PlatformError):
    """A server of the stack gives no usable answer to a request."""

    def __init__(self, address: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{address} does not answer as it should: {problem}. `make status` shows which service is down.")
